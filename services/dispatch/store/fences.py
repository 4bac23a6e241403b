"""Refund requests as dispatch sees them: waiting for an answer, fenced, refused, lifted, closed."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from shared.database import Row, Transaction


@dataclass(frozen=True, slots=True)
class Fence:
    """One refund's hold on units of one order."""

    refund_id: UUID
    order_id: UUID
    unit_ids: tuple[UUID, ...]
    state: str
    after_use: bool = False
    by_buyer: bool = False


_COLUMNS = "refund_id, order_id, unit_ids, state, after_use, by_buyer"


def _fence(row: Row) -> Fence:
    unit_ids = tuple(row["unit_ids"])
    return Fence(
        row["refund_id"], row["order_id"], unit_ids, row["state"], after_use=row["after_use"], by_buyer=row["by_buyer"]
    )


async def ask(
    tx: Transaction, refund_id: UUID, order_id: UUID, unit_ids: Sequence[UUID], *, after_use: bool, by_buyer: bool
) -> Fence | None:
    """A new request, WAITING; None if its end came first."""
    row = await tx.row(
        f"""insert into fences (refund_id, order_id, unit_ids, state, after_use, by_buyer)
            values ($1, $2, $3, 'WAITING', $4, $5) on conflict (refund_id) do nothing returning {_COLUMNS}""",
        refund_id,
        order_id,
        list(unit_ids),
        after_use,
        by_buyer,
    )
    return _fence(row) if row else None


async def waiting(tx: Transaction, order_id: UUID) -> list[Fence]:
    """Requests of an order that have no answer yet, in the order of their ids."""
    rows = await tx.fetch(
        f"""select {_COLUMNS} from fences where order_id = $1 and state = 'WAITING'
            order by refund_id limit 20 for update""",
        order_id,
    )
    return [_fence(row) for row in rows]


async def refunded_units(tx: Transaction, order_id: UUID) -> frozenset[UUID]:
    """The units of an order whose money went back."""
    rows = await tx.fetch(
        "select distinct unnest(unit_ids) as unit_id from fences where order_id = $1 and state = 'CLOSED'", order_id
    )
    return frozenset(row["unit_id"] for row in rows)


async def answer(tx: Transaction, refund_id: UUID, state: str, code: str | None = None) -> bool:
    """WAITING → FENCED, DISPUTED or REFUSED; False if it is answered already."""
    return (
        await tx.execute(
            "update fences set state = $2, code = $3 where refund_id = $1 and state = 'WAITING'", refund_id, state, code
        )
        == 1
    )


async def end(tx: Transaction, refund_id: UUID, order_id: UUID, unit_ids: Sequence[UUID], state: str) -> str | None:
    """LIFTED or CLOSED, by checkout's final word, whether or not the request was ever seen. Returns what it was before;
    None if it was never seen. The caller holds the order."""
    before: str | None = await tx.value("select state from fences where refund_id = $1", refund_id)
    await tx.execute(
        """insert into fences (refund_id, order_id, unit_ids, state) values ($1, $2, $3, $4)
           on conflict (refund_id) do update set state = excluded.state, unit_ids = excluded.unit_ids""",
        refund_id,
        order_id,
        list(unit_ids),
        state,
    )
    return before


async def last_closed(tx: Transaction, order_id: UUID) -> UUID:
    """The refund that completed an order's refunds."""
    refund_id: UUID = await tx.value(
        "select refund_id from fences where order_id = $1 and state = 'CLOSED' order by changed_at desc limit 1",
        order_id,
    )
    return refund_id
