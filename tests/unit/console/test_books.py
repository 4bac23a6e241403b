"""Three books that agree match line by line, and whatever differs is named by its class."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.console.books import Comparison, Earned, Moved, Neighbours, compare

NOON = datetime(2026, 11, 22, 4, tzinfo=UTC)
LATE = datetime(2026, 11, 22, 15, 55, tzinfo=UTC)
PAYMENT = Moved("PAYMENT", "a" * 32, 12_800, NOON)
REFUND = Moved("REFUND", "b" * 32, 6_400, NOON)
PAYOUT = Moved("PAYOUT", "c" * 32, 6_400, NOON, fee_fen=38)
CLAWBACK = Moved("CLAWBACK", "b" * 32, 6_400, NOON)
OURS = (
    replace(PAYMENT, state="PAID"),
    replace(REFUND, state="SUCCEEDED"),
    replace(PAYOUT, state="PAID", unit_ids=("u1",)),
)
MADE = Earned({"u1": {"state": "SETTLED", "uses": 1}})
BILL = (PAYMENT, REFUND, PAYOUT, CLAWBACK)


def kinds(comparison: Comparison) -> list[tuple[str, str]]:
    return [(one.kind, one.subject.partition("/")[0]) for one in comparison.differences]


def test_books_that_agree_match_line_by_line() -> None:
    done = compare(BILL, OURS, OURS, MADE)
    assert (done.differences, done.matched) == ([], {"PAYMENT": 1, "REFUND": 1, "PAYOUT": 1})


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_what_is_in_the_bill_and_not_here_is_missing_here(gone: int) -> None:
    ours = [one for index, one in enumerate(OURS) if index != gone]
    assert kinds(compare(BILL, ours, ours, MADE)) == [("MISSING_HERE", OURS[gone].movement)]


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_what_moved_here_and_is_not_in_the_bill_is_missing_there(gone: int) -> None:
    bill = [one for index, one in enumerate(BILL) if index != gone]
    ours = [one for index, one in enumerate(OURS) if index != gone]
    assert kinds(compare(bill, ours, OURS, MADE)) == [("MISSING_THERE", OURS[gone].movement)]


EARLY = datetime(2026, 11, 21, 16, 5, tzinfo=UTC)
HAS = frozenset([("PAYMENT", PAYMENT.number)])


@pytest.mark.parametrize("at", [LATE, EARLY])
def test_what_moved_at_the_edge_of_the_day_waits_for_the_neighbouring_bill(at: datetime) -> None:
    done = compare((), (), [replace(OURS[0], at=at)], Earned())
    assert (done.differences, done.unbilled, done.at_the_edge) == ([], 1, {})


@pytest.mark.parametrize(("at", "neighbours"), [(LATE, Neighbours(after=HAS)), (EARLY, Neighbours(before=HAS))])
def test_what_moved_at_the_edge_of_the_day_is_matched_with_the_neighbouring_bill(
    at: datetime, neighbours: Neighbours
) -> None:
    done = compare((), (), [replace(OURS[0], at=at)], Earned(), neighbours)
    assert (done.differences, done.unbilled, done.at_the_edge) == ([], 0, {"PAYMENT": 1})


@pytest.mark.parametrize(
    ("at", "neighbours"),
    [
        (LATE, Neighbours(before=HAS, after=frozenset())),
        (EARLY, Neighbours(before=frozenset(), after=HAS)),
        (NOON, Neighbours(before=HAS, after=HAS)),
        (LATE.replace(minute=49), Neighbours(before=HAS, after=HAS)),
        (EARLY.replace(minute=11), Neighbours(before=HAS, after=HAS)),
    ],
)
def test_what_is_not_in_the_bill_where_it_may_stand_is_missing_there(at: datetime, neighbours: Neighbours) -> None:
    done = compare((), (), [replace(OURS[0], at=at)], Earned(), neighbours)
    assert (kinds(done), done.unbilled, done.at_the_edge) == ([("MISSING_THERE", "PAYMENT")], 0, {})


@pytest.mark.parametrize(
    ("index", "changed", "kind"),
    [
        (0, replace(OURS[0], amount_fen=12_801), "AMOUNT_DIFFERS"),
        (1, replace(OURS[1], amount_fen=6_399), "AMOUNT_DIFFERS"),
        (2, replace(OURS[2], fee_fen=39), "AMOUNT_DIFFERS"),
        (0, replace(OURS[0], state="CLOSED"), "STATE_DIFFERS"),
        (1, replace(OURS[1], state="UNKNOWN"), "STATE_DIFFERS"),
        (2, replace(OURS[2], state="FAILED"), "STATE_DIFFERS"),
    ],
)
def test_a_fen_or_a_state_that_differs_is_named(index: int, changed: Moved, kind: str) -> None:
    ours = [changed if number == index else one for number, one in enumerate(OURS)]
    assert kinds(compare(BILL, ours, (), MADE)) == [(kind, OURS[index].movement)]


@pytest.mark.parametrize(
    ("unit", "differs"),
    [
        ({"state": "VALID", "uses": 0}, True),
        ({"state": "REFUNDED", "uses": 0}, True),
        ({"state": "VALID", "uses": 1}, False),
        ({"state": "REFUNDED", "uses": 1}, False),
    ],
)
def test_a_payout_for_what_was_never_redeemed_is_named(unit: dict[str, object], *, differs: bool) -> None:
    done = compare(BILL, OURS, OURS, Earned({"u1": unit}))
    assert kinds(done) == ([("STATE_DIFFERS", "PAYOUT")] if differs else [])


@pytest.mark.parametrize(
    ("parcel", "differs"),
    [
        ({"parcel_state": "RECEIVED", "received": True, "unit_ids": ["u1"]}, False),
        ({"parcel_state": "REFUNDED", "received": True, "unit_ids": ["u1"]}, False),
        ({"parcel_state": "DELIVERED", "received": False, "unit_ids": ["u1"]}, True),
        ({"parcel_state": "RECEIVED", "received": True, "unit_ids": ["u2"]}, True),
        (None, True),
    ],
)
def test_a_payout_for_goods_that_nobody_received_is_named(parcel: dict[str, object] | None, *, differs: bool) -> None:
    ours = [*OURS[:2], replace(OURS[2], order_id="o1")]
    done = compare(BILL, ours, ours, Earned(parcels={"o1": parcel} if parcel else {}))
    assert kinds(done) == ([("STATE_DIFFERS", "PAYOUT")] if differs else [])
