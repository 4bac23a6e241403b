"""What is typed into forms is read as people type it, written back as they would, and refused at the right field."""

from typing import Any

import pytest

from services.catalog.domain import refusals as catalog_refusals
from services.catalog.domain.refusals import deal_categories, deal_content, deal_forms
from services.web.forms import values
from services.web.forms.deal import FORMS, blocks_of
from services.web.forms.deal_categories import CATEGORIES
from services.web.forms.deal_kinds import items
from services.web.forms.parts import ANY_ROW, Block, Rows, read
from services.web.forms.refusals import FIELDS, told_at
from services.web.forms.shown import Shown
from services.web.forms.store import BLOCKS
from services.web.forms.values import Unreadable, Value
from services.web.gateways.service import Refused
from services.web.texts import TEXTS, Speech
from shared.errors import DomainError

READ: list[tuple[Value, str, Any]] = [
    (values.YUAN, "128", 12800),
    (values.YUAN, "¥1,280.5", 128050),
    (values.YUAN, "￥１２８．００", 12800),
    (values.YUAN, " ", None),
    (values.WHOLE, "０12", 12),
    (values.DEGREES, "110.331", 110.331),
    (values.CLOCK, "9：30", "09:30"),
    (values.CLOCK, "24:00", "24:00"),
    (values.DAY, "2027-2-5", "2027-02-05"),
    (values.MOMENT, "2027-02-05T10:30", "2027-02-05T10:30:00+08:00"),
    (values.DAYS, "2027-02-05 至 2027-02-06\r\n\r\n2027-05-01", ["2027-02-05", "2027-02-06", "2027-05-01"]),
    (values.PARAGRAPH, " a\r\nb ", "a\nb"),
    (values.LINES, "到达\r\n\r\n 返程 ", ["到达", "返程"]),
]
UNREADABLE: list[tuple[Value, str]] = [
    (values.YUAN, "12.345"),
    (values.YUAN, "x"),
    (values.WHOLE, "1.5"),
    (values.WHOLE, "五"),
    (values.WHOLE, "9" * 13),
    (values.DEGREES, "inf"),
    (values.CLOCK, "24:01"),
    (values.CLOCK, "10:60"),
    (values.DAY, "2027-02-30"),
    (values.DAY, "2027-02"),
    (values.MOMENT, "tomorrow"),
    (values.DAYS, "2027-02-06 ~ 2027-02-05"),
    (values.DAYS, "2027-02-05 2028-02-06"),
    (values.DAYS, "2027-02-05, 2027-02-06, 2027-02-07"),
    (values.DAYS, "2027-02-05 12"),
    (values.WEEKDAYS, "Monday"),
]
WRITTEN: list[tuple[Value, Any, str]] = [
    (values.YUAN, 12800, "128"),
    (values.YUAN, 12850, "128.50"),
    (values.MOMENT, "2027-02-05T02:30:00Z", "2027-02-05T10:30"),
    (values.MOMENT, "2027-02-05T02:30:15Z", "2027-02-05T10:30:15"),
    (values.DAYS, ["2027-02-07", "2027-02-05", "2027-02-06", "2027-05-01"], "2027-02-05 ~ 2027-02-07\n2027-05-01"),
]


@pytest.mark.parametrize(("value", "typed", "expected"), READ)
def test_what_people_type_is_understood(value: Value, typed: str, expected: Any) -> None:
    assert value.read([typed]) == expected


@pytest.mark.parametrize(("value", "typed"), UNREADABLE)
def test_what_cannot_be_meant_is_told(value: Value, typed: str) -> None:
    with pytest.raises(Unreadable) as told:
        value.read([typed])
    assert told.value.key in TEXTS


@pytest.mark.parametrize(("value", "said", "typed"), WRITTEN)
def test_what_the_api_says_is_written_as_one_would_type_it(value: Value, said: Any, typed: str) -> None:
    assert value.write(said) == [typed]


def test_blank_rows_close_up_so_that_the_apis_numbers_are_the_pages() -> None:
    block = items(needed=True, portions=False)
    typed = {
        "items.0.name": [" "],
        "items.2.name": ["锅底"],
        "items.2.quantity": ["1"],
        "items.2.price_fen": ["68"],
        "items.7.name": ["毛肚"],
        "items.7.price_fen": ["x"],
    }
    reading = read([block], typed)
    assert reading.body["items"][0] == {"name": "锅底", "quantity": 1, "price_fen": 6800}
    assert reading.wrong == {"items.1.quantity": "write.wrong.needed", "items.1.price_fen": "write.wrong.amount"}
    assert (typed["items.1.name"], "items.7.name" in typed) == (["毛肚"], False)
    (rows,) = (part for part in block.parts if isinstance(part, Rows))
    assert list(Shown([block], typed).rows(rows)) == [0, 1, 2]
    assert list(Shown([block], typed, more="items").rows(rows)) == [0, 1, 2, 3, 4]


def _everything() -> list[Block]:
    said = ["catering.", "rules."]
    every = [blocks_of(form, category, said, published=False) for form in FORMS for category in CATEGORIES]
    return [*(block for blocks in every for block in blocks), *BLOCKS]


def test_every_field_and_block_has_a_word() -> None:
    for block in _everything():
        assert f"write.block.{block.name}" in TEXTS
        for part in block.parts:
            for one in part.fields if isinstance(part, Rows) else ():
                own = f"write.field.{part.path}.{one.path}"
                assert own in TEXTS or f"write.field.rows.{one.path}" in TEXTS, own
            assert isinstance(part, Rows) or f"write.field.{part.path}" in TEXTS, part.path


# These are about parts that no form of the pages can send.
_NOT_TYPED = {"cash_terms_not_allowed", "uses_not_allowed", "code_source_not_allowed", "category_not_for_goods",
              "delivery_terms_not_allowed", "template_not_allowed", "template_needed"}  # fmt: skip


def test_every_rule_of_catalog_about_what_a_deal_says_is_told_at_a_field_that_a_form_has() -> None:
    codes = {
        one.code
        for module in (deal_content, deal_forms, deal_categories)
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, DomainError) and one.__module__ == module.__name__
    }
    own = {"party_range_empty"}
    assert codes - _NOT_TYPED - own - FIELDS.keys() == set()
    names = {name for block in _everything() for part in block.parts for name in part.names()}
    assert set(FIELDS.values()) <= names
    assert {catalog_refusals.StoreNotVerified.code, catalog_refusals.StoreNotOfMerchant.code} <= FIELDS.keys()


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("body.title", "title"),
        ("body.items.1.quantity", "items.1.quantity"),
        ("body.items.1", "items"),
        ("body.cash.face_value_fen", None),
        ("body.catering.party_min", "catering.party_min"),
        ("body.store_ids.0", "store_ids"),
        ("body", None),
    ],
)
def test_a_malformed_field_is_told_where_it_stands(path: str, field: str | None) -> None:
    error = {"field": path, "code": "string_too_long", "detail": "…"}
    refused = Refused(422, "malformed_input", "请求内容有误", {"errors": [error]})
    blocks = blocks_of("SET", "CATERING", [], published=False)
    told = told_at(refused, blocks, {}, Speech("zh"))
    assert told == ({} if field is None else {field: "内容过长"})
    assert ANY_ROW not in "".join(told)


def test_a_rule_about_what_this_form_does_not_have_is_told_above_it() -> None:
    refused = Refused(422, "use_ends_before_sale", "使用截止时间不能早于售卖结束时间", {})
    assert told_at(refused, blocks_of("GOODS", "OTHER", [], published=False), {}, Speech("zh")) == {}
