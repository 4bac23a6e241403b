"""The log of refusals, which is also what a guesser of codes is counted by."""

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

from shared.database import Transaction


class Step(StrEnum):
    """Where a refusal happened."""

    SCANNED = "SCANNED"
    TYPED = "TYPED"
    VERIFY = "VERIFY"
    EXTERNAL = "EXTERNAL"
    """Reported by the merchant's own till."""
    PHONE = "PHONE"


async def record(
    tx: Transaction,
    step: Step,
    code: str,
    operator: str,
    store_id: UUID,
    unit_ids: Sequence[UUID] = (),
    redemption_id: UUID | None = None,
) -> None:
    """Keep who was refused what, where and why."""
    await tx.execute(
        """insert into refusals (at, step, code, operator, store_id, unit_ids, redemption_id)
           values ($1, $2, $3, $4, $5, $6, $7)""",
        tx.now,
        step.value,
        code,
        operator,
        store_id,
        list(unit_ids),
        redemption_id,
    )


async def wrong_codes_of(tx: Transaction, operator: str, within_s: int) -> int:
    """How many unknown codes this person typed in the last seconds of real time. Whoever asks next waits until this
    transaction ends, so that a hundred guesses at once count as a hundred."""
    await tx.execute("select pg_advisory_xact_lock(hashtextextended($1, 1))", operator)
    wrong: int = await tx.value(
        """select count(*) from refusals
           where operator = $1 and step = 'TYPED' and code = 'code_unknown'
             and recorded_at > now() - $2 * interval '1 second'""",
        operator,
        within_s,
    )
    return wrong
