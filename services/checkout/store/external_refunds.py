"""Refunds found at the channel, and which refund here records each."""

from collections.abc import Sequence
from uuid import UUID

from services.checkout.domain.external_refunds import ExternalRefund
from services.checkout.domain.payments import Attempt, IncidentKind
from shared.contracts.settlement import ExternalRefundFound
from shared.database import Row, Transaction

_COLUMNS = "refund_id, order_id, attempt_id, channel_refund_no, amount_fen, refunded_at, allocated_to"


async def add(tx: Transaction, event: ExternalRefundFound, attempt_id: UUID) -> ExternalRefund | None:
    """Write it down for the first time; None if it is here already."""
    row = await tx.row(
        f"""insert into external_refunds (refund_id, order_id, attempt_id, channel_refund_no, amount_fen, refunded_at,
              found_at)
            values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning {_COLUMNS}""",
        event.refund_id,
        event.order_id,
        attempt_id,
        event.channel_refund_no,
        event.amount_fen,
        event.refunded_at,
        tx.now,
    )
    return _read(row) if row else None


async def find(tx: Transaction, refund_ids: Sequence[UUID]) -> list[ExternalRefund]:
    """Those of these that were found at the channel."""
    rows = await tx.fetch(f"select {_COLUMNS} from external_refunds where refund_id = any($1)", list(refund_ids))
    return [_read(row) for row in rows]


async def list_open(tx: Transaction, limit: int) -> list[ExternalRefund]:
    """Those for which an operator is to name the units, oldest first."""
    rows = await tx.fetch(
        f"""select {", ".join(f"e.{name}" for name in _COLUMNS.split(", "))}
            from external_refunds e join payment_incidents i on i.incident_id = e.refund_id
            where i.resolved_at is null and e.allocated_to is null order by e.found_at, e.refund_id limit $1""",
        limit,
    )
    return [_read(row) for row in rows]


async def allocate(tx: Transaction, refund_ids: Sequence[UUID], allocated_to: UUID, by: str | None) -> None:
    """This refund here records them. The caller holds the order."""
    await tx.execute(
        """update external_refunds set allocated_to = $2, allocated_by = $3, allocated_at = $4
           where refund_id = any($1) and allocated_to is null""",
        list(refund_ids),
        allocated_to,
        by,
        tx.now,
    )


async def open_incident(tx: Transaction, external: ExternalRefund, attempt: Attempt) -> None:
    """An operator is to decide, under the same id."""
    await tx.execute(
        """insert into payment_incidents (incident_id, attempt_id, kind, claimed_fen, trade_no, opened_at)
           values ($1, $2, $3, $4, $5, $6) on conflict do nothing""",
        external.refund_id,
        external.attempt_id,
        IncidentKind.EXTERNAL_REFUND.value,
        external.amount_fen,
        attempt.trade_no,
        tx.now,
    )


async def hold_refunds(tx: Transaction, order_id: UUID) -> None:
    """Nothing of this order begins to be sent until the transaction ends: the sender does not hold the order."""
    await tx.execute("select from refunds where order_id = $1 order by refund_id for update", order_id)


async def claim_units(tx: Transaction, order_id: UUID, unit_ids: Sequence[UUID]) -> int:
    """Whatever they are, used ones too, → REFUNDING; how many. The caller holds the order."""
    return await tx.execute(
        """update units set state = 'REFUNDING'
           where order_id = $1 and unit_id = any($2) and state in ('OPEN', 'USED', 'FINAL')""",
        order_id,
        list(unit_ids),
    )


def _read(row: Row) -> ExternalRefund:
    return ExternalRefund(**dict(row))
