"""When and where a certificate may be used: one pure engine, shown at sale and enforced at redemption."""

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.clock import business_day, end_of_day
from shared.contracts.base import Contract


class UseRules(Contract):
    """The rules frozen into an order. Either fixed bounds or a number of days after the purchase."""

    use_from: AwareDatetime | None = None
    use_until: AwareDatetime | None = None
    valid_days: Annotated[int, Field(strict=True, ge=1, le=730)] | None = None
    blackout_dates: Annotated[tuple[date, ...], Field(max_length=366)] = ()


class NotUsable(StrEnum):
    """Why a certificate cannot be used here and now."""

    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    BLACKOUT_DATE = "blackout_date"
    OTHER_STORE = "other_store"


class UseWindow(Contract):
    """The moments between which a bought unit may be used; `until` itself is too late."""

    starts_at: AwareDatetime
    until: AwareDatetime


def use_window(rules: UseRules, paid_at: datetime) -> UseWindow:
    """The window of a unit paid at `paid_at`; day-bounded ends run to midnight in Shanghai."""
    starts_at = max(rules.use_from, paid_at) if rules.use_from else paid_at
    ends = [rules.use_until] if rules.use_until else []
    if rules.valid_days is not None:
        ends.append(end_of_day(paid_at + timedelta(days=rules.valid_days)))
    return UseWindow(starts_at=starts_at, until=min(ends) if ends else end_of_day(paid_at + timedelta(days=90)))


def why_not_usable(
    rules: UseRules, window: UseWindow, stores: frozenset[UUID], store: UUID, now: datetime
) -> NotUsable | None:
    """The first reason why a unit cannot be used in `store` at `now`, or None when it can."""
    if store not in stores:
        return NotUsable.OTHER_STORE
    if now < window.starts_at:
        return NotUsable.NOT_YET_VALID
    if now >= window.until:
        return NotUsable.EXPIRED
    if business_day(now) in rules.blackout_dates:
        return NotUsable.BLACKOUT_DATE
    return None
