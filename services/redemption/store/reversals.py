"""Uses that were undone: the statement that decides, and what is read of it later."""

from collections.abc import Sequence
from uuid import UUID

from services.redemption.domain.certificates import READERS, REDEEMERS, CertificateState
from services.redemption.domain.redemptions import Use
from services.redemption.domain.reversals import (
    REVERSALS_MAX,
    REVERSIBLE,
    Reversal,
    ReversalAttempt,
    Situation,
    Undoable,
    UseState,
)
from shared.contracts.catalog import StaffRole
from shared.database import Row, Transaction

# The store may be closed meanwhile, or belong to somebody else: a mistake is undone by the people of whoever made it.
_WORKS_THERE = """exists (select from staff where subject = {subject} and active and staff.merchant_id = o.merchant_id
    and role = any({roles}) and (cardinality(staff.store_ids) = 0 or r.store_id = any(staff.store_ids)))"""

# A use that was refunded at the channel itself stays used (ADR 0012): given back, it would be used for nothing.
_MONEY_BACK = """exists (select from refunds f where f.order_id = c.order_id and f.state = 'SUCCEEDED'
    and c.unit_id = any(f.unit_ids))"""

# As in verify, all that can change is tested on the newest version of the locked rows, certificates in the order of
# their ids: whoever comes second (a dispute, a fence, another reversal, the moment at which uses become final) finds
# the use undone, or this finds it gone.
_DECIDE = f"""
with undone as materialized (
    select u.use_id, u.unit_id, u.use_no from redemptions r
    join orders o on o.order_id = r.order_id
    join uses u on u.redemption_id = r.redemption_id join certificates c on c.unit_id = u.unit_id
    where r.redemption_id = $2 and u.use_id = any($3::uuid[]) and u.state = 'USED' and r.reversible_until > $4
      and c.state = any($5) and c.reversals < {REVERSALS_MAX}
      and not {_MONEY_BACK} and {_WORKS_THERE.format(subject="$6", roles="$7")}
    order by c.unit_id for update of c, u
), granted as (
    select from undone having count(*) = cardinality($3::uuid[]) and count(*) > 0
), noted as (
    insert into reversals (reversal_id, redemption_id, operator, device_id, reason, asked_use_ids, reversed_at)
    select $1, $2, $6, $8, $9, $10, $4 from granted
    on conflict (reversal_id) do nothing
    returning reversal_id
), reversed as (
    update uses u set state = 'REVERSED', reversal_id = noted.reversal_id, changed_at = now()
    from undone, noted where u.use_id = undone.use_id
)
update certificates c
set uses_left = c.uses_left + 1, reversals = c.reversals + 1, changed_at = now(),
    freed_nos = array(select no from unnest(c.freed_nos || undone.use_no) as n (no) order by no),
    state = case c.state when 'USED' then 'VALID' else c.state end
from undone, noted where c.unit_id = undone.unit_id
returning c.unit_id, c.state
"""

_REVERSAL = """
select v.*, r.order_id, r.store_id, r.used_at, o.merchant_id, u.use_id, u.unit_id, u.use_no, u.cycle, c.sealed_code
from reversals v join redemptions r using (redemption_id) join orders o using (order_id)
join uses u using (reversal_id) join certificates c using (unit_id)
where v.reversal_id = $1 order by u.unit_id
"""


async def situation(tx: Transaction, redemption_id: UUID, caller: str) -> Situation | None:
    """A redemption's uses as they stand, for the staff of its store."""
    rows = await tx.fetch(
        f"""select r.order_id, r.store_id, r.reversible_until, o.merchant_id, u.use_id, u.unit_id, u.state,
              c.state as certificate, c.reversals, {_MONEY_BACK} as money_back,
              {_WORKS_THERE.format(subject="$2", roles="$3")} as may_reverse
            from redemptions r join orders o using (order_id)
            join uses u using (redemption_id) join certificates c using (unit_id)
            where redemption_id = $1 and {_WORKS_THERE.format(subject="$2", roles="$4")} order by u.unit_id""",
        redemption_id,
        caller,
        _values(REDEEMERS),
        _values(READERS),
    )
    if not rows:
        return None
    return Situation(
        order_id=rows[0]["order_id"],
        merchant_id=rows[0]["merchant_id"],
        store_id=rows[0]["store_id"],
        reversible_until=rows[0]["reversible_until"],
        may_reverse=rows[0]["may_reverse"],
        uses=tuple(_undoable(row) for row in rows),
    )


async def decide(
    tx: Transaction, attempt: ReversalAttempt, use_ids: Sequence[UUID]
) -> dict[UUID, CertificateState] | None:
    """USED → REVERSED for all of these uses, whose certificates have them back; or change nothing and return None.
    Returns the certificates with their states."""
    rows = await tx.fetch(
        _DECIDE,
        attempt.reversal_id,
        attempt.redemption_id,
        list(use_ids),
        tx.now,
        [state.value for state in REVERSIBLE],
        attempt.operator,
        _values(REDEEMERS),
        attempt.device_id,
        attempt.reason,
        None if attempt.use_ids is None else list(attempt.use_ids),
    )
    return {row["unit_id"]: CertificateState(row["state"]) for row in rows} or None


async def find(tx: Transaction, reversal_id: UUID) -> Reversal | None:
    """A reversal and the uses that it undid."""
    rows = await tx.fetch(_REVERSAL, reversal_id)
    if not rows:
        return None
    first = rows[0]
    asked = first["asked_use_ids"]
    return Reversal(
        attempt=ReversalAttempt(
            reversal_id=first["reversal_id"],
            redemption_id=first["redemption_id"],
            operator=first["operator"],
            device_id=first["device_id"],
            reason=first["reason"],
            use_ids=None if asked is None else tuple(asked),
        ),
        order_id=first["order_id"],
        merchant_id=first["merchant_id"],
        store_id=first["store_id"],
        used_at=first["used_at"],
        reversed_at=first["reversed_at"],
        uses=tuple(
            Use(row["use_id"], row["unit_id"], row["use_no"], row["sealed_code"], row["cycle"], row["reversed_at"])
            for row in rows
        ),
    )


def _values(roles: Sequence[StaffRole]) -> list[str]:
    return [role.value for role in roles]


def _undoable(row: Row) -> Undoable:
    return Undoable(
        use_id=row["use_id"],
        unit_id=row["unit_id"],
        state=UseState(row["state"]),
        certificate=CertificateState(row["certificate"]),
        reversals=row["reversals"],
        money_back=row["money_back"],
    )
