"""Who of those that order at the same moment gets something: decided in order of arrival, in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.checkout.domain.offers import Offer, check_delivery, check_limit, check_sellable
from services.checkout.domain.refusals import DealOffline
from shared.contracts.catalog import DeliveryMode
from shared.errors import DomainError, IdTaken

Account = tuple[UUID, str]
"""A deal and a buyer, whose units of that deal are counted."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One request to buy; `digest` tells a repetition from another request under the same id."""

    order_id: UUID
    digest: bytes
    deal_id: UUID
    deal_version: int
    buyer: str
    quantity: int
    mode: DeliveryMode | None


@dataclass(frozen=True, slots=True)
class Granted:
    """The order may be written, with what this offer says."""

    offer: Offer


@dataclass(frozen=True, slots=True)
class Repeated:
    """The same request was granted before, in this batch or long ago: its order is the answer."""

    order_id: UUID


Decision = Granted | Repeated | DomainError


def decide(
    asks: Sequence[Ask],
    placed: Mapping[UUID, bytes],
    offers: Mapping[UUID, Offer],
    counted: Mapping[Account, int],
    now: datetime,
) -> list[Decision]:
    """What each of these gets, the first first.

    `placed` are digests of orders that exist by their ids; `offers` what is on sale, with what is left of it; `counted`
    what buyers have of it already. All three as they are now: the caller holds the stock of every deal asked for.
    """
    return _Deciding(dict(placed), dict(offers), dict(counted), now).decide(asks)


@dataclass(slots=True)
class _Deciding:
    placed: dict[UUID, bytes]
    offers: dict[UUID, Offer]
    counted: dict[Account, int]
    now: datetime

    def decide(self, asks: Sequence[Ask]) -> list[Decision]:
        decisions: list[Decision] = []
        for ask in asks:
            try:
                decisions.append(self._next(ask))
            except DomainError as refusal:
                decisions.append(refusal)
        return decisions

    def _next(self, ask: Ask) -> Decision:
        if ask.order_id in self.placed:
            if self.placed[ask.order_id] != ask.digest:
                raise IdTaken
            return Repeated(ask.order_id)
        offer = self.offers.get(ask.deal_id)
        if offer is None:
            raise DealOffline
        account = (ask.deal_id, ask.buyer)
        check_sellable(offer, ask.deal_version, ask.quantity, self.now)
        check_delivery(offer, ask.mode)
        check_limit(offer, self.counted.get(account, 0), ask.quantity)
        self.placed[ask.order_id] = ask.digest
        self.offers[ask.deal_id] = replace(offer, available=offer.available - ask.quantity)
        self.counted[account] = self.counted.get(account, 0) + ask.quantity
        return Granted(offer)
