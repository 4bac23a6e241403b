"""Business time on the pages: the sandbox moves it, and nothing else does."""

import asyncio
from datetime import UTC, datetime

import httpx
import pytest

from services.web.gateways.clock import follow
from services.web.settings import Settings
from shared.clock import Clock


async def followed(answer: httpx.Response, clock: Clock) -> None:
    """Follow the clock for one answer."""
    asked = asyncio.Event()

    def answered(_: httpx.Request) -> httpx.Response:
        asked.set()
        return answer

    async with httpx.AsyncClient(transport=httpx.MockTransport(answered)) as http:
        following = asyncio.create_task(follow(clock, "http://sandbox.town/clock", http))
        await asked.wait()
        await asyncio.sleep(0)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def test_the_pages_follow_the_sandboxs_clock() -> None:
    clock = Clock()
    await followed(httpx.Response(200, json={"offset_s": 86_400.0, "now": "2026-11-23T04:00:00Z"}), clock)
    assert 86_390 < (clock.now() - datetime.now(UTC)).total_seconds() < 86_410


@pytest.mark.parametrize(
    "answer", [httpx.Response(502), httpx.Response(200, text="<html>"), httpx.Response(200, json={})]
)
async def test_a_silent_sandbox_leaves_the_last_known_time(answer: httpx.Response) -> None:
    clock = Clock()
    clock.move_to_offset(3_600)
    await followed(answer, clock)
    assert 3_590 < (clock.now() - datetime.now(UTC)).total_seconds() < 3_610


def test_production_time_cannot_be_moved() -> None:
    keys = {"web": {"k1": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="}}
    with pytest.raises(ValueError, match="GROUPBUY_CLOCK_URL"):
        Settings(environment="production", seal_keys=keys, clock_url="http://sandbox.town/clock")
