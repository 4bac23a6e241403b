"""Reminders: a certificate that will expire is told some days before, once for each of those days."""

from datetime import timedelta

from services.redemption.store import reminders
from services.redemption.store.reminders import DueOrder, Unused
from services.redemption.use_cases.expiry import EVERY, ORDERS_AT_ONCE, PAUSE
from shared.contracts.redemption import CertificateExpiring
from shared.database import Transaction
from shared.messaging import outbox, timers
from shared.observability import log

REMIND = "remind"
_ALL = "all"
_DAY = timedelta(days=1)


async def watch(tx: Transaction) -> None:
    """Set the one timer of all reminders, which then sets itself again."""
    await timers.schedule(tx, REMIND, _ALL, tx.now)


async def remind_next(tx: Transaction) -> None:
    """Tell of the certificates of the next orders, in batches like the expiry's. That a moment has been told is
    written with what is told."""
    due = {order.order_id: order for order in await reminders.take_due(tx, ORDERS_AT_ONCE)}
    unused = await reminders.unused_of(tx, list(due)) if due else []
    await outbox.emit(tx, *(_expiring(tx, one, due[one.order_id]) for one in unused))
    if unused:
        log.info("certificates_expiring", count=len(unused), orders=len(due))
    await timers.schedule(tx, REMIND, _ALL, tx.now + (PAUSE if len(due) == ORDERS_AT_ONCE else EVERY))


def _expiring(tx: Transaction, unused: Unused, order: DueOrder) -> CertificateExpiring:
    return CertificateExpiring(
        occurred_at=tx.now,
        unit_id=unused.unit_id,
        order_id=unused.order_id,
        merchant_id=order.merchant_id,
        uses_left=unused.uses_left,
        expires_at=order.until,
        days_left=round((order.until - order.reached) / _DAY),
    )
