"""Cursors: what comes out is what went in, and nothing else is taken."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.paging import CursorInvalid, cursor_of, page_of, read_cursor

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
MOMENT = datetime(2026, 11, 22, 12, tzinfo=UTC)


WHOLE = st.integers(1 - 2**63, 2**63 - 1)


@given(st.datetimes(timezones=st.just(UTC)), st.uuids(), WHOLE, TEXT, st.dates())
def test_a_cursor_gives_back_its_position(moment: datetime, id: UUID, number: int, text: str, day: date) -> None:
    position = (moment, id, number, text, day)
    assert read_cursor(cursor_of(*position), datetime, UUID, int, str, date) == position


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "???",
        "中文",
        cursor_of("x"),
        cursor_of(MOMENT),
        cursor_of(MOMENT.replace(tzinfo=None), UUID(int=1)),
        cursor_of(MOMENT, UUID(int=1), 3),
        cursor_of(1, 2),
        cursor_of("0001-01-01T00:00:00+14:00", UUID(int=1)),
        "bnVsbA==",
    ],
)
def test_any_other_text_is_refused(cursor: str) -> None:
    with pytest.raises(CursorInvalid):
        read_cursor(cursor, datetime, UUID)


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, True, 1.5, "1"])
def test_a_number_that_the_database_would_not_take_is_refused(number: object) -> None:
    with pytest.raises(CursorInvalid):
        read_cursor(cursor_of(number), int)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (2**63, int),
        (True, int),
        (10**400, float),
        (float("inf"), float),
        (float("nan"), float),
        ("1.5", float),
        ("a\0b", str),
        ("\ud800", str),
        (7, str),
    ],
)
def test_a_value_that_no_column_holds_is_refused(value: object, kind: type) -> None:
    with pytest.raises(CursorInvalid):
        read_cursor(cursor_of(value), kind)


def test_the_last_page_has_no_cursor_and_the_others_end_where_the_next_begins() -> None:
    assert page_of([1, 2], 2, lambda row: (row,)).next_cursor is None
    page = page_of([1, 2, 3], 2, lambda row: (row,))
    assert list(page.items) == [1, 2]
    assert read_cursor(page.next_cursor, int) == (2,)
