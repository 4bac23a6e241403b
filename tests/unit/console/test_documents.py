"""What the documents say by hand is what the code says."""

import re
from functools import cache

import pytest

from services.console.system import ROOT
from shared.contracts import EVENTS

_TERMS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs/glossary.md").read_text().splitlines()
    if line.startswith("| ") and not line.startswith("| 中文")
]


@cache
def _words_of_the_code() -> frozenset[str]:
    sources = [*(ROOT / "services").rglob("*.py"), *(ROOT / "shared").rglob("*.py")]
    return frozenset(word for source in sources for word in re.findall(r"[A-Za-z][A-Za-z_]+", source.read_text()))


def test_the_architecture_names_every_event_and_who_hears_it() -> None:
    rows = re.findall(r"^\| `(\w+\.\w+)` \| ([^|]+) \|", (ROOT / "docs/architecture.md").read_text(), re.MULTILINE)
    said = {name: set(heard_by.split(", ")) for name, heard_by in rows}
    assert len(said) == len(rows), "each event has one row"
    assert said == {
        event.topic.rpartition(".")[0]: {reader.partition(".")[0] for reader in event.readers} for event in EVENTS
    }


@pytest.mark.parametrize("term", _TERMS, ids=lambda term: term[0])
def test_the_code_column_of_the_glossary_names_what_is_in_the_code(term: list[str]) -> None:
    named = re.findall(r"[A-Za-z][A-Za-z_]+", " ".join(re.findall(r"`([^`]+)`", term[2])))
    assert not [word for word in named if word not in _words_of_the_code() and word.strip("_") != "fen"]


def test_the_glossary_says_each_word_once() -> None:
    words = [word for chinese, *_ in _TERMS for word in re.split("[、；]", chinese)]
    assert sorted(words) == sorted(set(words))
