"""What can become of a parcel: each change one guarded statement, None when its guard did not hold."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.dispatch.domain.parcels import DispatchState, ParcelState, Stop
from services.dispatch.store.parcels import COLUMNS, Parcel, parcel_of, parcel_or_none
from shared.contracts.catalog import DeliveryMode
from shared.database import Transaction


async def _change(tx: Transaction, statement: str, *values: Any) -> Parcel | None:
    return parcel_or_none(await tx.row(f"{statement} returning {COLUMNS}", *values))


async def accept(tx: Transaction, parcel_id: UUID) -> Parcel | None:
    """PLACED → ACCEPTED."""
    return await _change(
        tx,
        """update parcels set state = 'ACCEPTED', accepted_at = $2, version = version + 1
           where parcel_id = $1 and state = 'PLACED'""",
        parcel_id,
        tx.now,
    )


async def hand_over(tx: Transaction, parcel_id: UUID, carried_as: DeliveryMode) -> Parcel | None:
    """ACCEPTED → HANDED_OVER: whatever was stopping it came too late."""
    return await _change(
        tx,
        """update parcels set state = 'HANDED_OVER', handed_over_at = $2, carried_as = $3, stopping_for = null,
             dispatch_state = 'ACTIVE', version = version + 1
           where parcel_id = $1 and state = 'ACCEPTED'""",
        parcel_id,
        tx.now,
        carried_as.value,
    )


async def carry_as(tx: Transaction, parcel_id: UUID, carried_as: DeliveryMode) -> None:
    """Another hand took over goods that were on their way already."""
    await tx.execute(
        """update parcels set carried_as = $2, dispatch_state = 'ACTIVE'
           where parcel_id = $1 and state = 'HANDED_OVER'""",
        parcel_id,
        carried_as.value,
    )


async def deliver(tx: Transaction, parcel_id: UUID, receive_by: datetime) -> Parcel | None:
    """HANDED_OVER → DELIVERED."""
    return await _change(
        tx,
        """update parcels set state = 'DELIVERED', delivered_at = $2, receive_by = $3, dispatch_state = 'COMPLETED',
             version = version + 1
           where parcel_id = $1 and state = 'HANDED_OVER'""",
        parcel_id,
        tx.now,
        receive_by,
    )


async def receive(tx: Transaction, parcel_id: UUID) -> Parcel | None:
    """DELIVERED → RECEIVED, by the buyer."""
    return await _change(
        tx,
        """update parcels set state = 'RECEIVED', received_at = $2, version = version + 1
           where parcel_id = $1 and state = 'DELIVERED'""",
        parcel_id,
        tx.now,
    )


async def receive_due(tx: Transaction, parcel_ids: Sequence[UUID]) -> list[Parcel]:
    """DELIVERED → RECEIVED for those whose buyers stayed silent."""
    rows = await tx.fetch(
        f"""update parcels set state = 'RECEIVED', received_at = $2, version = version + 1
            where parcel_id in (select parcel_id from parcels
                                where parcel_id = any($1) and state = 'DELIVERED' and receive_by <= $2
                                order by parcel_id for update)
            returning {COLUMNS}""",
        list(parcel_ids),
        tx.now,
    )
    return [parcel_of(row) for row in rows]


async def fail_unaccepted(tx: Transaction, parcel_ids: Sequence[UUID]) -> list[Parcel]:
    """PLACED → FAILED for those whose merchants let the time pass."""
    rows = await tx.fetch(
        f"""update parcels set state = 'FAILED', failure = 'NOT_ACCEPTED', dispatch_state = 'FAILED',
              version = version + 1
            where parcel_id in (select parcel_id from parcels
                                where parcel_id = any($1) and state = 'PLACED' and accept_by <= $2
                                order by parcel_id for update)
            returning {COLUMNS}""",
        list(parcel_ids),
        tx.now,
    )
    return [parcel_of(row) for row in rows]


async def fail(tx: Transaction, parcel_id: UUID, failure: str) -> Parcel | None:
    """Before hand-over → FAILED."""
    return await _change(
        tx,
        """update parcels set state = 'FAILED', failure = $2, dispatch_state = 'FAILED', stopping_for = null,
             version = version + 1
           where parcel_id = $1 and state in ('PLACED', 'ACCEPTED')""",
        parcel_id,
        failure,
    )


async def come_to_grief(tx: Transaction, parcel_id: UUID, state: ParcelState) -> Parcel | None:
    """HANDED_OVER → RETURNED or LOST."""
    return await _change(
        tx,
        """update parcels set state = $2, failure = $2,
             dispatch_state = case when $2 = 'RETURNED' then 'RETURNED' else 'FAILED' end, version = version + 1
           where parcel_id = $1 and state = 'HANDED_OVER'""",
        parcel_id,
        state.value,
    )


async def fence(tx: Transaction, parcel_id: UUID, refund_id: UUID) -> Parcel | None:
    """Before hand-over → REFUNDING."""
    return await _change(
        tx,
        """update parcels set state_before = state, state = 'REFUNDING', refund_id = $2, stopping_for = null,
             dispatch_state = 'CANCELLED', version = version + 1
           where parcel_id = $1 and state in ('PLACED', 'ACCEPTED')""",
        parcel_id,
        refund_id,
    )


async def lift(
    tx: Transaction, parcel_id: UUID, refund_id: UUID, accept_by: datetime, hand_over_by: datetime
) -> Parcel | None:
    """REFUNDING → what it was, with time again for what the merchant has to do."""
    return await _change(
        tx,
        """update parcels set state = state_before, state_before = null, refund_id = null, dispatch_state = 'PLANNED',
             search_since = null,
             accept_by = greatest(accept_by, $3), hand_over_by = greatest(hand_over_by, $4), version = version + 1
           where parcel_id = $1 and state = 'REFUNDING' and refund_id = $2""",
        parcel_id,
        refund_id,
        accept_by,
        hand_over_by,
    )


async def refund(tx: Transaction, parcel_id: UUID, refund_id: UUID) -> Parcel | None:
    """→ REFUNDED, from its own fence, from a dispute, or from whatever state means that nothing will arrive."""
    return await _change(
        tx,
        """update parcels set state = 'REFUNDED', state_before = null, refund_id = $2, stopping_for = null,
             dispatch_state = 'CANCELLED', version = version + 1
           where parcel_id = $1 and (state in ('PLACED', 'ACCEPTED', 'FAILED', 'RETURNED', 'LOST', 'DISPUTED')
                                     or (state = 'REFUNDING' and refund_id = $2))""",
        parcel_id,
        refund_id,
    )


async def stop_for(tx: Transaction, parcel_id: UUID, stop: Stop, refund_id: UUID | None = None) -> None:
    """Note why the carrier is being called off; what follows is decided when the carrier has answered."""
    await tx.execute(
        "update parcels set stopping_for = $2, refund_id = coalesce($3, refund_id) where parcel_id = $1",
        parcel_id,
        stop.value,
        refund_id,
    )


async def set_dispatch_state(tx: Transaction, parcel_id: UUID, state: DispatchState) -> None:
    """How the search for a carrier stands."""
    await tx.execute("update parcels set dispatch_state = $2 where parcel_id = $1", parcel_id, state.value)


async def count_wrong_code(tx: Transaction, parcel_id: UUID, limit: int, locked_until: datetime) -> int:
    """One more wrong receive code. Returns how many tries are left; at none the code is locked for a while."""
    tries = await tx.value(
        """update parcels set code_tries = case when code_tries + 1 >= $2 then 0 else code_tries + 1 end,
             code_locked_until = case when code_tries + 1 >= $2 then $3 else code_locked_until end
           where parcel_id = $1 returning case when code_locked_until = $3 then $2 else code_tries end""",
        parcel_id,
        limit,
        locked_until,
    )
    return limit - int(tries)
