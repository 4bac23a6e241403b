"""What a deal may say, and what a viewer sees of it."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from services.catalog.domain.deals import (
    BadgeState,
    Deal,
    DealState,
    DraftState,
    Sale,
    SaleState,
    badge_state,
    deal_state,
)
from tests.unit.catalog.contents import DAY, NOW, SET


@pytest.mark.parametrize(
    ("draft", "sale", "now", "state"),
    [
        (DraftState.DRAFT, None, NOW, DealState.DRAFT),
        (DraftState.IN_REVIEW, None, NOW, DealState.IN_REVIEW),
        (DraftState.REJECTED, None, NOW, DealState.REJECTED),
        (DraftState.APPROVED, SaleState.APPROVED, NOW, DealState.APPROVED),
        (DraftState.APPROVED, SaleState.ONLINE, NOW, DealState.ONLINE),
        (DraftState.APPROVED, SaleState.OFFLINE, NOW, DealState.OFFLINE),
        (DraftState.APPROVED, SaleState.ONLINE, NOW + DAY, DealState.ENDED),
        (DraftState.DRAFT, SaleState.ONLINE, NOW, DealState.DRAFT),
        (DraftState.IN_REVIEW, SaleState.ONLINE, NOW, DealState.IN_REVIEW),
    ],
)
def test_the_merchant_sees_the_draft_while_it_differs_from_what_sells(
    draft: DraftState, sale: SaleState | None, now: datetime, state: DealState
) -> None:
    version = 1 if sale else 0
    stores = SET.store_ids
    deal = Deal(UUID(int=1), UUID(int=2), 1, SET, draft, None, version, version, sale, 100, stores, stores)
    assert deal_state(deal, now) is state


@pytest.mark.parametrize(
    ("online", "may_sell", "available", "now", "state"),
    [
        (True, True, 1, NOW, BadgeState.ON_SALE),
        (True, True, 0, NOW, BadgeState.SOLD_OUT),
        (False, True, 1, NOW, BadgeState.OFFLINE),
        (True, False, 1, NOW, BadgeState.OFFLINE),
        (True, True, 1, NOW - DAY, BadgeState.ON_SALE),
        (True, True, 1, NOW - DAY - timedelta(microseconds=1), BadgeState.NOT_YET),
        (True, True, 1, NOW + DAY - timedelta(microseconds=1), BadgeState.ON_SALE),
        (True, True, 1, NOW + DAY, BadgeState.ENDED),
        (False, True, 0, NOW + DAY, BadgeState.ENDED),
    ],
)
def test_the_badge_says_why_a_deal_cannot_be_bought(
    online: bool, may_sell: bool, available: int, now: datetime, state: BadgeState
) -> None:
    assert badge_state(Sale(online, may_sell, NOW - DAY, NOW + DAY, available), now) is state
