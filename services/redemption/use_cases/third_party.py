"""Third-party codes: a certificate waits for its code, and fails when none comes in time."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from services.redemption.store import certificates, code_pools
from services.redemption.use_cases.code_pools import take_from_pool
from services.redemption.use_cases.issuing import ask_later, take_back
from shared.contracts.catalog import CodeSource
from shared.contracts.redemption import CertificateIssueFailed
from shared.database import Transaction
from shared.messaging import outbox, timers
from shared.observability import log

CODES_OVERDUE = "codes_overdue"
LOOK_FOR_CODES = "look_for_codes"


async def wait_for_codes(tx: Transaction, order_id: UUID, until: datetime) -> None:
    """The codes of this order may come until then. They are looked for once more when this can be seen: whoever
    imported some a moment ago could not see that anybody waited."""
    await timers.schedule(tx, CODES_OVERDUE, order_id, until)
    await timers.schedule(tx, LOOK_FOR_CODES, order_id, tx.now)


async def look_for_codes(tx: Transaction, order_ids: Sequence[UUID]) -> None:
    """Take what the pools have for these orders, and have the issuers of the others asked."""
    await code_pools.hold_waiting(tx, order_ids)
    for order_id in order_ids:
        order = await certificates.order_of(tx, order_id)
        assert order is not None, "a timer names an order that is here"
        if order.code_source is CodeSource.CALLBACK:
            await ask_later(tx, order_id)
            continue
        await take_from_pool(tx, order_id, order.merchant_id, order.deal_id)


async def fail_without_code(tx: Transaction, order_ids: Sequence[UUID]) -> None:
    """The time for the codes of these orders is over: what has none is refunded."""
    failed = await certificates.fail_overdue(tx, order_ids)
    if failed:
        log.warning("codes_missing", count=len(failed))
    await take_back(tx, [unit_id for unit_id, _ in failed])
    await say_failed(tx, failed)


async def say_failed(tx: Transaction, units: Iterable[tuple[UUID, UUID]]) -> None:
    """Tell checkout that these units (id and order) have no code and will get none."""
    await outbox.emit(
        tx,
        *(
            CertificateIssueFailed(occurred_at=tx.now, unit_id=unit_id, order_id=order_id)
            for unit_id, order_id in units
        ),
    )
