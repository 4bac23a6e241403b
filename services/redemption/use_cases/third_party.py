"""Third-party codes: a certificate waits for its code, and fails when none comes in time."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from services.redemption.store import certificates
from shared.contracts.redemption import CertificateIssueFailed
from shared.database import Transaction
from shared.messaging import outbox, timers
from shared.observability import log

CODES_OVERDUE = "codes_overdue"


async def wait_for_codes(tx: Transaction, order_id: UUID, until: datetime) -> None:
    """The codes of this order may come until then."""
    await timers.schedule(tx, CODES_OVERDUE, order_id, until)


async def fail_without_code(tx: Transaction, order_ids: Sequence[UUID]) -> None:
    """The time for the codes of these orders is over: what has none is refunded."""
    failed = await certificates.fail_overdue(tx, order_ids)
    if failed:
        log.warning("codes_missing", count=len(failed))
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
