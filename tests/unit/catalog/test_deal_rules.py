"""What a deal may say, and what a viewer sees of it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.catalog.domain.deals import (
    BadgeState,
    Deal,
    DealContent,
    DealItem,
    DealState,
    DraftState,
    Sale,
    SaleState,
    badge_state,
    check_content,
    deal_state,
)
from shared.contracts.catalog import DealKind, DeliveryMode, DeliveryTerms
from shared.contracts.use_rules import UseRules
from shared.errors import DomainError

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
TERMS = DeliveryTerms(modes=(DeliveryMode.SELF,), fee_fen=0, weight_g=100, category="fruit")
CONTENT = DealContent(
    kind=DealKind.VOUCHER,
    title="双人套餐",
    cover="hotpot",
    items=(DealItem(name="锅底", quantity=1, price_fen=6800),),
    price_fen=12800,
    original_price_fen=26800,
    total_quota=100,
    per_buyer_limit=10,
    sale_from=NOW - DAY,
    sale_until=NOW + DAY,
    rules=UseRules(valid_days=90),
    store_ids=(UUID(int=1),),
)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({}, None),
        ({"price_fen": 26800}, None),
        ({"price_fen": 26801}, "price_above_original"),
        ({"sale_until": NOW - DAY}, "sale_window_empty"),
        ({"rules": UseRules(use_from=NOW + 3 * DAY, use_until=NOW + 2 * DAY)}, "use_window_empty"),
        ({"rules": UseRules(use_until=NOW + DAY)}, None),
        ({"rules": UseRules(use_until=NOW)}, "use_ends_before_sale"),
        ({"kind": DealKind.GOODS, "delivery": TERMS}, None),
        ({"kind": DealKind.GOODS}, "delivery_terms_needed"),
        ({"delivery": TERMS}, "delivery_terms_not_allowed"),
    ],
)
def test_a_deal_that_could_never_be_sold_or_used_is_refused(change: dict[str, Any], refusal: str | None) -> None:
    content = CONTENT.model_copy(update=change)
    if refusal is None:
        check_content(content)
        return
    with pytest.raises(DomainError) as refused:
        check_content(content)
    assert refused.value.code == refusal


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
    stores = CONTENT.store_ids
    deal = Deal(UUID(int=1), UUID(int=2), 1, CONTENT, draft, None, version, version, sale, 100, stores, stores)
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
