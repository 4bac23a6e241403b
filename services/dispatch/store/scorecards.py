"""How each provider does in each zone at each hour of the day: counted as attempts end, read over the last weeks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from services.dispatch.domain.attempts import AttemptState
from services.dispatch.domain.scoring import Record
from services.dispatch.store.attempts import Attempt
from shared.clock import business_day
from shared.database import Transaction

ROLLING = timedelta(days=28)


class Ending(StrEnum):
    """How an attempt ended, as far as its provider is concerned."""

    DELIVERED = "delivered"
    NO_RIDER = "no_rider"
    PROVIDER_CANCELLED = "provider_cancelled"
    CALLED_OFF = "called_off"
    """By us, for reasons that say nothing about the provider."""
    REFUSED = "refused"
    WENT_WRONG = "went_wrong"


@dataclass(frozen=True, slots=True)
class Line:
    """One provider in one zone at one hour."""

    provider: str
    zone: str
    hour: int
    delivered: int
    no_rider: int
    provider_cancelled: int
    called_off: int
    refused: int
    went_wrong: int
    riders: int
    rider_wait_s: int
    fee_fen: int
    penalty_fen: int


_ENDINGS = {
    AttemptState.DELIVERED: Ending.DELIVERED,
    AttemptState.REJECTED: Ending.REFUSED,
    AttemptState.FENCED: Ending.WENT_WRONG,
    AttemptState.RETURNED: Ending.WENT_WRONG,
    AttemptState.LOST: Ending.WENT_WRONG,
}


def ending_of(attempt: Attempt) -> Ending:
    """How an attempt that is over counts for its provider."""
    if attempt.state is not AttemptState.CANCELLED:
        return _ENDINGS[attempt.state]
    if attempt.cancel_reason is None:
        return Ending.PROVIDER_CANCELLED
    return Ending.NO_RIDER if attempt.cancel_reason == "NO_RIDER" else Ending.CALLED_OFF


async def count(tx: Transaction, attempt: Attempt, ending: Ending) -> None:
    """One more attempt has ended."""
    waited = attempt.assigned_at - attempt.created_at if attempt.assigned_at else None
    await tx.execute(
        f"""insert into scorecard as s (provider, zone, hour, day, {ending.value}, riders, rider_wait_s, fee_fen,
              penalty_fen) values ($1, $2, $3, $4, 1, $5, $6, $7, $8)
            on conflict (provider, zone, hour, day) do update set {ending.value} = s.{ending.value} + 1,
              riders = s.riders + $5, rider_wait_s = s.rider_wait_s + $6, fee_fen = s.fee_fen + $7,
              penalty_fen = s.penalty_fen + $8""",
        attempt.provider,
        attempt.zone,
        attempt.hour,
        business_day(tx.now),
        0 if waited is None else 1,
        0 if waited is None else max(0, int(waited.total_seconds())),
        (attempt.fee_fen or 0) if ending is Ending.DELIVERED else 0,
        attempt.cancel_fee_fen or 0,
    )


async def add_penalty(tx: Transaction, attempt: Attempt, penalty_fen: int) -> None:
    """What a cancelled attempt cost was told after its end, which is counted."""
    await tx.execute(
        """update scorecard set penalty_fen = penalty_fen + $5
           where ctid = (select ctid from scorecard where provider = $1 and zone = $2 and hour = $3 and day <= $4
                         order by day desc limit 1)""",
        attempt.provider,
        attempt.zone,
        attempt.hour,
        business_day(tx.now),
        penalty_fen,
    )


def _since(tx: Transaction) -> date:
    return business_day(tx.now - ROLLING)


async def records(tx: Transaction, providers: Sequence[str], zone: str, hour: int) -> dict[str, Record]:
    """How these providers did lately, here and at this hour."""
    rows = await tx.fetch(
        """select provider, sum(delivered + no_rider + provider_cancelled + went_wrong)::int as ended,
             sum(no_rider + provider_cancelled + went_wrong)::int as failed
           from scorecard where provider = any($1) and zone = $2 and hour = $3 and day > $4 group by provider""",
        list(providers),
        zone,
        hour,
        _since(tx),
    )
    return {row["provider"]: Record(row["ended"], row["failed"]) for row in rows}


async def lines(
    tx: Transaction, provider: str | None, zone: str | None, after: tuple[str, str, int] | None, limit: int
) -> list[Line]:
    """The scorecard, by provider, zone and hour."""
    rows = await tx.fetch(
        """select provider, zone, hour, sum(delivered)::int as delivered, sum(no_rider)::int as no_rider,
             sum(provider_cancelled)::int as provider_cancelled, sum(called_off)::int as called_off,
             sum(refused)::int as refused, sum(went_wrong)::int as went_wrong, sum(riders)::int as riders,
             sum(rider_wait_s)::bigint as rider_wait_s, sum(fee_fen)::bigint as fee_fen,
             sum(penalty_fen)::bigint as penalty_fen
           from scorecard
           where day > $1 and ($2::text is null or provider = $2) and ($3::text is null or zone = $3)
             and ($4::text is null or (provider, zone, hour) > ($4, $5::text, $6::int))
           group by provider, zone, hour order by provider, zone, hour limit $7""",
        _since(tx),
        provider,
        zone,
        *(after or (None, None, None)),
        limit,
    )
    return [Line(**dict(row)) for row in rows]


async def forget_old(tx: Transaction, limit: int) -> int:
    """Delete days that no reading looks at any more. Returns how many rows."""
    return await tx.execute(
        "delete from scorecard where ctid = any(array(select ctid from scorecard where day <= $1 limit $2))",
        _since(tx),
        limit,
    )
