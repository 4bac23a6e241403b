"""Redemptions and their uses: the statement that decides, and what is read of it later."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.redemption.domain.certificates import REDEEMERS, Order
from services.redemption.domain.redemptions import Attempt, Redemption, Use
from services.redemption.store.copies import SUSPENDED
from shared.contracts.redemption import CertificateUsed
from shared.contracts.settlement import PaidUse
from shared.database import Row, Transaction
from shared.messaging import outbox, timers

# Everything that redeeming depends on and that can change is tested here, on the newest version of each locked row;
# whoever loses the race for a certificate (a refund's fence, a recall, another till) finds it no longer VALID and the
# whole attempt grants nothing. What follows from the decision is written by the same statement: uses, the events that
# tell of them, and the timer that makes them final. It is one round trip, alone or in a transaction (ADR 0014).
_DECIDE = f"""
with usable as materialized (
    select c.unit_id, c.use_values_fen, c.sealed_code, c.reversals as cycle,
           coalesce(c.freed_nos[1], cardinality(c.use_values_fen) - c.uses_left + 1) as use_no
    from certificates c
    join orders o on o.order_id = c.order_id
    join stores s on s.store_id = $3 and s.merchant_id = o.merchant_id and s.open
    where c.unit_id = any($6::uuid[]) and c.order_id = $2 and c.state = 'VALID' and c.uses_left > 0
      and o.starts_at <= $8 and o.until > $8 and $3 = any(o.store_ids)
      and not {SUSPENDED.format(of="o")}
      and (o.merchant_id = $17 or exists (
        select from staff where subject = $4 and active and staff.merchant_id = o.merchant_id
          and role = any($10) and (cardinality(staff.store_ids) = 0 or $3 = any(staff.store_ids))))
    order by c.unit_id for update of c
), granted as (
    select from usable having count(*) = cardinality($6::uuid[])
), redeemed as (
    insert into redemptions (redemption_id, order_id, store_id, store_name, operator, device_id, unit_ids, used_at,
        reversible_until)
    select $1, $2, $3, s.name, $4, $5, $6, $8, $9 from granted, stores s where s.store_id = $3
    on conflict (redemption_id) do nothing
    returning redemption_id
), spent as (
    update certificates c
    set uses_left = c.uses_left - 1, freed_nos = c.freed_nos[2:],
        state = case c.uses_left when 1 then 'USED' else 'VALID' end, changed_at = now()
    from usable, redeemed where c.unit_id = usable.unit_id
    returning c.unit_id
), given as (
    select * from unnest($6::uuid[], $7::uuid[], $11::uuid[], $12::jsonb[]) as g (unit_id, use_id, event_id, payload)
), made as (
    insert into uses (use_id, unit_id, use_no, cycle, redemption_id, paid_fen)
    select given.use_id, unit_id, use_no, cycle, $1, use_values_fen[use_no]
    from spent join usable using (unit_id) join given using (unit_id)
    returning use_id, unit_id, use_no, cycle
), told as (
    select event_id, $13::text, made.use_id::text, 1::bigint,
           convert_to((payload || jsonb_build_object('use_no', use_no, 'cycle', cycle))::text, 'UTF8'), $14::jsonb
    from made join given using (unit_id)
), {outbox.emitting("told")}, due as (
    select $15::text, redemption_id::text, $9::timestamptz, $16::jsonb from redeemed
), timed as (
    {timers.scheduling("due")}
)
select made.use_id, unit_id, made.use_no, made.cycle, sealed_code
from made join usable using (unit_id) order by unit_id
"""

USE_FINAL = "use_final"

_REDEMPTION = """
select r.*, o.merchant_id, o.title, u.use_id, u.unit_id, u.use_no, u.cycle, c.sealed_code, v.reversed_at
from redemptions r join orders o using (order_id) join uses u using (redemption_id) join certificates c using (unit_id)
left join reversals v on v.reversal_id = u.reversal_id
"""


async def decide(
    tx: Transaction,
    attempt: Attempt,
    order: Order,
    used: Sequence[CertificateUsed],
    reversible_until: datetime,
    reported_by: UUID | None = None,
) -> Redemption | None:
    """Use every certificate of the attempt once, say so, and set the timer; or change nothing and return None.

    `attempt.unit_ids` are sorted; `used` are the events, in the same order, but for the number and the cycle of each
    use, which only the statement knows. `reported_by`: this merchant has signed that its own till took them."""
    rows = await tx.fetch(
        _DECIDE,
        attempt.redemption_id,
        order.order_id,
        attempt.store_id,
        attempt.operator,
        attempt.device_id,
        list(attempt.unit_ids),
        [event.use_id for event in used],
        tx.now,
        reversible_until,
        [role.value for role in REDEEMERS],
        [event.event_id for event in used],
        [event.model_dump(mode="json") for event in used],
        CertificateUsed.topic,
        outbox.emitted(tx),
        USE_FINAL,
        timers.scheduled(tx),
        reported_by,
    )
    if not rows:
        return None
    return Redemption(
        attempt=attempt,
        order_id=order.order_id,
        merchant_id=order.merchant_id,
        title=order.title,
        used_at=tx.now,
        reversible_until=reversible_until,
        uses=tuple(_use(row) for row in rows),
    )


async def find(tx: Transaction, redemption_id: UUID) -> Redemption | None:
    """A redemption and its uses."""
    rows = await tx.fetch(f"{_REDEMPTION} where r.redemption_id = $1 order by u.unit_id", redemption_id)
    return _redemptions(rows)[0] if rows else None


async def page_of_store(
    tx: Transaction, store_id: UUID, before: tuple[datetime, UUID] | None, limit: int
) -> list[Redemption]:
    """The redemptions of a store, newest first, from before the one named on."""
    used_before, id_before = before or (None, None)
    rows = await tx.fetch(
        f"""{_REDEMPTION} where r.redemption_id = any(array(
              select redemption_id from redemptions
              where store_id = $1 and ($2::timestamptz is null or (used_at, redemption_id) < ($2, $3::uuid))
              order by used_at desc, redemption_id desc limit $4))
            order by r.used_at desc, r.redemption_id desc, u.unit_id""",
        store_id,
        used_before,
        id_before,
        limit,
    )
    return _redemptions(rows)


async def finalise(tx: Transaction, redemption_ids: Sequence[UUID]) -> list[Redemption]:
    """Make the uses of these redemptions final whose moment has come. Returns what became final."""
    rows = await tx.fetch(
        """with final as (
             update uses u set state = 'FINAL', changed_at = now() from redemptions r
             where u.redemption_id = r.redemption_id and r.redemption_id = any($1) and u.state = 'USED'
               and r.reversible_until <= $2
             returning u.use_id, u.unit_id, u.use_no, u.cycle, u.redemption_id)
           select r.*, o.merchant_id, o.title, final.use_id, final.unit_id, final.use_no, final.cycle
           from final join redemptions r using (redemption_id) join orders o using (order_id)
           order by r.redemption_id, final.unit_id""",
        list(redemption_ids),
        tx.now,
    )
    return _redemptions(rows)


async def settle(tx: Transaction, paid: Sequence[PaidUse]) -> int:
    """Mark final uses as paid out, and certificates whose every use is; a disputed one will be, should it ever be what
    it was. Returns how many of the uses named are known here and still wait to be final."""
    units, numbers = [use.unit_id for use in paid], [use.use_no for use in paid]
    await tx.execute(
        """update uses u set state = 'SETTLED', changed_at = now()
           from unnest($1::uuid[], $2::int[]) as paid (unit_id, use_no)
           where u.unit_id = paid.unit_id and u.use_no = paid.use_no and u.state = 'FINAL'""",
        units,
        numbers,
    )
    await tx.execute(
        """update certificates c set changed_at = now(),
             state = case when c.state = 'USED' then 'SETTLED' else c.state end,
             state_before = case when c.state = 'DISPUTED' then 'SETTLED' end
           where c.unit_id = any($1) and (c.state = 'USED' or c.state = 'DISPUTED' and c.state_before = 'USED')
             and not exists (select from uses u
                             where u.unit_id = c.unit_id and u.state not in ('SETTLED', 'REVERSED'))""",
        units,
    )
    waiting: int = await tx.value(
        """select count(*) from unnest($1::uuid[], $2::int[]) as paid (unit_id, use_no)
           join certificates using (unit_id)
           where not exists (select from uses u
                             where u.unit_id = paid.unit_id and u.use_no = paid.use_no and u.state = 'SETTLED')""",
        units,
        numbers,
    )
    return waiting


def _redemptions(rows: Sequence[Row]) -> list[Redemption]:
    grouped: dict[UUID, list[Row]] = {}
    for row in rows:
        grouped.setdefault(row["redemption_id"], []).append(row)
    return [_redemption(same) for same in grouped.values()]


def _redemption(rows: Sequence[Row]) -> Redemption:
    first = rows[0]
    return Redemption(
        attempt=Attempt(
            redemption_id=first["redemption_id"],
            operator=first["operator"],
            store_id=first["store_id"],
            device_id=first["device_id"],
            unit_ids=tuple(first["unit_ids"]),
        ),
        order_id=first["order_id"],
        merchant_id=first["merchant_id"],
        title=first["title"],
        used_at=first["used_at"],
        reversible_until=first["reversible_until"],
        uses=tuple(_use(row) for row in rows),
    )


def _use(row: Row) -> Use:
    return Use(
        use_id=row["use_id"],
        unit_id=row["unit_id"],
        use_no=row["use_no"],
        sealed_code=row.get("sealed_code"),
        cycle=row["cycle"],
        reversed_at=row.get("reversed_at"),
    )
