"""What redemption remembers of checkout's refunds, also of those that are ahead of their order."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from shared.database import Row, Transaction


class RefundState(StrEnum):
    """WAITING: asked for before the order was here, a tombstone for its units."""

    WAITING = "WAITING"
    FENCED = "FENCED"
    DISPUTED = "DISPUTED"
    REFUSED = "REFUSED"
    SUCCEEDED = "SUCCEEDED"
    ABANDONED = "ABANDONED"


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund as redemption answered it."""

    refund_id: UUID
    order_id: UUID
    unit_ids: tuple[UUID, ...]
    state: RefundState
    code: str | None
    after_use: bool = False


async def add(
    tx: Transaction,
    refund_id: UUID,
    order_id: UUID,
    unit_ids: tuple[UUID, ...],
    state: RefundState,
    *,
    after_use: bool = False,
) -> Refund | None:
    """Remember a refund for the first time. Returns None if it is known already."""
    return _refund(
        await tx.row(
            """insert into refunds (refund_id, order_id, unit_ids, state, after_use) values ($1, $2, $3, $4, $5)
               on conflict do nothing returning *""",
            refund_id,
            order_id,
            sorted(set(unit_ids)),
            state.value,
            after_use,
        )
    )


async def find(tx: Transaction, refund_id: UUID) -> Refund | None:
    """A refund that was asked for, or ended, before."""
    return _refund(await tx.row("select * from refunds where refund_id = $1", refund_id))


async def waiting_for(tx: Transaction, order_id: UUID) -> list[Refund]:
    """The refunds that were ahead of their order."""
    rows = await tx.fetch("select * from refunds where order_id = $1 and state = 'WAITING' order by 1", order_id)
    return [refund for refund in map(_refund, rows) if refund is not None]


async def move(
    tx: Transaction, refund_id: UUID, before: RefundState, after: RefundState, code: str | None = None
) -> bool:
    """Record the next state of a refund. Returns False, changing nothing, if it was not in the state before."""
    moved = await tx.execute(
        """update refunds set state = $3, code = coalesce($4, code), changed_at = now()
           where refund_id = $1 and state = $2""",
        refund_id,
        before.value,
        after.value,
        code,
    )
    return moved == 1


def _refund(row: Row | None) -> Refund | None:
    if row is None:
        return None
    state = RefundState(row["state"])
    return Refund(
        row["refund_id"], row["order_id"], tuple(row["unit_ids"]), state, row["code"], after_use=row["after_use"]
    )
