"""Disputed uses: a mark on what no run has claimed, and a row per dispute, which may end before it is heard of."""

from collections.abc import Sequence
from uuid import UUID

from shared.database import Transaction


async def open_dispute(tx: Transaction, refund_id: UUID, order_id: UUID, unit_ids: Sequence[UUID]) -> bool:
    """Remember a dispute; False if it is known, or over, already."""
    return bool(
        await tx.execute(
            "insert into disputes (refund_id, order_id, unit_ids) values ($1, $2, $3) on conflict do nothing",
            refund_id,
            order_id,
            list(unit_ids),
        )
    )


async def close_dispute(tx: Transaction, refund_id: UUID, order_id: UUID, unit_ids: Sequence[UUID]) -> None:
    """Remember that a dispute is over, whether or not it was heard of."""
    await tx.execute(
        """insert into disputes (refund_id, order_id, unit_ids, closed) values ($1, $2, $3, true)
           on conflict (refund_id) do update set closed = true, changed_at = now()""",
        refund_id,
        order_id,
        list(unit_ids),
    )


async def hold(tx: Transaction, refund_id: UUID, unit_ids: Sequence[UUID]) -> None:
    """Mark whatever of these units no run has claimed yet. No run begins while this is not committed."""
    await tx.execute("select pg_advisory_xact_lock_shared(hashtextextended('settlement.run', 0))")
    await tx.execute(
        """update uses u set disputed_by = $1, changed_at = now()
           from (select unit_id, use_no from uses where unit_id = any($2) and state in ('HELD', 'USED', 'FINAL')
                 order by unit_id, use_no for update) h
           where u.unit_id = h.unit_id and u.use_no = h.use_no""",
        refund_id,
        list(unit_ids),
    )


async def let_go(tx: Transaction, refund_id: UUID) -> None:
    """Take the mark away: the next run pays."""
    await tx.execute(
        """update uses u set disputed_by = null, changed_at = now()
           from (select unit_id, use_no from uses where disputed_by = $1 order by unit_id, use_no for update) h
           where u.unit_id = h.unit_id and u.use_no = h.use_no""",
        refund_id,
    )


async def knows_units(tx: Transaction, unit_ids: Sequence[UUID]) -> bool:
    """Whether the order of these units has arrived."""
    return bool(
        await tx.value("select count(distinct unit_id) = $2 from uses where unit_id = any($1)", list(unit_ids),
                       len(set(unit_ids)))
    )  # fmt: skip
