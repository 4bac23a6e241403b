"""Certificates that no store takes any more: which they are, and the statement that fences them."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from services.redemption.domain.certificates import FENCEABLE
from services.redemption.store.copies import SUSPENDED
from shared.database import Transaction

_FENCEABLE = [state.value for state in FENCEABLE]

# A store that was not heard of yet counts as open; a suspended merchant has no open store, whatever was heard.
_NO_STORE_LEFT = f"""({SUSPENDED.format(of="o")} or not exists (
    select from unnest(o.store_ids) as named (store_id) left join stores s using (store_id)
    where s.store_id is null or (s.open and s.merchant_id = o.merchant_id)))"""

# Everything is tested here, on the newest version of each locked row: what was used or fenced by somebody else a moment
# ago is left alone. A refund's id is written once, so that a recall which an operator gave up is not repeated.
_RECALL = f"""
with lost as materialized (
    select c.unit_id, given.refund_id, o.order_id, o.merchant_id, {SUSPENDED.format(of="o")} as suspended
    from unnest($1::uuid[], $2::uuid[]) as given (unit_id, refund_id)
    join certificates c on c.unit_id = given.unit_id join orders o on o.order_id = c.order_id
    where c.state = any($3) and {_NO_STORE_LEFT}
    order by c.unit_id for update of c
), noted as (
    insert into refunds (refund_id, order_id, unit_ids, state)
    select refund_id, order_id, array[unit_id], 'FENCED' from lost
    on conflict (refund_id) do nothing
    returning refund_id
)
update certificates c
set state_before = c.state, state = 'REFUNDING', refund_id = lost.refund_id, changed_at = now()
from lost join noted using (refund_id) where c.unit_id = lost.unit_id
returning c.unit_id, lost.order_id, lost.merchant_id, lost.suspended, c.uses_left
"""


@dataclass(frozen=True, slots=True)
class Recalled:
    """A certificate that was fenced because no store takes it any more."""

    unit_id: UUID
    order_id: UUID
    merchant_id: UUID
    suspended: bool
    uses_left: int


async def lock_merchant(tx: Transaction, merchant_id: UUID) -> None:
    """Wait until every certificate of this merchant that is being issued is there, and let no other begin: those that
    begin later see what this transaction keeps."""
    await tx.execute("select pg_advisory_xact_lock(hashtextextended($1, 2))", str(merchant_id))


async def share_merchant(tx: Transaction, merchant_id: UUID) -> None:
    """Certificates of this merchant are about to become valid. Many at a time, but never while a store is lost."""
    await tx.execute("select pg_advisory_xact_lock_shared(hashtextextended($1, 2))", str(merchant_id))


async def fenceable_after(
    tx: Transaction, merchant_id: UUID, after: UUID | None, limit: int
) -> tuple[UUID | None, list[UUID]]:
    """Of the merchant's next `limit` orders by id, the last one (None: there are no more) and all certificates that
    might be fenced."""
    rows = await tx.fetch(
        """select o.order_id, c.unit_id
           from (select order_id from orders
                 where merchant_id = $1 and ($2::uuid is null or order_id > $2) order by order_id limit $3) o
           left join certificates c on c.order_id = o.order_id and c.state = any($4)""",
        merchant_id,
        after,
        limit,
        _FENCEABLE,
    )
    last: UUID | None = max((row["order_id"] for row in rows), default=None)
    return last, [row["unit_id"] for row in rows if row["unit_id"] is not None]


async def recall(tx: Transaction, refund_ids: Mapping[UUID, UUID]) -> list[Recalled]:
    """Fence those of these certificates that no store takes any more, each (the key) for a refund of its own."""
    rows = await tx.fetch(_RECALL, list(refund_ids), list(refund_ids.values()), _FENCEABLE)
    return [Recalled(**dict(row)) for row in rows]
