"""What the demo's shops sell is what catalog lets a merchant sell."""

from typing import Any
from uuid import UUID

import pytest

from services.catalog.domain.deals import DealContent, check_content
from services.console import plans, street
from services.console.shops import Shop, draft
from shared.contracts.use_rules import UseRules

STORE = UUID(int=1)
SHOP = Shop(UUID(int=2), STORE, UUID(int=3), UUID(int=4), "owner", "clerk", "shop", "title")
DEALS = (plans.hotpot().deal, plans.fruit().deal, plans.hotel().deal, *street.EXTRA_DEALS)


@pytest.mark.parametrize("deal", DEALS, ids=lambda deal: deal["title"])
def test_a_deal_of_the_demo_breaks_no_rule(deal: dict[str, Any]) -> None:
    check_content(DealContent.model_validate(draft(SHOP, deal)))


def test_a_deal_that_the_demo_redeems_may_be_used_at_any_moment_of_its_window() -> None:
    """The demo is run at any hour of any day."""
    redeemed = (plans.hotpot().deal, street.CASH, street.CARD)
    for deal in redeemed:
        rules = UseRules.model_validate(draft(SHOP, deal)["rules"])
        assert rules == UseRules(valid_days=rules.valid_days, max_count=rules.max_count), deal["title"]
