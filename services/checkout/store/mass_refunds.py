"""Mass refunds, how far they have walked, and the refunds they opened."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from services.checkout.domain.mass_refunds import MassRefund, MassRefundState, Progress
from shared.database import Row, Transaction


async def add(tx: Transaction, mass_refund_id: UUID, deal_id: UUID, reason: str, operator: str) -> bool:
    """Write a new one, starting now; False if the id is taken."""
    return bool(
        await tx.execute(
            """insert into mass_refunds (mass_refund_id, deal_id, reason, requested_by, started_at)
               values ($1, $2, $3, $4, $5) on conflict do nothing""",
            mass_refund_id,
            deal_id,
            reason,
            operator,
            tx.now,
        )
    )


async def find(tx: Transaction, mass_refund_id: UUID) -> MassRefund | None:
    """The mass refund, if there is one."""
    row = await tx.row("select * from mass_refunds where mass_refund_id = $1", mass_refund_id)
    return _read(row) if row else None


async def page(tx: Transaction, before: tuple[datetime, UUID] | None, limit: int) -> list[MassRefund]:
    """All of them, newest first, from after the one named by `before`."""
    started_at, mass_refund_id = before or (None, None)
    rows = await tx.fetch(
        """select * from mass_refunds
           where $1::timestamptz is null or (started_at, mass_refund_id) < ($1, $2::uuid)
           order by started_at desc, mass_refund_id desc limit $3""",
        started_at,
        mass_refund_id,
        limit,
    )
    return [_read(row) for row in rows]


async def hold_running(tx: Transaction, mass_refund_id: UUID) -> MassRefund | None:
    """The mass refund, held for its next step; None if it does not run. Its key stays free: a payment that joins it
    holds an order for which this step may wait."""
    row = await tx.row(
        "select * from mass_refunds where mass_refund_id = $1 and state = 'RUNNING' for no key update", mass_refund_id
    )
    return _read(row) if row else None


async def next_orders(tx: Transaction, mass: MassRefund, limit: int) -> list[tuple[datetime, UUID]]:
    """The next orders that it covers, in the order in which they were placed."""
    placed_at, order_id = mass.walked or (None, None)
    rows = await tx.fetch(
        """select placed_at, order_id from orders
           where deal_id = $1 and placed_at <= $2
             and ($3::timestamptz is null or (placed_at, order_id) > ($3, $4::uuid))
           order by placed_at, order_id limit $5""",
        mass.deal_id,
        mass.started_at,
        placed_at,
        order_id,
        limit,
    )
    return [(row["placed_at"], row["order_id"]) for row in rows]


async def walk_on(tx: Transaction, mass_refund_id: UUID, last: tuple[datetime, UUID], orders: int) -> None:
    """So many more orders have been looked at, up to this one. The caller holds the mass refund."""
    await tx.execute(
        """update mass_refunds set walked_placed_at = $2, walked_order_id = $3, orders_walked = orders_walked + $4
           where mass_refund_id = $1""",
        mass_refund_id,
        *last,
        orders,
    )


async def finish(tx: Transaction, mass_refund_id: UUID) -> None:
    """RUNNING → DONE."""
    await tx.execute(
        "update mass_refunds set state = 'DONE', ended_at = $2 where mass_refund_id = $1 and state = 'RUNNING'",
        mass_refund_id,
        tx.now,
    )


async def stop(tx: Transaction, mass_refund_id: UUID, by: str) -> None:
    """RUNNING or DONE → STOPPED; nothing happens a second time."""
    await tx.execute(
        """update mass_refunds set state = 'STOPPED', ended_at = $2, stopped_by = $3
           where mass_refund_id = $1 and state <> 'STOPPED'""",
        mass_refund_id,
        tx.now,
        by,
    )


async def covering(tx: Transaction, deal_id: UUID, placed_at: datetime) -> UUID | None:
    """The first mass refund, not stopped, that covers an order of this deal placed at this moment."""
    found: UUID | None = await tx.value(
        """select mass_refund_id from mass_refunds where deal_id = $1 and started_at >= $2 and state <> 'STOPPED'
           order by started_at limit 1""",
        deal_id,
        placed_at,
    )
    return found


async def note_opened(tx: Transaction, mass_refund_id: UUID, opened: Mapping[UUID, int]) -> None:
    """These refunds, each of so many units, belong to it."""
    await tx.execute(
        """insert into mass_refund_refunds (mass_refund_id, refund_id, units)
           select $1, r.refund_id, r.units from unnest($2::uuid[], $3::int[]) as r (refund_id, units)
           on conflict do nothing""",
        mass_refund_id,
        list(opened),
        list(opened.values()),
    )


async def progress(tx: Transaction, mass: MassRefund) -> Progress:
    """What it has opened, and what became of that."""
    row = await tx.row(
        """select coalesce(sum(m.units), 0)::bigint as found, count(*) as opened,
             count(*) filter (where r.state = 'SUCCEEDED') as refunded,
             count(*) filter (where r.state = 'REFUSED') as refused,
             count(*) filter (where r.state = 'ABANDONED'
                              or r.state = 'FAILED' and r.needs_operator_since is not null) as failed,
             (select count(*) from orders where deal_id = $2 and state = 'PLACED' and placed_at <= $3) as unpaid
           from mass_refund_refunds m join refunds r using (refund_id) where m.mass_refund_id = $1""",
        mass.mass_refund_id,
        mass.deal_id,
        mass.started_at,
    )
    assert row is not None
    return Progress(**dict(row))


def _read(row: Row) -> MassRefund:
    fields = dict(row)
    walked = (fields.pop("walked_placed_at"), fields.pop("walked_order_id"))
    return MassRefund(
        **{**fields, "state": MassRefundState(fields["state"])}, walked=None if walked[0] is None else walked
    )
