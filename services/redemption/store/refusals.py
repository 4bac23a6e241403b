"""The log of refusals, which is also what a guesser of codes is counted by."""

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

from services.redemption.domain.guessing import LIMITS, Guesser, Level, Limit
from shared.database import Transaction


class Step(StrEnum):
    """Where a refusal happened."""

    SCANNED = "SCANNED"
    TYPED = "TYPED"
    VERIFY = "VERIFY"
    REVERSE = "REVERSE"
    EXTERNAL = "EXTERNAL"
    """Reported by the merchant's own till."""
    PHONE = "PHONE"


_COUNTED = {
    Level.OPERATOR: "operator = $1",
    Level.DEVICE: "device_id = $2",
    Level.STORE: "store_id = $3",
    Level.SOURCE: "source = $4",
}


def _free_again(limit: Limit) -> str:
    """When the oldest of so many wrong codes no longer counts; no row while there are fewer."""
    within = f"interval '{int(limit.within.total_seconds())} seconds'"
    return f"""(select recorded_at + {within} as free_at from refusals
        where guess and {_COUNTED[limit.level]} and recorded_at > now() - {within}
        order by recorded_at desc offset {limit.wrong - 1} limit 1)"""


_LOCKED_FOR = f"""select ceil(extract(epoch from max(free_at) - now()))::int
    from ({" union all ".join(_free_again(limit) for limit in LIMITS)}) locked"""


async def record(
    tx: Transaction,
    step: Step,
    code: str,
    guesser: Guesser,
    unit_ids: Sequence[UUID] = (),
    redemption_id: UUID | None = None,
    *,
    guess: bool = False,
) -> None:
    """Keep who was refused what, where and why; a `guess` counts towards the limits."""
    await tx.execute(
        """insert into refusals (at, step, code, operator, store_id, unit_ids, redemption_id, device_id, source, guess)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)""",
        tx.now,
        step.value,
        code,
        guesser.operator,
        guesser.store_id,
        list(unit_ids),
        redemption_id,
        guesser.device_id,
        guesser.source,
        guess,
    )


async def purge(tx: Transaction, limit: int) -> int:
    """Forget the oldest refusals, if they are older than 90 days; returns how many. Only the oldest are looked at, so
    that finding nothing costs nothing."""
    return await tx.execute(
        """with oldest as (select refusal_id from refusals order by refusal_id limit $1)
           delete from refusals r using oldest o
           where r.refusal_id = o.refusal_id and r.recorded_at < now() - interval '90 days'""",
        limit,
    )


async def locked_for(tx: Transaction, guesser: Guesser) -> int | None:
    """For how many seconds of real time this person, or the device, store or address, is locked out; None if not.

    Whoever asks next for the same person waits until this transaction ends, so that a hundred guesses at once count
    as a hundred. The other levels are not waited for, or one slow till would hold up its store: at most one guess of
    every other person under way may pass a limit of theirs."""
    await tx.execute("select pg_advisory_xact_lock(hashtextextended($1, 1))", guesser.operator)
    seconds: int | None = await tx.value(
        _LOCKED_FOR, guesser.operator, guesser.device_id, guesser.store_id, guesser.source
    )
    return seconds
