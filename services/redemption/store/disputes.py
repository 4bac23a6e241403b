"""Certificates whose use is disputed: each change one guarded statement."""

from collections.abc import Sequence
from uuid import UUID

from services.redemption.domain.certificates import DISPUTABLE
from shared.database import Transaction


async def hold(tx: Transaction, refund_id: UUID, order_id: UUID, unit_ids: Sequence[UUID]) -> bool:
    """USED or SETTLED → DISPUTED for all of these certificates, or for none (then False). Rows are locked in the order
    of their ids, as everywhere."""
    held = await tx.execute(
        """with used as materialized (
             select unit_id from certificates
             where unit_id = any($3::uuid[]) and order_id = $2 and state = any($4)
             order by unit_id for update
           ), granted as (
             select from used having count(*) = cardinality($3::uuid[])
           )
           update certificates c
           set state_before = c.state, state = 'DISPUTED', refund_id = $1, changed_at = now()
           from used, granted where c.unit_id = used.unit_id""",
        refund_id,
        order_id,
        list(unit_ids),
        [state.value for state in DISPUTABLE],
    )
    return held > 0


async def refund(tx: Transaction, refund_id: UUID) -> None:
    """DISPUTED → REFUNDED."""
    await tx.execute(
        """update certificates set state = 'REFUNDED', state_before = null, changed_at = now()
           where refund_id = $1 and state = 'DISPUTED'""",
        refund_id,
    )


async def let_go(tx: Transaction, refund_id: UUID) -> None:
    """DISPUTED → what it was, or has become meanwhile: paid out."""
    await tx.execute(
        """update certificates set state = state_before, state_before = null, refund_id = null, changed_at = now()
           where refund_id = $1 and state = 'DISPUTED'""",
        refund_id,
    )
