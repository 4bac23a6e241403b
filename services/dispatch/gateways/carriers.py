"""The carrier accounts of a deployment: the platform's, and those that merchants brought with them."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol, runtime_checkable
from uuid import UUID

import httpx

from services.dispatch.gateways.port import Carrier


@runtime_checkable
class Account(Protocol):
    """What every adapter's account offers: a name that attempts are frozen to, a pace, and the client itself. All of
    its members have defaults."""

    name: str
    calls_per_s: float
    address: ClassVar[tuple[str, str]]
    """The member that says where the carrier stands, and its path where a deployment keeps all carriers together."""

    def open(self, http: httpx.AsyncClient) -> Carrier: ...


@dataclass(frozen=True, slots=True)
class Carriers:
    """`all` are the platform's accounts, in order of preference; `own` the accounts of single merchants."""

    all: tuple[Carrier, ...] = ()
    own: Mapping[UUID, tuple[Carrier, ...]] = field(default_factory=dict)

    def of_merchant(self, merchant_id: UUID) -> tuple[Carrier, ...]:
        """Whom a merchant's parcels can be given to: their own account at a carrier replaces the platform's."""
        own = self.own.get(merchant_id, ())
        theirs = {carrier.provider: carrier for carrier in own}
        return tuple(theirs.get(carrier.provider, carrier) for carrier in self.all)

    def of(self, provider: str, account: str) -> Carrier:
        """The account that an attempt was frozen to. Raises LookupError if the deployment no longer has it."""
        for carrier in self.every():
            if carrier.provider == provider and carrier.account == account:
                return carrier
        raise LookupError(f"no account {account!r} at {provider!r} is configured")

    def at_address(self, provider: str, token: str) -> Carrier | None:
        """The account to whose own callback address, ending in this secret, something was sent."""
        for carrier in self.every():
            secret = carrier.address_token
            if carrier.provider == provider and secret and hmac.compare_digest(secret.encode(), token.encode()):
                return carrier
        return None

    def every(self) -> tuple[Carrier, ...]:
        """The platform's accounts and then the merchants'."""
        return (*self.all, *(carrier for own in self.own.values() for carrier in own))
