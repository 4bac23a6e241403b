"""The environment of dispatch: carrier accounts, periods, and where carriers call back."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Self, TypeVar
from uuid import UUID

from pydantic import Field, create_model, model_validator

from services.dispatch.domain.eligibility import Ranges
from services.dispatch.domain.parcels import Policy
from services.dispatch.domain.scoring import Weights
from services.dispatch.gateways import registry
from services.dispatch.gateways.carriers import Account
from shared.settings import ServiceSettings

Kind = TypeVar("Kind", bound=Account)


class DispatchSettings(ServiceSettings):
    """GROUPBUY_SEAL_KEYS must hold keys for the recipient `dispatch`. Periods are seconds of business time."""

    port: int = 8004
    callback_base_url: str = Field(
        default="http://127.0.0.1:8004", description="This service as carriers reach it, for their webhooks"
    )
    carriers_url: str | None = Field(
        default=None,
        description="Under what address every carrier stands that has none of its own: the sandbox; not in production",
    )
    merchant_accounts: dict[UUID, dict[str, dict[str, Any]]] = Field(
        default_factory=dict,
        repr=False,
        description="JSON: merchant → carrier → the members of that carrier's account that differ from the platform's",
    )

    accept_within_s: int = Field(default=900, ge=1, description="Errand runner, self-delivery: until accepted")
    hand_over_within_s: int = Field(default=86_400, ge=1, description="Errand runner, self-delivery: until picked up")
    courier_hand_over_within_s: int = Field(default=172_800, ge=1)
    receive_within_s: int = Field(default=86_400, ge=1, description="After delivery, until receipt is automatic")
    courier_receive_within_s: int = Field(default=604_800, ge=1)
    most_attempts: int = Field(
        default=3, ge=1, le=10, description="Carriers' orders per parcel before a person decides"
    )
    search_within_s: int = Field(default=1800, ge=60, description="Errand runner: until a person decides")
    quote_within_s: float = Field(default=2.5, gt=0, le=10, description="Real seconds in which prices must come")
    no_rider_within_s: int = Field(default=480, ge=30, description="Without a rider until a tip, and then another try")
    instant_range_m: int = Field(default=20_000, ge=500, description="Farther than this only couriers go")
    promise_s: int = Field(default=3600, ge=60, description="From the order to the door by rider; later costs score")
    photo_up_to_fen: int = Field(default=20_000, ge=0, description="Goods worth more are delivered by code only")
    breaker_threshold: int = Field(default=5, ge=1)
    breaker_open_s: int = Field(default=30, ge=1)

    @model_validator(mode="after")
    def _carriers_are_real_in_production(self) -> Self:
        if self.environment == "production" and self.carriers_url:
            raise ValueError("GROUPBUY_CARRIERS_URL sends parcels to a sandbox and is refused in production")
        return self

    @model_validator(mode="after")
    def _merchants_accounts_are_whole(self) -> Self:
        known = {name for name in type(self).model_fields if isinstance(getattr(self, name), Account)}
        named = {carrier for own in self.merchant_accounts.values() for carrier in own}
        if named - known:
            raise ValueError(f"merchant_accounts: there is no carrier {', '.join(sorted(named - known))}")
        names = [(type(account), account.name) for account in self.accounts()]
        for merchant_id in self.merchant_accounts:
            names += [(type(account), account.name) for account in self.accounts_of(merchant_id)]
        if len(set(names)) < len(names):
            # Attempts find their account again by its name.
            raise ValueError("merchant_accounts: two accounts at one carrier have the same name")
        return self

    def accounts(self) -> Iterator[Account]:
        """The platform's accounts, in the order of their carriers' names, which decides where nothing else does."""
        for name in type(self).model_fields:
            if isinstance(getattr(self, name), Account):
                yield self._platform_account(name)

    def account(self, kind: type[Kind]) -> Kind:
        """The platform's account of one class. Raises LookupError if no adapter offers it."""
        for account in self.accounts():
            if isinstance(account, kind):
                return account
        raise LookupError(kind.__name__)

    def _platform_account(self, carrier: str) -> Any:
        """As set; under `carriers_url`, if there is one and the account has no address of its own."""
        account = getattr(self, carrier)
        member, path = account.address
        if not self.carriers_url or member in account.model_fields_set:
            return account
        return account.model_copy(update={member: f"{self.carriers_url}{path}"})

    def accounts_of(self, merchant_id: UUID) -> Iterator[Account]:
        """The accounts that one merchant brought. Attempts are frozen to `name`: an account that a merchant changes for
        another shop needs another one, while attempts of the old are under way."""
        for carrier, members in self.merchant_accounts.get(merchant_id, {}).items():
            platform = self._platform_account(carrier)
            own = type(platform).model_validate({**dict(platform), "name": merchant_id.hex, **members})
            assert isinstance(own, Account), "of the same class as the platform's"
            yield own

    def policy(self) -> Policy:
        """The rules' periods and limits as set."""
        return Policy(
            accept_within=timedelta(seconds=self.accept_within_s),
            hand_over_within=timedelta(seconds=self.hand_over_within_s),
            courier_hand_over_within=timedelta(seconds=self.courier_hand_over_within_s),
            receive_within=timedelta(seconds=self.receive_within_s),
            courier_receive_within=timedelta(seconds=self.courier_receive_within_s),
            most_attempts=self.most_attempts,
            search_within=timedelta(seconds=self.search_within_s),
            quote_within=timedelta(seconds=self.quote_within_s),
            no_rider_within=timedelta(seconds=self.no_rider_within_s),
            ranges=Ranges(instant_m=self.instant_range_m),
            weights=Weights(promise=timedelta(seconds=self.promise_s)),
            photo_up_to_fen=self.photo_up_to_fen,
        )


# One member per adapter found, GROUPBUY_{CARRIER}__…: the platform's accounts.
_ACCOUNTS: dict[str, Any] = {carrier: (account, account()) for carrier, account in registry.accounts().items()}
Settings: type[DispatchSettings] = create_model(
    "Settings", __base__=DispatchSettings, __doc__=DispatchSettings.__doc__, **_ACCOUNTS
)
