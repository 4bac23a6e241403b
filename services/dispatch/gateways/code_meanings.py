"""What a carrier's code means, where it publishes no table of errors and the deployment's settings say it."""

from collections.abc import Collection, Iterable
from typing import Any

from services.dispatch.gateways.port import Outcome, Reason, Result

Meaning = tuple[Collection[int], Outcome | Reason]


def read_code(code: int, message: str, meanings: Iterable[Meaning]) -> Result[Any]:
    """The outcome of an answer that is no success: the first list with the code decides. A code in none of them is a
    refusal whose reason nobody knows."""
    found = next((means for codes, means in meanings if code in codes), Reason.OTHER)
    if isinstance(found, Outcome):
        return Result(found, code=str(code), message=message)
    return Result(Outcome.REJECTED, reason=found, code=str(code), message=message)
