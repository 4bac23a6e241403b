"""A minute of chaos belongs to every test run."""

import pytest

from tests.chaos.run import run
from tests.support.servers import wanted_infrastructure


@pytest.mark.chaos
@pytest.mark.timeout(600)
async def test_a_minute_of_chaos_loses_nothing_and_doubles_nothing() -> None:
    if wanted_infrastructure() == "docker":
        pytest.skip("the chaos run has private servers of its own; containers prove the journeys")
    verdict = await run(seed=1, minutes=1)
    print(verdict.line())
    assert verdict.holds, (
        f"{verdict.line()} {verdict.lost[:5]} {verdict.doubled[:5]} {verdict.unbalanced[:5]} {verdict.stuck[:5]}"
    )
