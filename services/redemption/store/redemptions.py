"""Redemptions and their uses: the statement that decides, and what is read of it later."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.redemption.domain.certificates import REDEEMERS
from services.redemption.domain.redemptions import Attempt, Redemption, Use
from services.redemption.store.copies import SUSPENDED
from shared.contracts.settlement import PaidUse
from shared.database import Row, Transaction

# Everything that redeeming depends on and that can change is tested here, on the newest version of each locked row;
# whoever loses the race for a certificate (a refund's fence, a recall, another till) finds it no longer VALID and the
# whole attempt grants nothing.
_DECIDE = f"""
with usable as materialized (
    select c.unit_id from certificates c
    join orders o on o.order_id = c.order_id
    join stores s on s.store_id = $3 and s.merchant_id = o.merchant_id and s.open
    where c.unit_id = any($6::uuid[]) and c.order_id = $2 and c.state = 'VALID' and c.uses_left > 0
      and o.starts_at <= $8 and o.until > $8 and $3 = any(o.store_ids)
      and not {SUSPENDED.format(of="o")}
      and (o.merchant_id = $11 or exists (
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
    set uses_left = c.uses_left - 1, state = case c.uses_left when 1 then 'USED' else 'VALID' end, changed_at = now()
    from usable, redeemed where c.unit_id = usable.unit_id
    returning c.unit_id, cardinality(c.use_values_fen) - c.uses_left as use_no, c.use_values_fen
)
insert into uses (use_id, unit_id, use_no, redemption_id, paid_fen)
select given.use_id, spent.unit_id, spent.use_no, $1, spent.use_values_fen[spent.use_no]
from spent join unnest($6::uuid[], $7::uuid[]) as given (unit_id, use_id) using (unit_id)
returning use_id
"""

_REDEMPTION = """
select r.*, o.merchant_id, o.title, u.use_id, u.unit_id, u.use_no, c.sealed_code
from redemptions r join orders o using (order_id) join uses u using (redemption_id) join certificates c using (unit_id)
"""


async def decide(
    tx: Transaction,
    attempt: Attempt,
    order_id: UUID,
    use_ids: Sequence[UUID],
    reversible_until: datetime,
    reported_by: UUID | None = None,
) -> bool:
    """Use every certificate of the attempt once, or change nothing and return False.

    `attempt.unit_ids` are sorted and belong to `order_id`; `use_ids` stand in the same order. `reported_by`: this
    merchant has signed that its own till took them."""
    used = await tx.fetch(
        _DECIDE,
        attempt.redemption_id,
        order_id,
        attempt.store_id,
        attempt.operator,
        attempt.device_id,
        list(attempt.unit_ids),
        list(use_ids),
        tx.now,
        reversible_until,
        [role.value for role in REDEEMERS],
        reported_by,
    )
    return bool(used)


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
             returning u.use_id, u.unit_id, u.use_no, u.redemption_id)
           select r.*, o.merchant_id, o.title, final.use_id, final.unit_id, final.use_no, null as sealed_code
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
             and not exists (select from uses u where u.unit_id = c.unit_id and u.state <> 'SETTLED')""",
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
        uses=tuple(Use(row["use_id"], row["unit_id"], row["use_no"], row["sealed_code"]) for row in rows),
    )
