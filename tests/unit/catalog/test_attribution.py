"""Attribution tokens say where a deal was seen, and nobody else can make one."""

import base64
import re
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalog.domain.attribution import Attributions, Placement, Source, SourceKind
from services.catalog.domain.refusals import AttributionUnknown
from shared.sealed import Seals


def _attributions(first: int = 0) -> Attributions:
    key = base64.b64encode(bytes(range(first, first + 32))).decode()
    return Attributions(Seals({"catalog": {"k1": key}}))


ATTRIBUTIONS = _attributions()
SOURCES = st.builds(Source, st.sampled_from(Placement), st.uuids())
CHARACTERS = st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_")


@given(SOURCES)
def test_a_token_reads_back_as_what_it_was_made_of_and_fits_into_an_address(source: Source) -> None:
    token = ATTRIBUTIONS.token(source)
    assert re.fullmatch(r"[0-9A-Za-z_-]{1,64}", token)
    assert ATTRIBUTIONS.source(token) == source


@given(SOURCES, st.integers(0, 39), CHARACTERS)
def test_no_changed_character_resolves(source: Source, position: int, character: str) -> None:
    token = ATTRIBUTIONS.token(source)
    changed = token[:position] + character + token[position + 1 :]
    if changed != token:
        with pytest.raises(AttributionUnknown):
            ATTRIBUTIONS.source(changed)


@given(st.text(max_size=70) | st.text(CHARACTERS, min_size=40, max_size=40))
def test_no_made_up_text_resolves(text: str) -> None:
    with pytest.raises(AttributionUnknown):
        ATTRIBUTIONS.source(text)


@given(SOURCES, st.text(min_size=1, max_size=3))
def test_nothing_may_be_added_to_a_token(source: Source, more: str) -> None:
    for changed in (ATTRIBUTIONS.token(source) + more, more + ATTRIBUTIONS.token(source)):
        with pytest.raises(AttributionUnknown):
            ATTRIBUTIONS.source(changed)


def test_the_token_of_one_placement_is_not_that_of_another() -> None:
    content_id = uuid4()
    assert len({ATTRIBUTIONS.token(Source(placement, content_id)) for placement in Placement}) == len(Placement)


def test_a_token_of_another_key_does_not_resolve() -> None:
    with pytest.raises(AttributionUnknown):
        ATTRIBUTIONS.source(_attributions(1).token(Source(Placement.LIVE_LIST, uuid4())))


def test_tokens_that_orders_keep_are_read_for_ever() -> None:
    source = Source(Placement.COMMENTS_TOP, UUID("0190c0de-0000-7000-8000-000000000001"))
    assert ATTRIBUTIONS.token(source) == "AgGQwN4AAHAAgAAAAAAAAAELTxchcfrwSShvwCDd"
    assert source.kind is SourceKind.VIDEO
