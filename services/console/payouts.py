"""Settlement's payouts, asked for by the numbers under which the channel knows them."""

from collections.abc import Iterable, Sequence
from typing import Any

from services.console.people import Person

AT_ONCE = 500
_LETTERS = frozenset("0123456789abcdef")


async def find_payouts(operator: Person, numbers: Iterable[str]) -> list[Any]:
    """What settlement knows of these; a number that it cannot have given is asked for by nobody."""
    ours = sorted({number for number in numbers if len(number) == 32 and _LETTERS.issuperset(number)})
    found: list[Any] = []
    for some in slices(ours):
        answer = await operator.post("settlement", "/admin/bills/payouts", {"numbers": some})
        found += answer["items"]
    return found


def slices(values: Sequence[str]) -> list[Sequence[str]]:
    """As many as one request may ask for."""
    return [values[start : start + AT_ONCE] for start in range(0, len(values), AT_ONCE)]
