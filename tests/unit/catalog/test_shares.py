"""What a shared link looks like."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.catalog.domain.deals import BadgeState, Category, DealContent, DealItem
from services.catalog.domain.shares import Share, new_code, open_graph
from shared.contracts.catalog import DealForm
from shared.contracts.use_rules import UseRules

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SHARE = Share(uuid4(), "sharer-1", uuid4(), None, "7YWHMfk9JZ")


def _content(**changes: Any) -> DealContent:
    said: dict[str, Any] = {
        "form": DealForm.SET,
        "category": Category.OTHER,
        "title": "双人套餐",
        "cover": "hotpot",
        "description": "含锅底\n  和六份菜",
        "items": (DealItem(name="锅底", quantity=1, price_fen=1), DealItem(name="毛肚", quantity=1, price_fen=1)),
        "price_fen": 12800,
        "original_price_fen": 26800,
        "total_quota": 10,
        "per_buyer_limit": 0,
        "sale_from": NOW,
        "sale_until": NOW + timedelta(days=1),
        "rules": UseRules(valid_days=90),
        "store_ids": (uuid4(),),
    }
    return DealContent(**{**said, **changes})


def test_codes_are_ten_characters_that_nobody_confuses_and_differ() -> None:
    codes = {new_code() for _ in range(2000)}
    assert len(codes) == 2000
    assert all(re.fullmatch(r"[1-9A-HJ-NP-Za-km-z]{10}", code) for code in codes)


@pytest.mark.parametrize(
    ("price_fen", "title"), [(12800, "双人套餐 ¥128"), (990, "双人套餐 ¥9.90"), (1, "双人套餐 ¥0.01")]
)
def test_the_preview_names_the_deal_and_its_price(price_fen: int, title: str) -> None:
    preview = open_graph(SHARE, _content(price_fen=price_fen), BadgeState.ON_SALE)
    assert (preview.title, preview.price_fen, preview.state) == (title, price_fen, BadgeState.ON_SALE)
    assert preview.url == "/s/7YWHMfk9JZ"


@pytest.mark.parametrize(
    ("description", "told"),
    [("含锅底\n  和六份菜", "含锅底 和六份菜"), (" \n", "锅底、毛肚"), ("好" * 300, "好" * 150)],
)
def test_the_preview_says_in_one_short_line_what_the_buyer_gets(description: str, told: str) -> None:
    assert open_graph(SHARE, _content(description=description), BadgeState.ENDED).description == told


def test_the_preview_does_not_say_who_shared() -> None:
    assert SHARE.sharer not in str(open_graph(SHARE, _content(), BadgeState.ON_SALE))
