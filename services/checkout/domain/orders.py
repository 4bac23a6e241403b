"""Orders and their units: states, frozen values, and what an order number looks like."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from shared.clock import business_day
from shared.contracts.catalog import CashVoucherTerms, CodeSource, DealForm, DealKind, DeliveryMode, RefundPolicy
from shared.contracts.checkout import UseValue
from shared.contracts.split import ShareTerms, split_unit
from shared.contracts.use_rules import UseRules, use_window
from shared.money import split_evenly


class OrderState(StrEnum):
    """`PLACED → {PAID, CLOSED}`, `PAID → FULFILLING → COMPLETED`. Refunded in full is derived from the units."""

    PLACED = "PLACED"
    PAID = "PAID"
    FULFILLING = "FULFILLING"
    COMPLETED = "COMPLETED"
    CLOSED = "CLOSED"


PAID_STATES = frozenset({OrderState.PAID, OrderState.FULFILLING, OrderState.COMPLETED})


class UnitState(StrEnum):
    """`OPEN → USED → FINAL`; any of them `→ REFUNDING → {REFUNDED, back}`: after a use while the merchant reviews. A
    times-card is open until its last use."""

    OPEN = "OPEN"
    USED = "USED"
    FINAL = "FINAL"
    REFUNDING = "REFUNDING"
    REFUNDED = "REFUNDED"


@dataclass(frozen=True, slots=True)
class OrderUnit:
    """One bought unit, its value frozen: `paid_fen` is the sum over its uses."""

    unit_id: UUID
    position: int
    state: UnitState
    paid_fen: int
    original_price_fen: int
    uses: tuple[UseValue, ...]
    uses_left: int
    """As far as redemption has told of its uses."""
    used_nos: frozenset[int] = frozenset()

    @property
    def left_fen(self) -> int:
        """What the uses that are left were paid. A use of which only the moment was kept was the first."""
        if self.uses_left + len(self.used_nos) != len(self.uses):
            return value_of_uses_left(self.uses, self.uses_left)
        return sum(use.paid_fen for no, use in enumerate(self.uses, start=1) if no not in self.used_nos)


@dataclass(frozen=True, slots=True)
class OrderDelivery:
    """How the goods travel. The address opens to shared.contracts.address.Address, for checkout only."""

    mode: DeliveryMode
    fee_fen: int
    weight_g: int
    category: str
    sealed_address: str
    masked_phone: str
    masked_address: str


@dataclass(frozen=True, slots=True)
class Order:
    """An order with everything it froze when it was placed."""

    order_id: UUID
    order_no: str
    state: OrderState
    buyer: str
    merchant_id: UUID
    deal_id: UUID
    deal_version: int
    kind: DealKind
    form: DealForm
    title: str
    cover: str
    quantity: int
    unit_price_fen: int
    total_fen: int
    refunded_fen: int
    rules: UseRules
    cash: CashVoucherTerms | None
    code_source: CodeSource | None
    refund_policy: RefundPolicy
    store_ids: tuple[UUID, ...]
    source: str | None
    request_digest: bytes
    placed_at: datetime
    expires_at: datetime
    paid_at: datetime | None
    closed_at: datetime | None
    delivery: OrderDelivery | None
    parcel_state: str | None
    sealed_phone: str | None = None
    phone_lookup: str | None = None
    """The keyed hash of the buyer's phone (shared/phones.py), if one was left."""

    def refundable_from(self) -> datetime | None:
        """The moment from which the buyer may ask for a refund; None: at any time. Goods do not expire, so a policy
        that waits for the expiry does not bind them."""
        if self.refund_policy is RefundPolicy.ANY_TIME or self.kind is DealKind.GOODS or self.paid_at is None:
            return None
        return use_window(self.rules, self.paid_at).until


_TERMS = ShareTerms()
"""The platform takes no commission, and no deal has creators or agencies to share with yet."""


def unit_values(
    price_fen: int, delivery_fee_fen: int, quantity: int, uses_per_unit: int = 1
) -> tuple[tuple[UseValue, ...], ...]:
    """The values of the uses of each of `quantity` units; the delivery fee is spread over the units to the fen."""
    return tuple(
        split_unit(price_fen + share_fen, uses_per_unit, _TERMS, delivery_fen=share_fen)
        for share_fen in split_evenly(delivery_fee_fen, quantity)
    )


def value_of_uses_left(uses: tuple[UseValue, ...], uses_left: int, left_nos: Sequence[int] | None = None) -> int:
    """What the uses with these numbers were paid. Where no numbers were told, the last `uses_left` are left: uses are
    made from the first, and only one that was reversed leaves a gap."""
    if left_nos is not None:
        return sum(use.paid_fen for no, use in enumerate(uses, start=1) if no in left_nos)
    return sum(use.paid_fen for use in uses[len(uses) - min(uses_left, len(uses)) :])


def new_order_no(now: datetime) -> str:
    """A number to read out on the phone: the day in Shanghai and 14 random digits."""
    return f"{business_day(now):%y%m%d}{secrets.randbelow(10**14):014d}"
