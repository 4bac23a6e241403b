"""Every refusal can be told apart by programs and read by people."""

import inspect
import re

import pytest

from services.catalog.domain import refusals
from shared.errors import DomainError

ALL = [
    refusal
    for _, refusal in inspect.getmembers(refusals, inspect.isclass)
    if issubclass(refusal, DomainError) and refusal.__module__ == refusals.__name__
]


@pytest.mark.parametrize("refusal", ALL, ids=lambda refusal: refusal.code)
def test_a_refusal_has_its_own_code_and_a_text_in_both_languages(refusal: type[DomainError]) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", refusal.code)
    assert [other for other in ALL if other.code == refusal.code] == [refusal]
    assert re.search(r"[一-鿿]", refusal.zh)
    assert re.search(r"[A-Za-z]{3}", refusal.en)
    assert re.findall(r"\{(\w+)\}", refusal.zh) == re.findall(r"\{(\w+)\}", refusal.en)
    assert 400 <= refusal.status < 500
