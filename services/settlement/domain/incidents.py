"""What cannot come right by itself, so that an operator has to look at it."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from shared.errors import Conflict, NotFound


class IncidentKind(StrEnum):
    """The last four are the differences between our books and the channel's bill of a day."""

    PAYOUT_DENIED = "PAYOUT_DENIED"
    """The channel denies having paid, and denied it under the same number as often as we ask."""
    PAYOUT_REFUSED = "PAYOUT_REFUSED"
    MISSING_HERE = "MISSING_HERE"
    MISSING_THERE = "MISSING_THERE"
    AMOUNT_DIFFERS = "AMOUNT_DIFFERS"
    STATE_DIFFERS = "STATE_DIFFERS"


@dataclass(frozen=True, slots=True)
class Incident:
    """`subject` is what it is about: an instruction, or a number in the channel's bill of `day`."""

    incident_id: UUID
    kind: IncidentKind
    subject: str
    detail: str
    amount_fen: int
    day: date | None = None


class IncidentUnknown(NotFound):
    code = "incident_unknown"
    zh = "未找到该事项"
    en = "There is no such incident"


class IncidentResolved(Conflict):
    """Facts: by."""

    code = "incident_resolved"
    zh = "该事项已由 {by} 处理完毕"
    en = "{by} has resolved it already"
