"""Uses that a merchant's own till has reported, each with the answer that it got."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class Report:
    """A report and its answer: the redemption, or why there was none."""

    digest: bytes
    redemption_id: UUID | None
    refusal_code: str | None
    refusal_facts: dict[str, Any] | None


async def lock(tx: Transaction, merchant_id: UUID, report_id: UUID) -> None:
    """Let the same report, sent twice at once, be answered one after the other."""
    await tx.execute("select pg_advisory_xact_lock(hashtextextended($1, 3))", f"{merchant_id}/{report_id}")


async def find(tx: Transaction, merchant_id: UUID, report_id: UUID) -> Report | None:
    """A report that was answered."""
    row = await tx.row(
        """select digest, redemption_id, refusal_code, refusal_facts from external_uses
           where merchant_id = $1 and report_id = $2""",
        merchant_id,
        report_id,
    )
    return None if row is None else Report(**dict(row))


async def add(tx: Transaction, merchant_id: UUID, report_id: UUID, reported_used_at: datetime, report: Report) -> None:
    """Keep a report with its answer."""
    await tx.execute(
        """insert into external_uses (merchant_id, report_id, digest, reported_used_at, redemption_id, refusal_code,
             refusal_facts)
           values ($1, $2, $3, $4, $5, $6, $7)""",
        merchant_id,
        report_id,
        report.digest,
        reported_used_at,
        report.redemption_id,
        report.refusal_code,
        report.refusal_facts,
    )
