"""When a store is open, which claims may be appealed, and how many may wait."""

from datetime import datetime

import pytest

from services.catalog.domain.claims import Appeal, Claim, ClaimState, Waiting, check_appealable, check_room
from services.catalog.domain.refusals import (
    AppealUsed,
    ClaimNotAppealable,
    PositionIncomplete,
    TooManyClaimsOnStore,
    TooManyOpenClaims,
)
from services.catalog.domain.search import Around, around
from services.catalog.domain.stores import Store, StoreFacts, open_now
from shared.clock import SHANGHAI
from shared.contracts.hours import WeeklyHours
from shared.errors import DomainError
from shared.ids import new_id

NOON = datetime(2026, 11, 23, 12, tzinfo=SHANGHAI)  # a Monday
LUNCH = WeeklyHours(weekdays=(1,), opens="11:00", closes="14:00")
DINNER = WeeklyHours(weekdays=(1,), opens="17:00", closes="02:00")


def _store(*hours: WeeklyHours, is_open: bool = True) -> Store:
    facts = StoreFacts("解放碑店", "重庆", "民权路 1 号", 29.56, 106.57, "023-1", hours)
    return Store(new_id(), 1, facts, new_id(), None, new_id(), None, is_open)


@pytest.mark.parametrize(
    ("store", "expected"),
    [
        (_store(LUNCH), True),
        (_store(DINNER, LUNCH), True),
        (_store(DINNER), False),
        (_store(), None),
        (_store(is_open=False), False),
        (_store(LUNCH, is_open=False), False),
    ],
)
def test_a_store_is_open_now_within_its_hours_unless_it_is_closed_or_nobody_said_them(
    store: Store, expected: bool | None
) -> None:
    assert open_now(store, NOON) is expected


def test_a_store_counts_for_others_as_its_holders_else_the_last_ones_else_the_first_claimants() -> None:
    holder, last, first = new_id(), new_id(), new_id()
    facts = _store().facts
    assert Store(new_id(), 1, facts, holder, holder, first, None, True).last_merchant_id == holder
    assert Store(new_id(), 1, facts, None, last, first, None, False).last_merchant_id == last
    assert Store(new_id(), 1, facts, None, None, first, None, False).last_merchant_id == first


def _claim(state: ClaimState, appeal: Appeal | None = None) -> Claim:
    return Claim(new_id(), new_id(), new_id(), "老码头", 1, "scan", state, None, appeal, NOON)


@pytest.mark.parametrize("state", list(ClaimState))
@pytest.mark.parametrize("appeal", [None, Appeal("看错了", "scan-2")])
def test_a_rejected_or_lost_claim_may_be_appealed_once(state: ClaimState, appeal: Appeal | None) -> None:
    refused: type[DomainError] | None = AppealUsed
    if appeal is None:
        refused = None if state in {ClaimState.REJECTED, ClaimState.LOST} else ClaimNotAppealable
    if refused is None:
        check_appealable(_claim(state, appeal))
    else:
        with pytest.raises(refused):
            check_appealable(_claim(state, appeal))


@pytest.mark.parametrize(
    ("waiting", "refused"),
    [
        (Waiting(19, 199), None),
        (Waiting(20, 0), TooManyClaimsOnStore),
        (Waiting(0, 200), TooManyOpenClaims),
    ],
)
def test_twenty_claims_wait_on_a_store_and_two_hundred_of_a_merchant(
    waiting: Waiting, refused: type[DomainError] | None
) -> None:
    if refused is None:
        check_room(waiting)
    else:
        with pytest.raises(refused):
            check_room(waiting)


def test_a_place_to_search_around_is_whole_or_none() -> None:
    assert around(None, None, 5000) is None
    assert around(29.5, 106.5, 5000) == Around(29.5, 106.5, 5000)
    for latitude, longitude in ((29.5, None), (None, 106.5)):
        with pytest.raises(PositionIncomplete):
            around(latitude, longitude, 5000)
