"""The legal moves as delivery.md has them, who bears a penalty, what the buyer is told, what the merchant can press."""

import pytest

from services.dispatch.domain.actions import Action, LiveAttempt, actions
from services.dispatch.domain.attempts import LIVE, MOVES, AttemptState, CancelledBy
from services.dispatch.domain.parcels import DispatchState, ParcelState
from services.dispatch.domain.penalties import Bearer, borne_by, whose_doing
from services.dispatch.domain.tracking import TEXTS, Phase, phase_of
from shared.contracts.catalog import DeliveryMode

S, P, D = AttemptState, ParcelState, DispatchState
_ON_THE_ROAD = (S.ASSIGNED, S.AT_PICKUP, S.IN_TRANSIT, S.OUT_FOR_DELIVERY)

# The steps that delivery.md §3 draws, each alone; forward skips follow from them.
_DRAWN = [
    (S.CREATED, S.SUBMITTING),
    *((S.SUBMITTING, after) for after in (S.SEARCHING, S.REJECTED, S.UNKNOWN)),
    *((S.UNKNOWN, after) for after in (S.SEARCHING, S.CANCELLED, S.REJECTED, S.FENCED)),
    (S.SEARCHING, S.ASSIGNED),
    (S.ASSIGNED, S.AT_PICKUP),
    (S.AT_PICKUP, S.IN_TRANSIT),
    (S.IN_TRANSIT, S.OUT_FOR_DELIVERY),
    (S.OUT_FOR_DELIVERY, S.DELIVERED),
    *((before, S.SEARCHING) for before in (S.ASSIGNED, S.AT_PICKUP)),
    *((before, S.CANCELLING) for before in (S.SEARCHING, S.ASSIGNED, S.AT_PICKUP)),
    *((S.CANCELLING, after) for after in (S.CANCELLED, S.SEARCHING, S.ASSIGNED, S.AT_PICKUP, S.IN_TRANSIT)),
    *((before, S.EXCEPTION) for before in _ON_THE_ROAD),
    *((S.EXCEPTION, after) for after in (*_ON_THE_ROAD, S.DELIVERED, S.RETURNING, S.CANCELLED, S.LOST)),
    *((before, S.RETURNING) for before in (S.IN_TRANSIT, S.OUT_FOR_DELIVERY)),
    (S.RETURNING, S.RETURNED),
]


@pytest.mark.parametrize(("before", "after"), _DRAWN)
def test_every_step_that_is_drawn_is_legal(before: AttemptState, after: AttemptState) -> None:
    assert after in MOVES[before]


@pytest.mark.parametrize("before", sorted(LIVE - {S.SUBMITTING}))
def test_a_carrier_may_cancel_whatever_lives(before: AttemptState) -> None:
    assert S.CANCELLED in MOVES[before]


@pytest.mark.parametrize("before", [S.IN_TRANSIT, S.OUT_FOR_DELIVERY, S.RETURNING])
def test_nothing_that_was_picked_up_is_searched_for_again(before: AttemptState) -> None:
    assert not MOVES[before] & {S.SEARCHING, S.ASSIGNED, S.CANCELLING}


@pytest.mark.parametrize(
    ("told", "our_reason", "doing", "bearer"),
    [
        (None, "MERCHANT", CancelledBy.US, Bearer.MERCHANT),
        (None, "NO_RIDER", CancelledBy.US, Bearer.PLATFORM),
        (None, "BUYER_REFUND", CancelledBy.US, Bearer.PLATFORM),
        (CancelledBy.MERCHANT, "BUYER_REFUND", CancelledBy.US, Bearer.PLATFORM),
        (CancelledBy.MERCHANT, None, CancelledBy.MERCHANT, Bearer.MERCHANT),
        (CancelledBy.RIDER, None, CancelledBy.RIDER, Bearer.PLATFORM),
        (None, None, CancelledBy.SYSTEM, Bearer.PLATFORM),
    ],
)
def test_a_penalty_is_the_merchants_only_for_what_the_merchant_wanted(
    told: CancelledBy | None, our_reason: str | None, doing: CancelledBy, bearer: Bearer
) -> None:
    assert whose_doing(told, our_reason) is doing
    assert borne_by(doing, our_reason) is bearer


@pytest.mark.parametrize(
    ("parcel", "dispatch", "attempt", "phase"),
    [
        (P.PLACED, D.PLANNED, None, Phase.PREPARING),
        (P.ACCEPTED, D.PLANNED, None, Phase.FINDING_RIDER),
        (P.ACCEPTED, D.DISPATCHING, S.UNKNOWN, Phase.FINDING_RIDER),
        (P.ACCEPTED, D.ACTIVE, S.SEARCHING, Phase.FINDING_RIDER),
        (P.ACCEPTED, D.DISPATCHING, S.CANCELLED, Phase.FINDING_RIDER),
        (P.ACCEPTED, D.ACTIVE, S.ASSIGNED, Phase.TO_SHOP),
        (P.ACCEPTED, D.MANUAL, S.CANCELLED, Phase.PROBLEM),
        (P.HANDED_OVER, D.ACTIVE, S.IN_TRANSIT, Phase.ON_THE_WAY),
        (P.HANDED_OVER, D.ACTIVE, S.EXCEPTION, Phase.PROBLEM),
        (P.HANDED_OVER, D.MANUAL, S.CANCELLED, Phase.PROBLEM),
        (P.DELIVERED, D.COMPLETED, S.DELIVERED, Phase.DELIVERED),
        (P.FAILED, D.FAILED, None, Phase.REFUNDING),
        (P.REFUNDED, D.CANCELLED, None, Phase.ENDED),
    ],
)
def test_the_buyer_is_told_in_few_words(
    parcel: ParcelState, dispatch: DispatchState, attempt: AttemptState | None, phase: Phase
) -> None:
    assert phase_of(parcel, dispatch, attempt) is phase
    assert TEXTS[phase].zh
    assert TEXTS[phase].en


def _live(
    state: AttemptState, mode: DeliveryMode = DeliveryMode.INSTANT, *, tippable: bool = True, leaving: bool = False
) -> LiveAttempt:
    return LiveAttempt(state, mode, picked_up=False, tippable=tippable, leaving=leaving)


@pytest.mark.parametrize(
    ("parcel", "dispatch", "live", "offered"),
    [
        (P.PLACED, D.PLANNED, None, (Action.ACCEPT, Action.REFUSE)),
        (P.ACCEPTED, D.ACTIVE, _live(S.SEARCHING), (Action.TIP, Action.SWITCH, Action.REFUSE)),
        (P.ACCEPTED, D.ACTIVE, _live(S.SEARCHING, tippable=False), (Action.SWITCH, Action.REFUSE)),
        (P.ACCEPTED, D.ACTIVE, _live(S.SEARCHING, leaving=True), (Action.REFUSE,)),
        (P.ACCEPTED, D.ACTIVE, _live(S.ASSIGNED), (Action.SWITCH, Action.REFUSE)),
        (P.ACCEPTED, D.DISPATCHING, _live(S.UNKNOWN), (Action.REFUSE,)),
        (P.ACCEPTED, D.MANUAL, None, (Action.KEEP_WAITING, Action.DELIVER_OURSELVES, Action.REFUSE)),
        (P.ACCEPTED, D.ACTIVE, _live(S.ASSIGNED, DeliveryMode.SELF), (Action.HAND_OVER, Action.REFUSE)),
        (P.HANDED_OVER, D.ACTIVE, _live(S.IN_TRANSIT), ()),
        (P.HANDED_OVER, D.ACTIVE, _live(S.RETURNING), (Action.CONFIRM_RETURN,)),
        (P.HANDED_OVER, D.ACTIVE, _live(S.IN_TRANSIT, DeliveryMode.SELF), (Action.DELIVER, Action.CONFIRM_RETURN)),
        (P.HANDED_OVER, D.MANUAL, None, (Action.DELIVER_OURSELVES, Action.CONFIRM_RETURN)),
        (P.RECEIVED, D.COMPLETED, None, ()),
    ],
)
def test_the_board_offers_what_can_be_done(
    parcel: ParcelState, dispatch: DispatchState, live: LiveAttempt | None, offered: tuple[Action, ...]
) -> None:
    assert actions(parcel, dispatch, live) == offered
