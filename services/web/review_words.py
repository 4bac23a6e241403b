"""What catalog wrote of a merchant or a deal, as lines for the operator: nested facts with their names, in words."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from services.web.formats import moment, price
from services.web.hour_words import hours_lines, weekdays
from services.web.texts import Speech
from shared.contracts.hours import Hours

_HOURS = TypeAdapter[Hours](Hours)
_HOURS_NAMES = {"hours", "usable_hours", "blackout_hours"}
_MOMENTS = {"sale_from", "sale_until", "use_from", "use_until", "claimed_at"}
_MOST_LINES = 40


def named(facts: Mapping[str, Any], speech: Speech, without: Iterable[str] = ()) -> list[tuple[str, list[str]]]:
    """Each fact that says something, by its name."""
    told = [(name, lines(name, value, speech)) for name, value in facts.items() if name not in set(without)]
    return [(name_of(name, speech), shown) for name, shown in told if shown]


def name_of(name: str, speech: Speech) -> str:
    """What people call a field."""
    return speech.known(f"operator.fact.{name}") or name


def lines(name: str, value: Any, speech: Speech) -> list[str]:
    """A value in words, one thing a line; nothing for what is not said."""
    if value is None or value in ("", [], {}):
        return []
    if name in _HOURS_NAMES:
        return _hours(value, speech)
    if isinstance(value, dict):
        return [f"{key}: {' · '.join(shown)}" for key, shown in named(value, speech)]
    if isinstance(value, list):
        return _listed(name, value, speech)
    return [_word(name, value, speech)]


def _listed(name: str, values: list[Any], speech: Speech) -> list[str]:
    if name == "blackout_weekdays":
        return [weekdays(values, speech.language)]
    told = [
        " ".join(_plain(value, speech)) if isinstance(value, dict) else _word(name, value, speech)
        for value in values[:_MOST_LINES]
    ]
    rest = len(values) - _MOST_LINES
    return [*told, f"+{rest}"] if rest > 0 else told


def _plain(value: Mapping[str, Any], speech: Speech) -> list[str]:
    """An entry of a list, such as an item of a set: its values without their names."""
    told = ((key, one) for key, one in value.items() if one not in (None, "", [], {}))
    return [f"×{one}" if key == "quantity" else _word(key, one, speech) for key, one in told]


def _hours(value: Any, speech: Speech) -> list[str]:
    try:
        return hours_lines(_HOURS.validate_python(value), speech.language)
    except ValidationError:
        return [str(value)]


def _word(name: str, value: Any, speech: Speech) -> str:
    if name == "per_buyer_limit" and value == 0:
        return speech("rules.no_limit")
    if name.endswith("_fen") and isinstance(value, int):
        return price(value)
    if name in _MOMENTS and isinstance(value, str):
        try:
            return moment(datetime.fromisoformat(value), speech.language, with_year=True)
        except ValueError:
            return value
    return speech.known(f"operator.word.{value}") or str(value)
