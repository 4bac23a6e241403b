"""When, where and how many: one pure engine, shown at sale and enforced at redemption."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.clock import business_day, end_of_day
from shared.contracts.base import Contract
from shared.contracts.hours import Hours, Weekday, within

DEFAULT_VALID_DAYS = 90


class UseRules(Contract):
    """The rules frozen into an order. Either fixed bounds or a number of days after the purchase; days and hours are
    Shanghai's. `usable_hours` empty means at any hour; `max_count` is how many may be used together (None: any)."""

    use_from: AwareDatetime | None = None
    use_until: AwareDatetime | None = None
    valid_days: Annotated[int, Field(strict=True, ge=1, le=730)] | None = None
    blackout_dates: Annotated[tuple[date, ...], Field(max_length=366)] = ()
    blackout_weekdays: Annotated[tuple[Weekday, ...], Field(max_length=6)] = ()
    usable_hours: Hours = ()
    blackout_hours: Hours = ()
    max_count: Annotated[int, Field(strict=True, ge=1, le=10)] | None = None


class NotUsable(StrEnum):
    """Why a certificate cannot be used here and now."""

    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    BLACKOUT_DATE = "blackout_date"
    BLACKOUT_HOURS = "blackout_hours"
    OTHER_STORE = "other_store"
    STORE_CLOSED = "store_closed"
    OVER_THE_COUNT = "over_the_count"


REASONS: dict[NotUsable, tuple[str, str]] = {
    NotUsable.NOT_YET_VALID: ("未到可用时间", "Not valid yet"),
    NotUsable.EXPIRED: ("已过有效期", "Expired"),
    NotUsable.BLACKOUT_DATE: ("今日不可用", "Not usable today"),
    NotUsable.BLACKOUT_HOURS: ("当前时段不可用", "Not usable at this hour"),
    NotUsable.OTHER_STORE: ("不适用于本门店", "Not for this store"),
    NotUsable.STORE_CLOSED: ("本门店已停业", "This store is closed"),
    NotUsable.OVER_THE_COUNT: ("超过单次可用张数", "More than may be used together"),
}
"""Each reason in Chinese and English."""


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
    default = end_of_day(paid_at + timedelta(days=DEFAULT_VALID_DAYS))
    return UseWindow(starts_at=starts_at, until=min(ends) if ends else default)


def why_not_usable(
    rules: UseRules,
    window: UseWindow,
    stores: frozenset[UUID],
    store: UUID,
    now: datetime,
    count: int = 1,
    *,
    closed: Collection[UUID] = (),
) -> NotUsable | None:
    """The first reason why `count` units cannot be used together in `store` at `now`, or None when they can. `closed`
    are those of the stores that serve nobody: what waiting does not mend is said before what it does."""
    if store not in stores:
        return NotUsable.OTHER_STORE
    if store in closed:
        return NotUsable.STORE_CLOSED
    if now < window.starts_at:
        return NotUsable.NOT_YET_VALID
    if now >= window.until:
        return NotUsable.EXPIRED
    if rules.max_count is not None and count > rules.max_count:
        return NotUsable.OVER_THE_COUNT
    return _why_not_at(rules, now)


def _why_not_at(rules: UseRules, now: datetime) -> NotUsable | None:
    today = business_day(now)
    if today in rules.blackout_dates or today.isoweekday() in rules.blackout_weekdays:
        return NotUsable.BLACKOUT_DATE
    if within(rules.blackout_hours, now) or (rules.usable_hours and not within(rules.usable_hours, now)):
        return NotUsable.BLACKOUT_HOURS
    return None
