"""Where what is bought now could be used at once, and whether it could be used at all."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from shared.clock import SHANGHAI, business_day
from shared.contracts.hours import DAY_MINUTES, WEEK_MINUTES, minutes_of_week
from shared.contracts.use_rules import NotUsable, UseRules, use_window, why_not_usable


def usability(
    rules: UseRules, store_ids: Collection[UUID], open_store_ids: Collection[UUID], now: datetime
) -> dict[UUID, NotUsable | None]:
    """For each store why a unit bought at `now` cannot be used there at `now`, by the engine that redeems it later."""
    window, stores = use_window(rules, now), frozenset(store_ids)
    closed = stores.difference(open_store_ids)
    return {store_id: why_not_usable(rules, window, stores, store_id, now, closed=closed) for store_id in store_ids}


def ever_usable(rules: UseRules, first: datetime, last: datetime) -> bool:
    """Whether any minute from `first` to `last` is on a usable day and at a usable hour, at whichever store."""
    week = _usable_week(rules)
    if not week:
        return False
    blackout_dates, today, end = frozenset(rules.blackout_dates), business_day(first), business_day(last)
    # Some weekday is usable, so this ends: there is only a limited number of blackout dates.
    while today <= end:
        minutes = week >> (today.isoweekday() - 1) * DAY_MINUTES & (1 << DAY_MINUTES) - 1
        if today == end:
            minutes &= (1 << _minute_of_day(last) + 1) - 1
        if today == business_day(first):
            minutes >>= _minute_of_day(first)
        if minutes and today not in blackout_dates:
            return True
        today += timedelta(days=1)
    return False


def _usable_week(rules: UseRules) -> int:
    week = minutes_of_week(rules.usable_hours) if rules.usable_hours else (1 << WEEK_MINUTES) - 1
    week &= ~minutes_of_week(rules.blackout_hours)
    for weekday in rules.blackout_weekdays:
        week &= ~((1 << DAY_MINUTES) - 1 << (weekday - 1) * DAY_MINUTES)
    return week


def _minute_of_day(moment: datetime) -> int:
    local = moment.astimezone(SHANGHAI)
    return local.hour * 60 + local.minute
