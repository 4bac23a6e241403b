"""Parcels whose goods are disputed: each change one guarded statement."""

from uuid import UUID

from services.dispatch.store.parcels import COLUMNS, Parcel, parcel_or_none
from shared.database import Transaction


async def hold(tx: Transaction, parcel_id: UUID) -> None:
    """DELIVERED or RECEIVED → DISPUTED; a parcel that is disputed already stays so, and one on its way goes on."""
    await tx.execute(
        """update parcels set state_before = state, state = 'DISPUTED', version = version + 1
           where parcel_id = $1 and state in ('DELIVERED', 'RECEIVED')""",
        parcel_id,
    )


async def hold_reviewed(tx: Transaction, parcel_id: UUID) -> bool:
    """DELIVERED → DISPUTED if anything of it was disputed while it was on its way; False otherwise."""
    return bool(
        await tx.execute(
            """update parcels p set state_before = state, state = 'DISPUTED', version = version + 1
               where parcel_id = $1 and state = 'DELIVERED'
                 and exists (select from fences f where f.order_id = p.order_id and f.state = 'DISPUTED')""",
            parcel_id,
        )
    )


async def let_go(tx: Transaction, parcel_id: UUID) -> Parcel | None:
    """DISPUTED → what it was, once nothing of it is disputed any more; None otherwise."""
    return parcel_or_none(
        await tx.row(
            f"""update parcels p set state = state_before, state_before = null, version = version + 1
                where parcel_id = $1 and state = 'DISPUTED'
                  and not exists (select from fences f where f.order_id = p.order_id and f.state = 'DISPUTED')
                returning {COLUMNS}""",
            parcel_id,
        )
    )
