"""How evidence moves an attempt and its parcel: the same end, whatever the order in which reports arrive."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.dispatch.domain.attempts import (
    ENDED_WITHOUT_GOODS,
    LIVE,
    MOVES,
    PICKED_UP,
    REACHABLE,
    TERMINAL,
    AttemptState,
    Progress,
    Snapshot,
    Verdict,
    weigh,
)
from services.dispatch.domain.parcels import ParcelState, Step, steps

S = AttemptState
T0 = datetime(2026, 11, 22, tzinfo=UTC)
_TOLD = frozenset(S) - {S.CREATED, S.SUBMITTING, S.UNKNOWN, S.CANCELLING, S.FENCED, S.LOST}
_BEFORE_PICKUP = frozenset({S.SEARCHING, S.ASSIGNED, S.AT_PICKUP})


def _at(minute: int) -> datetime:
    return T0 + timedelta(minutes=minute)


@st.composite
def histories(draw: st.DrawFn) -> list[Snapshot]:
    """What one carrier really did, in order: a walk over the table that never un-picks the goods."""
    walk = [S.SEARCHING]
    picked_up = False
    for _ in range(draw(st.integers(0, 9))):
        options = sorted(
            state
            for state in MOVES[walk[-1]] & _TOLD
            if not (picked_up and state in _BEFORE_PICKUP)
            and not (not picked_up and state in PICKED_UP - {S.IN_TRANSIT})
        )
        if not options:
            break
        walk.append(draw(st.sampled_from(options)))
        picked_up = picked_up or walk[-1] in PICKED_UP
    seen = False
    told = []
    for minute, state in enumerate(walk):
        seen = seen or state in PICKED_UP
        # What ends an attempt is confirmed by a query, which also says whether the goods were fetched.
        told.append(Snapshot(state.value, state, _at(minute), picked_up=seen and state in TERMINAL))
    return told


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[Snapshot], list[Snapshot]]:
    """A history, and how it arrives: shuffled, with copies."""
    history = draw(histories())
    copies = draw(st.lists(st.sampled_from(history), max_size=5))
    return history, draw(st.permutations(history + copies))


def _play(arriving: list[Snapshot]) -> tuple[Progress, ParcelState, list[Step]]:
    attempt, parcel, done = Progress(S.SUBMITTING), ParcelState.ACCEPTED, []
    ends = {
        Step.HAND_OVER: ParcelState.HANDED_OVER,
        Step.DELIVER: ParcelState.DELIVERED,
        Step.RETURN: ParcelState.RETURNED,
    }
    for snapshot in arriving:
        after, _ = weigh(attempt, snapshot)
        for step in steps(parcel, after.state, picked_up=after.picked_up, was_live=attempt.state in LIVE):
            parcel = ends.get(step, parcel)
            done.append(step)
        attempt = after
    return attempt, parcel, done


@settings(max_examples=500, deadline=None)
@given(deliveries())
def test_the_end_does_not_depend_on_the_order_of_arrival(case: tuple[list[Snapshot], list[Snapshot]]) -> None:
    history, arriving = case
    in_order = _play(history)
    shuffled = _play(arriving)
    assert shuffled[0].state is history[-1].state
    assert shuffled[:2] == in_order[:2]
    assert sorted(shuffled[2]) == sorted(in_order[2])


@settings(max_examples=300, deadline=None)
@given(deliveries(), st.data())
def test_truncated_reports_never_deliver_what_was_not_delivered(
    case: tuple[list[Snapshot], list[Snapshot]], data: st.DataObject
) -> None:
    history, arriving = case
    kept = data.draw(st.lists(st.sampled_from(arriving), min_size=1))
    attempt, parcel, done = _play(kept)
    assert done.count(Step.HAND_OVER) <= 1
    assert done.count(Step.REPLACE) <= 1
    if S.DELIVERED not in {snapshot.state for snapshot in history}:
        assert parcel is not ParcelState.DELIVERED
        assert attempt.state is not S.DELIVERED


@given(st.sampled_from(sorted(TERMINAL)), st.sampled_from(sorted(_TOLD)), st.booleans())
def test_nothing_moves_an_attempt_that_is_over(end: AttemptState, state: AttemptState, asked: bool) -> None:
    after, verdict = weigh(Progress(end, _at(5)), Snapshot("x", state, _at(9)), asked=asked)
    assert after.state is end
    assert verdict is not Verdict.MOVED


def test_every_state_but_the_ends_leads_somewhere() -> None:
    assert {S.DELIVERED, S.CANCELLED, S.RETURNED, S.REJECTED, S.LOST, S.FENCED} == TERMINAL
    assert all(REACHABLE[state] & TERMINAL for state in LIVE)


def test_a_rider_who_drops_out_needs_newer_evidence() -> None:
    assigned = Progress(S.ASSIGNED, _at(5))
    assert weigh(assigned, Snapshot("1", S.SEARCHING, _at(4)))[1] is Verdict.KEPT
    assert weigh(assigned, Snapshot("1", S.SEARCHING, _at(6)))[1] is Verdict.MOVED
    assert weigh(assigned, Snapshot("1", S.SEARCHING))[1] is Verdict.KEPT


def test_two_reports_of_one_moment_are_settled_by_asking() -> None:
    assert weigh(Progress(S.ASSIGNED, _at(5)), Snapshot("1", S.SEARCHING, _at(5)))[1] is Verdict.ASK


def test_progress_within_one_second_is_still_progress() -> None:
    after, verdict = weigh(Progress(S.ASSIGNED, _at(5)), Snapshot("100", S.AT_PICKUP, _at(5)))
    assert (after.state, verdict) == (S.AT_PICKUP, Verdict.MOVED)


def test_goods_once_picked_up_are_not_unpicked() -> None:
    carried = Progress(S.IN_TRANSIT, _at(5), picked_up=True)
    for state in (S.SEARCHING, S.ASSIGNED, S.AT_PICKUP):
        assert weigh(carried, Snapshot("x", state, _at(9)), asked=True)[0].state is S.IN_TRANSIT


def test_an_unknown_code_moves_nothing_and_hides_nothing() -> None:
    after, verdict = weigh(Progress(S.ASSIGNED, _at(5)), Snapshot("777", None, _at(50)))
    assert (after, verdict) == (Progress(S.ASSIGNED, _at(5)), Verdict.KEPT)


@pytest.mark.parametrize("end", sorted(ENDED_WITHOUT_GOODS))
def test_a_pickup_after_the_end_is_a_zombie(end: AttemptState) -> None:
    assert weigh(Progress(end, _at(5)), Snapshot("3", S.IN_TRANSIT, _at(4)))[1] is Verdict.ZOMBIE


def test_any_life_of_a_fenced_attempt_is_a_zombie() -> None:
    assert weigh(Progress(S.FENCED), Snapshot("1", S.SEARCHING, _at(4)))[1] is Verdict.ZOMBIE


def test_a_late_callback_of_a_cancelled_attempt_is_only_history() -> None:
    assert weigh(Progress(S.CANCELLED, _at(5)), Snapshot("2", S.ASSIGNED, _at(4)))[1] is Verdict.KEPT


def test_a_cancelled_attempt_leaves_the_parcel_looking_for_another() -> None:
    assert steps(ParcelState.ACCEPTED, S.CANCELLED, picked_up=False, was_live=True) == (Step.REPLACE,)


def test_a_carrier_who_gives_up_with_the_goods_leaves_the_choice_to_a_person() -> None:
    assert steps(ParcelState.HANDED_OVER, S.CANCELLED, picked_up=True, was_live=True) == (Step.ASK_MERCHANT,)


@pytest.mark.parametrize("parcel", [ParcelState.RECEIVED, ParcelState.REFUNDED, ParcelState.FAILED, ParcelState.LOST])
@pytest.mark.parametrize("attempt", sorted(S))
def test_nothing_moves_a_parcel_that_is_finished(parcel: ParcelState, attempt: AttemptState) -> None:
    assert steps(parcel, attempt, picked_up=True, was_live=True) == ()


def test_a_jump_from_searching_to_delivered_hands_over_and_delivers() -> None:
    walk = (Snapshot("1", S.SEARCHING, _at(0)), Snapshot("4", S.DELIVERED, _at(9)))
    assert _play(list(walk))[2] == [Step.HAND_OVER, Step.DELIVER]
