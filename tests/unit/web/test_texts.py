"""The catalogue of texts is complete in both languages, and holds nothing that no page says."""

import re
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest

from services.web.gateways.catalog.deals import SaleState
from services.web.gateways.checkout import OrderFilter
from services.web.order_status import TONES
from services.web.rendering import HERE
from services.web.routes.refunds import REASONS
from services.web.texts import TEXTS, Speech

_SAID = re.compile(r"""\b(?:t|Speech\([^)]*\))(\.known)?\(\s*f?["']([\w.{}]+)["'](\s*~)?""")
_CHINESE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
# Keys whose last part comes from a service: the family is said, and every member of it may be.
_FAMILIES = ("sale.", "mode.", "status.", "certificate.", "refund.", "result.", "step.", "orders.filter.", "nav.",
             "board.", "delivery.then.", "attempt.", "doing.", "bearer.", "chosen_for.", "why_not.",
             "operator.", "role.", "line.", "payout.", "parcel.state.", "merchant.step", "service.", "hint.",
             "statement.held.", "refused.", "carrier.", "address.", "deal.items.",
             "deal.stores.", "rules.refund_text.", "form.", "claim.", "deal_state.", "invitation.", "fee.",
             "merchant.state.", "search.", "codes.count.", "books.kind.", "books.status.", "books.status_hint.",
             "books.rail.",
             "campaign.state.", "order_state.", "unit_state.", "scan.undo_reason.",
             "write.block.", "write.cover.", "write.field.",
             "write.hint.", "write.kind.", "write.option.", "write.rows.")  # fmt: skip


def _sources() -> str:
    files = [
        *HERE.rglob("*.html"),
        *(path for path in HERE.rglob("*.py") if path.parent.name != "texts" or path.name == "__init__.py"),
    ]
    return "\n".join(path.read_text() for path in sorted(files, key=str) if isinstance(path, Path))


@pytest.mark.parametrize("key", sorted(TEXTS))
def test_every_text_stands_in_both_languages_with_the_same_facts(key: str) -> None:
    zh, en = TEXTS[key]
    assert zh.strip()
    assert en.strip()
    assert not _CHINESE.search(en), "Chinese in an English text"
    facts = [{field for _, field, _, _ in Formatter().parse(text) if field} for text in (zh, en)]
    assert facts[0] == facts[1]


def test_every_key_that_a_page_says_exists() -> None:
    said = {key for known, key, joined in _SAID.findall(_sources()) if not known and not joined and "{" not in key}
    assert len(said) > 150
    assert said - TEXTS.keys() == set()


def test_no_text_is_left_that_no_page_says() -> None:
    sources = _sources()
    unsaid = {key for key in TEXTS if f'"{key}"' not in sources and f"'{key}'" not in sources}
    assert {key for key in unsaid if not key.startswith(_FAMILIES)} == set()


@pytest.mark.parametrize(
    "key",
    [
        *(f"sale.{state}" for state in get_args(SaleState)),
        *(f"orders.filter.{name}" for name in get_args(OrderFilter)),
        *(f"status.{status}" for status in TONES),
        *(f"status.hint.{status}" for status in TONES),
        *(f"refund.reason.{reason}" for reason in REASONS),
        *(f"codes.count.{state}" for state in ("free", "allocated", "used", "void", "waiting")),
        *(f"mode.{mode}" for mode in ("SELF", "INSTANT", "COURIER")),
        *(f"refund.state.{state}" for state in ("REQUESTED", "FENCING", "IN_REVIEW", "CONTESTED",
                                                "IN_ARBITRATION", "APPROVED", "SENT", "UNKNOWN", "FAILED",
                                                "SUCCEEDED", "REFUSED", "ABANDONED")),
        *(f"certificate.{state}" for state in ("ISSUING", "ISSUE_FAILED", "VALID", "USED", "SETTLED", "EXPIRED",
                                               "REFUNDING", "REFUNDED", "DISPUTED")),
    ],
)  # fmt: skip
def test_every_state_that_a_service_may_answer_has_a_word(key: str) -> None:
    assert key in TEXTS


def test_many_stores_are_one_line() -> None:
    assert Speech("zh").stores(["国贸店", "海甸店", "万绿园店"]) == "国贸店 等 3 家门店可用"
    assert Speech("en").stores(["Pier"]) == "Pier"
    assert not Speech("en").stores([])
