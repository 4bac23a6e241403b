"""Values on the wire, and the traps in them."""

import pytest

from services.dispatch.gateways.wire_values import fen, read_json, read_query, words, yuan_as_fen


def test_a_plus_in_a_query_string_is_a_plus() -> None:
    assert read_query(b"sign=ab%2Bc+d%3D%3D&name=%E9%97%AA") == {"sign": "ab+c+d==", "name": "闪"}
    assert read_query(b"") == {}


def test_a_query_string_that_is_no_text_is_refused() -> None:
    with pytest.raises(ValueError, match="utf-8"):
        read_query(b"a=%ff")


def test_brackets_without_end_are_refused_and_break_nothing() -> None:
    with pytest.raises(ValueError, match="too deeply"):
        read_json(b"[" * 200_000)


@pytest.mark.parametrize(("value", "amount"), [(1600, 1600), ("1600", 1600), (None, None), ("", None), (-1, None)])
def test_an_amount_in_fen_is_taken_as_it_is(value: object, amount: int | None) -> None:
    assert fen(value) == amount


@pytest.mark.parametrize(("value", "amount"), [(3.5, 350), ("3.50", 350), (0, 0), (None, None), ("NaN", None)])
def test_an_amount_in_yuan_becomes_fen(value: object, amount: int | None) -> None:
    assert yuan_as_fen(value) == amount


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("骑手甲 13800138000 不来了", "骑手甲 *** 不来了"),
        ("电话 0898-12345678", "电话 0898-***"),
        ("等了 20 分钟", "等了 20 分钟"),
        ("  ", None),
        (None, None),
        ("长" * 300, "长" * 200),
    ],
)
def test_what_somebody_at_a_carrier_wrote_is_kept_without_phones(value: object, text: str | None) -> None:
    assert words(value) == text
