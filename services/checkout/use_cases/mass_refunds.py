"""A campaign is called off: every unit of it that is still open is refunded, in batches, through the fence."""

from collections.abc import Sequence
from uuid import UUID

from services.checkout.domain.mass_refunds import MassRefund
from services.checkout.domain.orders import PAID_STATES, Order
from services.checkout.domain.refusals import DealUnknown, MassRefundNotFound
from services.checkout.store import mass_refunds, orders, stock
from services.checkout.use_cases import automatic_refunds
from shared.database import Transaction
from shared.errors import IdTaken
from shared.messaging import timers
from shared.messaging.timers import Due
from shared.observability import log

MASS_REFUND = "mass_refund"
ORDERS_AT_ONCE = 20
"""With at most ten units each: no buyer of the deal waits for long while a batch holds the orders."""


async def start(tx: Transaction, mass_refund_id: UUID, deal_id: UUID, reason: str, operator: str) -> MassRefund:
    """Begin a mass refund of the orders placed until now; a repeated request returns the first one's."""
    if not await stock.is_known(tx, deal_id):
        raise DealUnknown
    if await mass_refunds.add(tx, mass_refund_id, deal_id, reason, operator):
        log.warning("mass_refund_started", mass_refund_id=str(mass_refund_id), deal_id=str(deal_id), operator=operator)
        await timers.schedule(tx, MASS_REFUND, mass_refund_id, tx.now)
    mass = await _find(tx, mass_refund_id)
    if (mass.deal_id, mass.reason) != (deal_id, reason):
        raise IdTaken
    return mass


async def stop(tx: Transaction, mass_refund_id: UUID, operator: str, reason: str) -> MassRefund:
    """Open no more refunds; those that are open go on."""
    await mass_refunds.stop(tx, mass_refund_id, f"{operator}: {reason}")
    await timers.cancel(tx, MASS_REFUND, mass_refund_id)
    return await _find(tx, mass_refund_id)


async def advance(tx: Transaction, due: Sequence[Due]) -> None:
    """Refund among the next orders of the first mass refund; the others, and the rest, wait for their turn."""
    first, *others = due
    for other in others:
        await timers.schedule(tx, MASS_REFUND, other.key, other.due_at, other.payload)
    mass = await mass_refunds.hold_running(tx, UUID(first.key))
    if mass is None:
        return
    batch = await mass_refunds.next_orders(tx, mass, ORDERS_AT_ONCE)
    # An order that is being paid at this moment is waited for. One that is paid later joins by itself.
    for order in await orders.lock_orders(tx, [order_id for _, order_id in batch]):
        if order.state in PAID_STATES:
            await _refund(tx, mass.mass_refund_id, order)
    if batch:
        await mass_refunds.walk_on(tx, mass.mass_refund_id, batch[-1], len(batch))
    if len(batch) < ORDERS_AT_ONCE:
        await mass_refunds.finish(tx, mass.mass_refund_id)
        log.info("mass_refund_walked", mass_refund_id=first.key)
    else:
        await timers.schedule(tx, MASS_REFUND, first.key, tx.now, first.payload)


async def refund_if_called_off(tx: Transaction, order: Order) -> None:
    """An order has just been paid: if it was placed before its campaign was called off, it goes back. The caller has
    held the order since before it was paid, so that either this or the walk sees it."""
    mass_refund_id = await mass_refunds.covering(tx, order.deal_id, order.placed_at)
    if mass_refund_id is not None:
        await _refund(tx, mass_refund_id, order)


async def _refund(tx: Transaction, mass_refund_id: UUID, order: Order) -> None:
    await mass_refunds.note_opened(tx, mass_refund_id, await automatic_refunds.refund_campaign(tx, order))


async def _find(tx: Transaction, mass_refund_id: UUID) -> MassRefund:
    mass = await mass_refunds.find(tx, mass_refund_id)
    if mass is None:
        raise MassRefundNotFound
    return mass
