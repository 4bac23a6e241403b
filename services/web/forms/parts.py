"""What forms are made of: fields, rows, blocks. Each reads what was typed, and is filled from what the API said."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from services.web.forms.values import Unreadable, Value

ANY_ROW = "#"
_CHOSEN = {"choice", "choices", "stores", "weekdays"}

Typed = dict[str, list[str]]
"""Everything that a form sent, by the names of its fields."""


@dataclass(slots=True)
class Reading:
    """One reading of a form: what was `typed` (rows close up), the `body` so far, and the text of what is `wrong`
    with each field."""

    typed: Typed
    body: dict[str, Any] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)


class Part(Protocol):
    """Something of a form."""

    @property
    def path(self) -> str: ...

    def names(self) -> Iterable[str]:
        """The names at which the part shows what is wrong; those of rows with ANY_ROW for their number."""

    def read(self, reading: Reading) -> None:
        """Put what was typed into the body, or what is wrong with it beside its field."""

    def fill(self, said: Mapping[str, Any], typed: Typed) -> None:
        """Type what the API said."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `path` is the API's; `least` and `most` are of the number, or of the text's length."""

    path: str
    value: Value
    needed: bool = False
    least: int | None = None
    most: int | None = None
    options: tuple[str, ...] = ()
    half: bool = False

    def names(self) -> Iterable[str]:
        return (self.path,)

    def read(self, reading: Reading) -> None:
        self.read_as(self.path, reading, reading.body)

    def read_as(self, name: str, reading: Reading, body: dict[str, Any]) -> None:
        """Read the field of this name into a body of its own."""
        try:
            value = self.value.read(reading.typed.get(name, []))
        except Unreadable as unreadable:
            reading.wrong[name] = unreadable.key
            return
        if value is not None:
            put(body, self.path, value)
        elif self.needed:
            reading.wrong[name] = "write.wrong.choose" if self.value.look in _CHOSEN else "write.wrong.needed"

    def fill(self, said: Mapping[str, Any], typed: Typed) -> None:
        self.fill_as(self.path, said, typed)

    def fill_as(self, name: str, said: Mapping[str, Any], typed: Typed) -> None:
        """Type into the field of this name."""
        value = found(said, self.path)
        if value is not None and (texts := self.value.write(value)):
            typed[name] = texts


@dataclass(frozen=True, slots=True)
class Rows:
    """Fields that come several times, `items.0.name`; rows in which nothing was typed do not count. How many are too
    many, the API says."""

    path: str
    fields: tuple[Field, ...]
    blank: int = 1
    needed: bool = False

    def names(self) -> Iterable[str]:
        return (self.path, *(f"{self.path}.{ANY_ROW}.{one.path}" for one in self.fields))

    def read(self, reading: Reading) -> None:
        self.close_up(reading.typed)
        rows = []
        for number in range(self.count(reading.typed)):
            row: dict[str, Any] = {}
            for one in self.fields:
                one.read_as(f"{self.path}.{number}.{one.path}", reading, row)
            rows.append(row)
        if rows or not self.needed:
            put(reading.body, self.path, rows)
        else:
            reading.wrong[self.path] = "write.wrong.row_needed"

    def fill(self, said: Mapping[str, Any], typed: Typed) -> None:
        for number, row in enumerate(found(said, self.path) or ()):
            for one in self.fields:
                one.fill_as(f"{self.path}.{number}.{one.path}", row, typed)

    def count(self, typed: Typed) -> int:
        """How many rows there are, up to the last in which something was typed."""
        return max(self._numbers(typed), default=-1) + 1

    def close_up(self, typed: Typed) -> None:
        """Number the rows anew without the blank ones, so that the API's numbers are the page's."""
        kept = [self._row(number, typed) for number in self._numbers(typed)]
        for name in [one for one in typed if one.startswith(f"{self.path}.")]:
            del typed[name]
        for number, row in enumerate(kept):
            typed |= {f"{self.path}.{number}.{name}": texts for name, texts in row.items()}

    def _row(self, number: int, typed: Typed) -> Typed:
        names = {one.path: f"{self.path}.{number}.{one.path}" for one in self.fields}
        return {path: typed[name] for path, name in names.items() if name in typed}

    def _numbers(self, typed: Typed) -> list[int]:
        found_at = set()
        for name, texts in typed.items():
            number, _, rest = name.removeprefix(f"{self.path}.").partition(".")
            if name.startswith(f"{self.path}.") and rest and _is_number(number) and any(one.strip() for one in texts):
                found_at.add(int(number))
        return sorted(found_at)


@dataclass(frozen=True, slots=True)
class Block:
    """What stands together under a heading; a `folded` one is opened by whoever needs it."""

    name: str
    parts: tuple[Part, ...]
    folded: bool = False


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 5


def put(body: dict[str, Any], path: str, value: Any) -> None:
    """Set a value deep in a body: `cash.face_value_fen`."""
    *outer, last = path.split(".")
    for name in outer:
        body = body.setdefault(name, {})
    body[last] = value


def found(said: Mapping[str, Any], path: str) -> Any:
    """A value deep in what was said, or None."""
    value: Any = said
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def read(blocks: Sequence[Block], typed: Typed) -> Reading:
    """Everything that was typed, as the API's body."""
    reading = Reading(typed)
    for block in blocks:
        for part in block.parts:
            part.read(reading)
    return reading


def fill(blocks: Sequence[Block], said: Mapping[str, Any]) -> Typed:
    """A form in which stands what the API said."""
    typed: Typed = {}
    for block in blocks:
        for part in block.parts:
            part.fill(said, typed)
    return typed
