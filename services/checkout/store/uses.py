"""What redemption has told of the uses of units, in whatever order it came."""

from datetime import datetime
from uuid import UUID

from services.checkout.domain.orders import UnitState
from shared.database import Transaction


async def hear_use(
    tx: Transaction, order_id: UUID, unit_id: UUID, use_no: int, version: int, used_at: datetime | None
) -> bool:
    """Keep the newest that is told of one use of a unit: made at this moment, or (None) reversed. False if that was
    known, or something newer. The caller holds the order."""
    return bool(
        await tx.execute(
            """insert into heard_uses as h (unit_id, use_no, version, used_at)
               select unit_id, $3, $4, $5 from units where unit_id = $2 and order_id = $1
               on conflict (unit_id, use_no) do update set version = excluded.version, used_at = excluded.used_at
               where h.version < excluded.version""",
            order_id,
            unit_id,
            use_no,
            version,
            used_at,
        )
    )


async def count_uses(tx: Transaction, unit_id: UUID, use_no: int) -> UnitState | None:
    """What was heard of one use now counts in its unit: USED with its last use, OPEN with one left. While a refund
    waits for its fence the state stays REFUNDING and the use is remembered. Returns the state; None if there is no such
    unit."""
    state: str | None = await tx.value(
        """with told as (
             select min(used_at) as first, max(used_at) as last, coalesce(bool_or(use_no = $2), false) as made
             from heard_uses where unit_id = $1 and used_at is not null),
           counted as (
             select told.*, array_remove(used_nos, $2) || case when made then array[$2::int] else '{}' end as nos
             from told, units where unit_id = $1)
           update units u set used_nos = nos,
             used_at = case when nos <> '{}' then coalesce(first, u.used_at) end,
             last_used_at = case when nos <> '{}' then coalesce(last, u.last_used_at) end,
             state = case when u.state not in ('OPEN', 'USED') then u.state
                          when cardinality(nos) >= jsonb_array_length(uses) then 'USED' else 'OPEN' end
           from counted where u.unit_id = $1 returning u.state""",
        unit_id,
        use_no,
    )
    return None if state is None else UnitState(state)


async def count_final_use(tx: Transaction, unit_id: UUID, use_no: int, version: int) -> None:
    """This use of a unit, which was heard of, can no longer be reversed, and counts once; the unit is FINAL with its
    last one."""
    await tx.execute(
        """with final as (
             update heard_uses set is_final = true
             where unit_id = $1 and use_no = $2 and version = $3 and not is_final returning unit_id)
           update units u set uses_final = uses_final + 1,
             state = case when state in ('OPEN', 'USED') and uses_final + 1 >= jsonb_array_length(uses) then 'FINAL'
                          else state end
           from final where u.unit_id = final.unit_id""",
        unit_id,
        use_no,
        version,
    )
