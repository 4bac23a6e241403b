"""Reviews of refunds. Whose turn it is is the refund's state: each statement moves it from exactly one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.checkout.domain.refunds import Refund
from services.checkout.domain.reviews import MOVES, OPEN_REVIEWS, Turn
from services.checkout.store.refunds import WITH_UNITS, refund_of
from shared.contracts.catalog import StaffRole
from shared.contracts.checkout import RefundCause
from shared.database import Row, Transaction

DECIDERS = (StaffRole.OWNER, StaffRole.MANAGER)

# Who works for whole merchants, or in one of the stores that take the order. $: the person, the roles.
_WORKS_THERE = """exists (select from staff s where s.subject = {who} and s.active and s.merchant_id = o.merchant_id
    and s.role = any({roles}) and (cardinality(s.store_ids) = 0 or s.store_ids && o.store_ids))"""


def _change(guard: str) -> str:
    """A statement that moves a refund on: $1 refund, $2 from, $3 to, $4 now."""
    return f"""update refunds r set state = $3, needs_operator_since = null,
             moving_since = case when $3 = 'APPROVED' then clock_timestamp() end,
             approved_at = case when $3 = 'APPROVED' then $4::timestamptz end
           from reviews v, orders o
           where r.refund_id = $1 and r.state = $2 and v.refund_id = r.refund_id and o.order_id = r.order_id
             and {guard}
           returning r.refund_id"""


def _moved(guard: str, changes: str) -> str:
    """Likewise, and what it changes in the review."""
    return f"with moved as ({_change(guard)}) update reviews v set {changes} from moved where v.refund_id = $1"


async def _move(tx: Transaction, statement: str, refund_id: UUID, turn: Turn, *values: object) -> bool:
    move = MOVES[turn]
    return bool(await tx.execute(statement, refund_id, move.source.value, move.target.value, tx.now, *values))


async def open_review(tx: Transaction, refund_id: UUID, merchant_id: UUID, due_at: datetime) -> bool:
    """FENCING → IN_REVIEW until `due_at`; False in any other state."""
    statement = """with moved as (
          update refunds set state = $3, needs_operator_since = null where refund_id = $1 and state = $2
          returning refund_id)
        insert into reviews (refund_id, merchant_id, opened_at, due_at) select refund_id, $5, $4, $6 from moved"""
    return await _move(tx, statement, refund_id, Turn.DISPUTED, merchant_id, due_at)


async def answer(
    tx: Transaction, refund_id: UUID, turn: Turn, by: str, reason: str | None, appeal_until: datetime | None
) -> bool:
    """IN_REVIEW → APPROVED or CONTESTED, in time and by somebody who may say so now; False otherwise."""
    guard = f"v.due_at > $4 and {_WORKS_THERE.format(who='$6', roles='$9')}"
    changes = "agreed = $5, answered_by = $6, answered_at = $4, answer_reason = $7, appeal_until = $8"
    agreed = turn is Turn.AGREED
    roles = [role.value for role in DECIDERS]
    return await _move(tx, _moved(guard, changes), refund_id, turn, agreed, by, reason, appeal_until, roles)


async def may_answer(tx: Transaction, who: str, order_id: UUID) -> bool:
    """Whether this person may answer for the merchant of an order."""
    question = f"select {_WORKS_THERE.format(who='$1', roles='$3')} from orders o where o.order_id = $2"
    return bool(await tx.value(question, who, order_id, [role.value for role in DECIDERS]))


async def approve_unanswered(tx: Transaction, refund_id: UUID) -> bool:
    """IN_REVIEW → APPROVED once its time is over; False otherwise."""
    return await _move(tx, _change("v.due_at <= $4"), refund_id, Turn.UNANSWERED)


async def appeal(tx: Transaction, refund_id: UUID, text: str) -> bool:
    """CONTESTED → IN_ARBITRATION in time; False otherwise."""
    statement = _moved("v.appeal_until > $4", "appeal_text = $5, appealed_at = $4")
    return await _move(tx, statement, refund_id, Turn.APPEALED, text)


async def uphold(tx: Transaction, refund_id: UUID, operator: str, reason: str) -> bool:
    """IN_ARBITRATION → APPROVED; False in any other state."""
    changes = "upheld = true, arbitrated_by = $5, arbitrated_at = $4, arbitration_reason = $6"
    return await _move(tx, _moved("true", changes), refund_id, Turn.UPHELD, operator, reason)


async def note_dismissal(tx: Transaction, refund_id: UUID, operator: str, reason: str) -> None:
    """Why the platform decided against the buyer. The refund itself is over already."""
    await tx.execute(
        """update reviews set upheld = false, arbitrated_by = $2, arbitrated_at = $4, arbitration_reason = $3
           where refund_id = $1""",
        refund_id,
        operator,
        reason,
        tx.now,
    )


async def by_order(tx: Transaction, refund_ids: Sequence[UUID]) -> list[UUID]:
    """These refunds in the sequence in which their orders are held, by whoever holds several."""
    rows = await tx.fetch(
        "select refund_id from refunds where refund_id = any($1) order by order_id, refund_id", list(refund_ids)
    )
    return [row["refund_id"] for row in rows]


async def approve_undelivered(tx: Transaction, refund_id: UUID) -> bool:
    """Any open review → APPROVED: its goods will not arrive. False in any other state."""
    return bool(
        await tx.execute(
            """update refunds set state = 'APPROVED', needs_operator_since = null, moving_since = clock_timestamp(),
                 approved_at = $3
               where refund_id = $1 and state = any($2)""",
            refund_id,
            [state.value for state in OPEN_REVIEWS],
            tx.now,
        )
    )


async def was_refused(tx: Transaction, order_id: UUID, unit_ids: Sequence[UUID], cause: RefundCause) -> bool:
    """Whether a review of one of these units, asked for by this cause, ended against the buyer."""
    return bool(
        await tx.value(
            """select exists (select from refunds r join reviews using (refund_id) join refund_units u using (refund_id)
                              where r.order_id = $1 and r.state = 'REFUSED' and r.cause = $3
                                and u.unit_id = any($2))""",
            order_id,
            list(unit_ids),
            cause.value,
        )
    )


async def oldest_use(tx: Transaction, order_id: UUID, unit_ids: Sequence[UUID]) -> datetime | None:
    """When the last use was made of that unit which has been used up longest."""
    moment: datetime | None = await tx.value(
        "select min(coalesce(last_used_at, used_at)) from units where order_id = $1 and unit_id = any($2)",
        order_id,
        list(unit_ids),
    )
    return moment


@dataclass(frozen=True, slots=True)
class Listed:
    """A reviewed refund as those who decide about it see it."""

    refund: Refund
    order_no: str
    title: str
    merchant_id: UUID
    merchant_name: str | None
    buyer: str


_LISTED = f"""select shown.*, o.order_no, o.title, o.merchant_id, o.buyer, m.name as merchant_name
    from ({WITH_UNITS}) shown join orders o using (order_id) left join merchants m on m.merchant_id = o.merchant_id"""


async def of_merchant(
    tx: Transaction, merchant_id: UUID, who: str, state: str | None, before: tuple[datetime, UUID] | None, limit: int
) -> list[Listed]:
    """A merchant's reviews, the newest first, as far as this person works in one of the order's stores."""
    opened_at, refund_id = before or (None, None)
    rows = await tx.fetch(
        f"""{_LISTED} where o.merchant_id = $1 and shown.refund_id in (
              select v.refund_id from reviews v join refunds r using (refund_id) join orders o using (order_id)
              where v.merchant_id = $1 and ($2::text is null or r.state = $2)
                and ($3::timestamptz is null or (v.opened_at, v.refund_id) < ($3, $4::uuid))
                and {_WORKS_THERE.format(who="$6", roles="$7")}
              order by v.opened_at desc, v.refund_id desc limit $5)
            order by shown.opened_at desc, shown.refund_id desc""",
        merchant_id,
        state,
        opened_at,
        refund_id,
        limit,
        who,
        [role.value for role in StaffRole],
    )
    return [_listed(row) for row in rows]


async def arbitrations(tx: Transaction, after: tuple[datetime, UUID] | None, limit: int) -> list[Listed]:
    """The appeals that wait for the platform, the oldest first."""
    appealed_at, refund_id = after or (None, None)
    rows = await tx.fetch(
        f"""{_LISTED} where shown.refund_id in (
              select refund_id from reviews join refunds using (refund_id)
              where appealed_at is not null and arbitrated_at is null and state = 'IN_ARBITRATION'
                and ($1::timestamptz is null or (appealed_at, refund_id) > ($1, $2::uuid))
              order by appealed_at, refund_id limit $3)
            order by shown.appealed_at, shown.refund_id""",
        appealed_at,
        refund_id,
        limit,
    )
    return [_listed(row) for row in rows]


def _listed(row: Row) -> Listed:
    names = ("order_no", "title", "merchant_id", "merchant_name", "buyer")
    return Listed(refund_of(row), **{name: row[name] for name in names})
