"""The rules frozen into an order are enforced at the till as they were shown at the sale."""

from datetime import datetime, timedelta

import pytest

from shared.clock import SHANGHAI, business_day
from shared.contracts.hours import WeeklyHours
from shared.contracts.use_rules import UseRules
from tests.integration.redemption.stage import Stage, units_of

EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)


def at_noon(stage: Stage) -> datetime:
    """Noon in Shanghai, tomorrow."""
    tomorrow = stage.now().astimezone(SHANGHAI) + timedelta(days=1)
    return tomorrow.replace(hour=12, minute=0, second=0, microsecond=0)


def hours(opens: str, closes: str, *weekdays: int) -> tuple[WeeklyHours, ...]:
    return (WeeklyHours(weekdays=weekdays or EVERY_DAY, opens=opens, closes=closes),)


def rules_at(noon: datetime) -> dict[str, tuple[UseRules, str | None]]:
    """Rules for a certificate that is shown at noon, and what the till must say."""
    today, other = noon.isoweekday(), noon.isoweekday() % 7 + 1
    return {
        "none": (UseRules(valid_days=30), None),
        "the date": (UseRules(valid_days=30, blackout_dates=(business_day(noon),)), "blackout_date"),
        "another date": (UseRules(valid_days=30, blackout_dates=(business_day(noon + timedelta(days=1)),)), None),
        "the weekday": (UseRules(valid_days=30, blackout_weekdays=(today,)), "blackout_date"),
        "another weekday": (UseRules(valid_days=30, blackout_weekdays=(other,)), None),
        "usable now": (UseRules(valid_days=30, usable_hours=hours("11:00", "14:00")), None),
        "usable later": (UseRules(valid_days=30, usable_hours=hours("13:00", "14:00")), "blackout_hours"),
        "usable another day": (UseRules(valid_days=30, usable_hours=hours("11:00", "14:00", other)), "blackout_hours"),
        "blackout now": (UseRules(valid_days=30, blackout_hours=hours("11:30", "13:30", today)), "blackout_hours"),
        "blackout later": (UseRules(valid_days=30, blackout_hours=hours("13:30", "14:00")), None),
        "one at a time": (UseRules(valid_days=30, max_count=1), "over_the_count"),
        "two at a time": (UseRules(valid_days=30, max_count=2), None),
    }


@pytest.mark.parametrize("name", list(rules_at(datetime(2026, 11, 22, tzinfo=SHANGHAI))))
async def test_what_a_rule_forbids_is_shown_by_prepare_and_refused_by_verify(stage: Stage, name: str) -> None:
    noon = at_noon(stage)
    rules, code = rules_at(noon)[name]
    shop = await stage.open_shop()
    order = await stage.pay(shop, units=2, rules=rules)
    await stage.pass_time(noon - stage.now())

    prepared = (await stage.prepare(shop, code=await stage.code(order))).json()
    # Each certificate is shown as it would be used alone.
    shown = None if code == "over_the_count" else code
    assert [one["usable"] for one in prepared["certificates"]] == [shown is None] * 2
    assert {one["reason"] and one["reason"]["code"] for one in prepared["certificates"]} == {shown}

    answer = await stage.verify(shop, prepared["token"], units_of(order))
    if code is None:
        assert answer.status_code == 201, answer.text
        return
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert await stage.states(order) == ["VALID", "VALID"]
    assert (await stage.refusals(shop.clerk))[-1] == code


async def test_as_many_as_may_be_used_together_are(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop, units=3, rules=UseRules(valid_days=30, max_count=2))
    token = await stage.token(shop, order)
    assert (await stage.verify(shop, token, units_of(order))).json()["code"] == "over_the_count"
    assert (await stage.verify(shop, token, units_of(order)[:2])).status_code == 201
    assert await stage.states(order) == ["USED", "USED", "VALID"]
