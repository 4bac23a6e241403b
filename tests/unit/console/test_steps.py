"""The steps of the demo: a step that does not hold ends it, and a refusal is the one that was expected."""

from collections.abc import Awaitable
from io import StringIO

import pytest
from rich.console import Console

from services.console.people import Refused
from services.console.steps import StepFailed, Steps, refused


async def _refuse(code: str) -> None:
    raise Refused(409, code, {})


async def _accept() -> None:
    pass


def test_steps_are_numbered_and_what_they_say_stands_below() -> None:
    told = StringIO()
    steps = Steps(Console(file=told, width=200))
    with steps.step("开店", "shops open") as say:
        say("老码头火锅")
    with pytest.raises(StepFailed), steps.step("下单", "somebody orders"):
        raise StepFailed("nothing is left")
    lines = told.getvalue().splitlines()
    assert [line.partition(" (")[0].strip() for line in lines] == [
        "1. ✓ 开店 · shops open", "老码头火锅", "2. ✗ 下单 · somebody orders"
    ]  # fmt: skip


async def test_the_expected_refusal_is_returned() -> None:
    assert (await refused(_refuse("unit_used"), "unit_used")).code == "unit_used"


@pytest.mark.parametrize("attempt", [_refuse("not_found"), _accept()], ids=["another refusal", "no refusal"])
async def test_anything_but_the_expected_refusal_fails_the_step(attempt: Awaitable[None]) -> None:
    with pytest.raises(StepFailed):
        await refused(attempt, "unit_used")
