"""Orders and their units: states, frozen values, and what an order number looks like."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from shared.clock import business_day
from shared.contracts.catalog import DealKind, DeliveryMode
from shared.contracts.checkout import UseValue
from shared.contracts.use_rules import UseRules
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
    """`OPEN → USED → FINAL`; `OPEN → REFUNDING → {REFUNDED, back}`."""

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
    title: str
    cover: str
    quantity: int
    unit_price_fen: int
    total_fen: int
    refunded_fen: int
    rules: UseRules
    store_ids: tuple[UUID, ...]
    source: str | None
    request_digest: bytes
    placed_at: datetime
    expires_at: datetime
    paid_at: datetime | None
    closed_at: datetime | None
    delivery: OrderDelivery | None
    parcel_state: str | None


def unit_values(price_fen: int, delivery_fee_fen: int, quantity: int) -> tuple[UseValue, ...]:
    """The value of the single use of each of `quantity` units; the delivery fee is spread over them to the fen."""
    return tuple(
        UseValue(paid_fen=price_fen + share_fen, delivery_fen=share_fen)
        for share_fen in split_evenly(delivery_fee_fen, quantity)
    )


def value_of_uses_left(uses: tuple[UseValue, ...], uses_left: int) -> int:
    """What the last `uses_left` uses were paid: uses are consumed from the first."""
    return sum(use.paid_fen for use in uses[len(uses) - min(uses_left, len(uses)) :])


def new_order_no(now: datetime) -> str:
    """A number to read out on the phone: the day in Shanghai and 14 random digits."""
    return f"{business_day(now):%y%m%d}{secrets.randbelow(10**14):014d}"
