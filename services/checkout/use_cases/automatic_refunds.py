"""Refunds that nobody asks for: goods that will not arrive, certificates that no store takes, codes that never came,
certificates that expired unused, campaigns that were called off."""

from collections.abc import Collection
from uuid import UUID

from services.checkout.domain.orders import Order, OrderUnit, UnitState
from services.checkout.domain.refusals import UnitNotOfOrder
from services.checkout.domain.timeline import What
from services.checkout.store import orders, refunds
from services.checkout.use_cases.fencing import fence
from shared.contracts.catalog import DealKind
from shared.contracts.checkout import RefundCause
from shared.database import Transaction
from shared.ids import derived_id

PARCEL_FAILED = "FAILED"

_CAUSES = {
    What.STORE_CLOSED: RefundCause.RECALLED,
    What.MERCHANT_SUSPENDED: RefundCause.RECALLED,
    What.ISSUE_FAILED: RefundCause.ISSUE_FAILED,
    What.EXPIRED: RefundCause.EXPIRED,
    What.CAMPAIGN: RefundCause.CAMPAIGN,
}
RECALLS = tuple(what for what, cause in _CAUSES.items() if cause is RefundCause.RECALLED)
"""A certificate that was recalled comes before everything else: its fence is there already."""


async def refund_failed_parcel(tx: Transaction, order: Order) -> None:
    """The goods will not arrive: everything of the order that is still open is refunded. The caller holds the order."""
    units = [unit for unit in await _units(tx, order) if unit.state is UnitState.OPEN]
    await _open(tx, order, order.order_id, units, RefundCause.PARCEL_FAILED, "parcel failed")


async def refund_unit(tx: Transaction, order: Order, unit_id: UUID, what: What) -> None:
    """This unit is refunded because of `what`, now or when another refund of it has been given up: the entry in the
    timeline is what remembers it till then. The caller holds the order."""
    await orders.add_entry(tx, order.order_id, what, tx.now, unit_id)
    await _refund_unit(tx, order, unit_id, what)


async def refund_campaign(tx: Transaction, order: Order) -> dict[UUID, int]:
    """The campaign is called off: everything of the order that is open is refunded, and what is in another refund is
    remembered for when that is refused. Returns the refunds, each with its number of units. The caller holds the
    order."""
    units = await _units(tx, order)
    for unit in units:
        if unit.state in (UnitState.OPEN, UnitState.REFUNDING):
            await orders.add_entry(tx, order.order_id, What.CAMPAIGN, tx.now, unit.unit_id)
    opened: dict[UUID, int] = {}
    for unit in units:
        if unit.state is UnitState.OPEN:
            about, together = _of_campaign(order, units, unit)
            await _open(tx, order, about, together, RefundCause.CAMPAIGN, "campaign called off")
            opened[derived_id(about, RefundCause.CAMPAIGN.value)] = len(together)
    return opened


def _of_campaign(order: Order, units: list[OrderUnit], unit: OrderUnit) -> tuple[UUID, list[OrderUnit]]:
    """What goes back together with this unit, and what names the refund: goods go as a whole parcel."""
    if order.kind is not DealKind.GOODS:
        return unit.unit_id, [unit]
    return order.order_id, [other for other in units if other.state is UnitState.OPEN]


async def take_up(
    tx: Transaction, order: Order, unit_ids: Collection[UUID], whats: Collection[What] = tuple(_CAUSES)
) -> None:
    """A refund of these units has ended without money: what happened to them meanwhile is made up for. The caller
    holds the order."""
    for unit_id, what in await refunds.noted(tx, order.order_id, unit_ids, whats):
        await _refund_unit(tx, order, unit_id, what)


async def _refund_unit(tx: Transaction, order: Order, unit_id: UUID, what: What) -> None:
    cause = _CAUSES[what]
    units = await _units(tx, order)
    unit = next((unit for unit in units if unit.unit_id == unit_id), None)
    if unit is None:
        raise UnitNotOfOrder
    if unit.state is UnitState.OPEN:
        about, together = _of_campaign(order, units, unit) if what is What.CAMPAIGN else (unit_id, [unit])
        await _open(tx, order, about, together, cause, what.value.lower().replace("_", " "))


async def _open(
    tx: Transaction, order: Order, about: UUID, units: list[OrderUnit], cause: RefundCause, reason: str
) -> None:
    """A cause has one refund for ever; one that an operator has given up is not opened again."""
    refund_id = derived_id(about, cause.value)
    if units and await refunds.find_refund(tx, refund_id) is None:
        await fence(tx, refund_id, order, units, cause, reason, None)


async def _units(tx: Transaction, order: Order) -> list[OrderUnit]:
    return (await orders.units_of(tx, [order.order_id]))[order.order_id]
