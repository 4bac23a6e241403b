"""When a buyer has the money: 1–3 working days, by China's calendar."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.checkout.domain.refunds import Refund, RefundState, expected_by, money_back_by
from shared.ids import new_id

SHANGHAI = ZoneInfo("Asia/Shanghai")


def noon(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, 12, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("since", "by"),
    [
        # 国庆 and 中秋 2025: 1–8 October free, Sunday 28 September and Saturday 11 October worked.
        (noon(2025, 9, 25), date(2025, 9, 29)),
        (noon(2025, 9, 26), date(2025, 9, 30)),
        (noon(2025, 9, 29), date(2025, 10, 10)),
        (noon(2025, 9, 30), date(2025, 10, 11)),
        (noon(2025, 10, 4), date(2025, 10, 11)),
        (noon(2025, 10, 10), date(2025, 10, 14)),
        # 春节 2026: 15–23 February free, Saturdays 14 and 28 February worked.
        (noon(2026, 2, 12), date(2026, 2, 24)),
        (noon(2026, 2, 13), date(2026, 2, 25)),
        (noon(2026, 2, 23), date(2026, 2, 26)),
        (noon(2026, 2, 26), date(2026, 3, 2)),
        # Plain weeks.
        (noon(2026, 11, 18), date(2026, 11, 23)),
        (noon(2026, 11, 21), date(2026, 11, 25)),
        # The day is Shanghai's.
        (datetime(2026, 11, 18, 15, 59, tzinfo=UTC), date(2026, 11, 23)),
        (datetime(2026, 11, 18, 16, tzinfo=UTC), date(2026, 11, 24)),
        # Years outside the calendar's data: weekdays, also over the edge of the years that it knows.
        (noon(2003, 12, 31), date(2004, 1, 6)),
        (noon(2098, 10, 1), date(2098, 10, 6)),
    ],
)
def test_three_working_days_later(since: datetime, by: date) -> None:
    assert expected_by(since) == by


def refund(state: RefundState, **moments: datetime) -> Refund:
    facts: dict[str, Any] = {
        "refund_id": new_id(), "order_id": new_id(), "attempt_id": new_id(), "cause": "BUYER", "state": state,
        "amount_fen": 1, "reason": "", "requested_by": None, "requested_at": noon(2026, 11, 2), "succeeded_at": None,
        "refused_code": None, "tries": 0, "units": {}, **moments,
    }  # fmt: skip
    return Refund(**facts)


APPROVED, DONE = noon(2026, 11, 9), noon(2026, 11, 16)


@pytest.mark.parametrize(
    ("found", "by"),
    [
        (refund(RefundState.FENCING), None),
        (refund(RefundState.APPROVED, approved_at=APPROVED), date(2026, 11, 12)),
        (refund(RefundState.UNKNOWN, approved_at=APPROVED), date(2026, 11, 12)),
        (refund(RefundState.SUCCEEDED, approved_at=APPROVED, succeeded_at=DONE), date(2026, 11, 19)),
        (refund(RefundState.SUCCEEDED, succeeded_at=DONE), date(2026, 11, 19)),
        (refund(RefundState.ABANDONED, approved_at=APPROVED), None),
        (refund(RefundState.REFUSED), None),
    ],
)
def test_the_days_count_from_when_nothing_stood_in_the_way_and_then_from_the_channels_answer(
    found: Refund, by: date | None
) -> None:
    assert money_back_by(found) == by
