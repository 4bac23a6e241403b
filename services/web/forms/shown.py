"""A form on its page: what stands in each field, what is wrong with it, and how many rows there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.web.forms.parts import Block, Rows, Typed
from services.web.problems import Problem
from services.web.texts import Speech

MORE = "more."
_MORE_ROWS = 3


@dataclass(frozen=True, slots=True)
class Shown:
    """What a template needs of a form. `wrong` is in words, by the names of the fields; `more` names the rows of which
    more were asked for."""

    blocks: Sequence[Block]
    typed: Typed
    wrong: Mapping[str, str] = field(default_factory=dict)
    problem: Problem | None = None
    more: str = ""

    def value(self, name: str) -> str:
        """What stands in a field."""
        return (self.typed.get(name) or [""])[0]

    def chosen(self, name: str, option: str) -> bool:
        """Whether an option of a field is chosen."""
        return option in self.typed.get(name, [])

    def rows(self, part: Rows) -> range:
        """The numbers of the rows: those in which something stands, and blank ones."""
        known = part.count(self.typed)
        return range(known + _MORE_ROWS if self.more == part.path else max(part.blank, known + 1))

    def opened(self, block: Block) -> bool:
        """Whether a folded block has something to see."""
        starts = tuple(name for part in block.parts for name in (part.path, f"{part.path}."))
        return any(self._says(name) for name in (*self.typed, *self.wrong) if name.startswith(starts)) or (
            self.more in {part.path for part in block.parts}
        )

    def _says(self, name: str) -> bool:
        return name in self.wrong or any(text.strip() for text in self.typed.get(name, []))


def in_words(wrong: Mapping[str, str], speech: Speech) -> dict[str, str]:
    """The texts of what is wrong with the fields."""
    return {name: speech(key) for name, key in wrong.items()}
