"""Refunds and the units they cover."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from uuid import UUID

from services.checkout.domain.orders import UnitState
from services.checkout.domain.refunds import Refund, RefundState, Review
from services.checkout.domain.timeline import What
from services.checkout.store.orders import USES_LEFT
from shared.database import Row, Transaction

_PLAIN = (
    "refund_id", "order_id", "attempt_id", "cause", "amount_fen", "reason", "requested_by", "requested_at",
    "succeeded_at", "refused_code", "tries",
)  # fmt: skip
_COLUMNS = f"state, {', '.join(_PLAIN)}"
_REVIEW = tuple(field.name for field in fields(Review))
WITH_UNITS = f"""select {_COLUMNS}, approved_at, {", ".join(_REVIEW)},
    array(select unit_id from refund_units u where u.refund_id = r.refund_id order by unit_id) as unit_ids,
    array(select amount_fen from refund_units u where u.refund_id = r.refund_id order by unit_id) as amounts,
    (select jsonb_object_agg(unit_id, use_nos) from refund_units u
     where u.refund_id = r.refund_id and use_nos is not null) as use_nos
    from refunds r left join reviews v using (refund_id)"""


async def add_refund(tx: Transaction, refund: Refund) -> bool:
    """Write a new refund with its units; False if the id is taken. Raises UniqueViolationError when a unit already
    has a live refund: the caller holds the order and has looked, so that would be a bug."""
    added = await tx.value(
        """with added as (
              insert into refunds (refund_id, order_id, attempt_id, cause, state, amount_fen, reason, requested_by,
                requested_at, succeeded_at, refused_code, tries, moving_since, approved_at)
              values ($1, $2, $3, $4, $5, $6, $7, $8, $9::timestamptz, null, null, 0,
                      case when $5 = 'APPROVED' then clock_timestamp() end,
                      case when $5 = 'APPROVED' then $9::timestamptz end)
              on conflict (refund_id) do nothing returning refund_id),
            covered as (
              insert into refund_units (refund_id, unit_id, amount_fen)
              select added.refund_id, u.unit_id, u.amount_fen
              from added, unnest($10::uuid[], $11::bigint[]) as u (unit_id, amount_fen))
            select true from added""",
        refund.refund_id,
        refund.order_id,
        refund.attempt_id,
        refund.cause,
        refund.state.value,
        refund.amount_fen,
        refund.reason,
        refund.requested_by,
        refund.requested_at,
        list(refund.units),
        list(refund.units.values()),
    )
    return bool(added)


async def find_refund(tx: Transaction, refund_id: UUID) -> Refund | None:
    """The refund, if there is one."""
    row = await tx.row(f"{WITH_UNITS} where refund_id = $1", refund_id)
    return refund_of(row) if row else None


async def refunds_of(tx: Transaction, order_ids: Sequence[UUID]) -> dict[UUID, list[Refund]]:
    """The refunds of each of these orders, oldest first."""
    rows = await tx.fetch(f"{WITH_UNITS} where order_id = any($1) order by requested_at, refund_id", list(order_ids))
    refunds: dict[UUID, list[Refund]] = {order_id: [] for order_id in order_ids}
    for row in rows:
        refunds[row["order_id"]].append(refund_of(row))
    return refunds


async def list_stuck(tx: Transaction, limit: int) -> list[Refund]:
    """Refunds that wait for an operator, oldest first."""
    rows = await tx.fetch(
        f"""{WITH_UNITS} where needs_operator_since is not null and state in ('FENCING', 'FAILED')
            order by needs_operator_since, refund_id limit $1""",
        limit,
    )
    return [refund_of(row) for row in rows]


async def fence_units(tx: Transaction, order_id: UUID, unit_ids: Sequence[UUID], states: Collection[UnitState]) -> int:
    """One of these states → REFUNDING; how many."""
    return await tx.execute(
        "update units set state = 'REFUNDING' where order_id = $1 and unit_id = any($2) and state = any($3)",
        order_id,
        list(unit_ids),
        [state.value for state in states],
    )


async def noted(
    tx: Transaction, order_id: UUID, unit_ids: Collection[UUID], whats: Collection[What]
) -> list[tuple[UUID, What]]:
    """What of this kind the timeline says about these units; the kinds in the order given."""
    rows = await tx.fetch(
        """select about, what from order_timeline where order_id = $1 and what = any($2) and about = any($3)
           order by array_position($2, what), about""",
        order_id,
        [what.value for what in whats],
        [str(unit_id) for unit_id in unit_ids],
    )
    return [(UUID(row["about"]), What(row["what"])) for row in rows]


async def approve(
    tx: Transaction, refund_id: UUID, amounts: Mapping[UUID, int], use_nos: Mapping[UUID, Sequence[int]]
) -> bool:
    """FENCING → APPROVED with the amounts for the uses that are left, and their numbers as far as they were told; False
    in any other state."""
    approved = await tx.value(
        """update refunds set state = 'APPROVED', amount_fen = $2, needs_operator_since = null,
             moving_since = clock_timestamp(), approved_at = $3
           where refund_id = $1 and state = 'FENCING' returning true""",
        refund_id,
        sum(amounts.values()),
        tx.now,
    )
    if approved:
        await tx.execute(
            """update refund_units r set amount_fen = u.amount_fen,
                 use_nos = (select array_agg(no::int) from jsonb_array_elements_text($4::jsonb -> u.unit_id::text) no)
               from unnest($2::uuid[], $3::bigint[]) as u (unit_id, amount_fen)
               where r.refund_id = $1 and r.unit_id = u.unit_id""",
            refund_id,
            list(amounts),
            list(amounts.values()),
            {str(unit_id): list(nos) for unit_id, nos in use_nos.items()},
        )
    return bool(approved)


async def give_up(
    tx: Transaction, refund_id: UUID, state: RefundState, after: Sequence[RefundState], code: str | None, by: str | None
) -> bool:
    """End a refund without money moving: its units go back to what they are without it. False if it is not in one of
    `after`."""
    ended = await tx.value(
        """update refunds set state = $2, refused_code = coalesce($4, refused_code), abandoned_by = $5,
             needs_operator_since = null
           where refund_id = $1 and state = any($3) returning true""",
        refund_id,
        state.value,
        [one.value for one in after],
        code,
        by,
    )
    if ended:
        await tx.execute(
            f"""with released as (
                  update refund_units set released = true where refund_id = $1 returning unit_id)
                update units u set state = case when {USES_LEFT} > 0 then 'OPEN'
                                                when u.uses_final >= jsonb_array_length(u.uses) then 'FINAL'
                                                else 'USED' end
                from released where u.unit_id = released.unit_id and u.state = 'REFUNDING'""",
            refund_id,
        )
    return bool(ended)


async def start_sending(tx: Transaction, refund_id: UUID) -> RefundState | None:
    """Commit the intent: APPROVED or FAILED → SENT. The state before; SENT and UNKNOWN stay what they are, because
    their money may be under way. None when there is nothing to send."""
    before: str | None = await tx.value(
        """with before as (select refund_id, state from refunds where refund_id = $1
                           and state in ('APPROVED', 'FAILED', 'SENT', 'UNKNOWN') for update)
           update refunds r set tries = tries + 1, needs_operator_since = null,
             state = case when before.state in ('APPROVED', 'FAILED') then 'SENT' else before.state end
           from before where r.refund_id = before.refund_id returning before.state""",
        refund_id,
    )
    return RefundState(before) if before else None


async def succeed(tx: Transaction, refund_id: UUID, at: datetime) -> int | None:
    """SENT or UNKNOWN → SUCCEEDED: the units are refunded and count in the order's sum. Returns how many of them are
    for sale again, None if the refund was not sent. What was used up, delivered or with a rider stays sold: the table
    was eaten at and the goods have left, unless the rider brought them back."""
    for_sale: int | None = await tx.value(
        f"""with done as (
             update refunds set state = 'SUCCEEDED', succeeded_at = $2, refused_code = null
             where refund_id = $1 and state in ('SENT', 'UNKNOWN') returning refund_id, order_id, cause),
           gone as (
             select o.parcel_state is distinct from 'FAILED'
                    and exists (select from reviews v where v.refund_id = done.refund_id) as has_left
             from done join orders o using (order_id)),
           units_done as (
             update units u set state = 'REFUNDED' from refund_units r, done, gone
             where r.refund_id = done.refund_id and u.unit_id = r.unit_id and u.state = 'REFUNDING'
             returning u.unit_id, done.cause = 'AFTER_USE' or gone.has_left or {USES_LEFT} <= 0 as stays_sold),
           sold as (
             update refund_units r set stays_sold = true from units_done u
             where r.refund_id = $1 and r.unit_id = u.unit_id and u.stays_sold),
           summed as (
             update orders o set refunded_fen = o.refunded_fen + s.amount_fen
             from (select coalesce(sum(r.amount_fen), 0) as amount_fen
                   from refund_units r, done where r.refund_id = done.refund_id) s, done
             where o.order_id = done.order_id and s.amount_fen > 0)
           select (select count(*) from units_done where not stays_sold) from done""",
        refund_id,
        at,
    )
    return for_sale


async def mark_unknown(tx: Transaction, refund_id: UUID) -> None:
    """SENT → UNKNOWN."""
    await tx.execute("update refunds set state = 'UNKNOWN' where refund_id = $1 and state = 'SENT'", refund_id)


async def mark_failed(tx: Transaction, refund_id: UUID, code: str, *, needs_operator: bool) -> None:
    """SENT or UNKNOWN → FAILED: the channel definitely refused."""
    await tx.execute(
        """update refunds set state = 'FAILED', refused_code = $2,
             needs_operator_since = case when $3 then $4::timestamptz end
           where refund_id = $1 and state in ('SENT', 'UNKNOWN')""",
        refund_id,
        code,
        needs_operator,
        tx.now,
    )


async def flag_unfenced(tx: Transaction, refund_ids: Sequence[UUID]) -> None:
    """Refunds whose fence never answered wait for an operator."""
    await tx.execute(
        "update refunds set needs_operator_since = $2 where refund_id = any($1) and state = 'FENCING'",
        list(refund_ids),
        tx.now,
    )


def refund_of(row: Row) -> Refund:
    """A row of WITH_UNITS, checked."""
    values = {name: row[name] for name in (*_PLAIN, "approved_at")}
    said = {name: row[name] for name in _REVIEW}
    return Refund(
        **{**values, "state": RefundState(row["state"])},
        units=dict(zip(row["unit_ids"], row["amounts"], strict=True)),
        review=None if row["opened_at"] is None else Review(**said),
        use_nos={UUID(unit_id): tuple(nos) for unit_id, nos in (row["use_nos"] or {}).items()},
    )
