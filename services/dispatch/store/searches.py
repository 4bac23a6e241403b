"""The search for a parcel's carrier: since when it goes on, and how often each account was tried in it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.dispatch.store.parcels import COLUMNS, Parcel, parcel_or_none
from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class Tried:
    """What one account did with the parcel in this search."""

    tries: int
    refused: bool
    stale_quotes: int


async def begin(tx: Transaction, parcel_id: UUID) -> datetime:
    """Since when a carrier is looked for; now, if this is the first time."""
    since: datetime = await tx.value(
        "update parcels set search_since = coalesce(search_since, $2) where parcel_id = $1 returning search_since",
        parcel_id,
        tx.now,
    )
    return since


async def again(tx: Transaction, parcel_id: UUID) -> Parcel | None:
    """MANUAL → looked for once more, as if nothing had been tried; None unless it waits for a person."""
    return parcel_or_none(
        await tx.row(
            f"""update parcels set search_since = null, dispatch_state = 'PLANNED'
                where parcel_id = $1 and state = 'ACCEPTED' and dispatch_state = 'MANUAL' returning {COLUMNS}""",
            parcel_id,
        )
    )


async def accepted_at(tx: Transaction, parcel_id: UUID) -> datetime:
    """When the merchant said that they are there; of an order that is not accepted, when it was placed."""
    moment: datetime = await tx.value(
        "select coalesce(accepted_at, placed_at) from parcels where parcel_id = $1", parcel_id
    )
    return moment


# An order that the buyer's refund called off, or that its carrier never took, is no try.
_TRY = "state <> 'REJECTED' and cancel_reason is distinct from 'BUYER_REFUND'"


async def tried(tx: Transaction, parcel_id: UUID, since: datetime) -> dict[tuple[str, str], Tried]:
    """What each account did with the parcel since then."""
    rows = await tx.fetch(
        f"""select provider, account, count(*) filter (where {_TRY})::int as tries,
              bool_or(state = 'REJECTED' and refusal_code not like all(
                array['quote\\_%', 'request\\_changed:%', 'funds:%', 'auth:%'])) as refused,
              count(*) filter (where state = 'REJECTED' and refusal_code like 'quote\\_stale%')::int as stale_quotes
            from attempts where parcel_id = $1 and created_at >= $2 and carried_as <> 'SELF'
            group by provider, account""",
        parcel_id,
        since,
    )
    return {
        (row["provider"], row["account"]): Tried(row["tries"], bool(row["refused"]), row["stale_quotes"])
        for row in rows
    }


async def own_rider_next(tx: Transaction, parcel_id: UUID, *, wanted: bool) -> None:
    """Whether the merchant's own rider is next, instead of another carrier."""
    await tx.execute("update parcels set then_own_rider = $2 where parcel_id = $1", parcel_id, wanted)


async def is_own_rider_next(tx: Transaction, parcel_id: UUID) -> bool:
    return await tx.value("select then_own_rider from parcels where parcel_id = $1", parcel_id) is True
