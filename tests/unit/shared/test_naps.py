"""Loops that nap until they are woken can be stopped in any moment."""

import asyncio

import pytest

from shared.messaging.naps import set_within


@pytest.mark.parametrize("turns", range(6))
async def test_a_loop_that_is_woken_and_cancelled_in_one_moment_ends(turns: int) -> None:
    wake = asyncio.Event()

    async def nap_for_ever() -> None:
        while True:
            wake.clear()
            await set_within(wake, 60)

    loop = asyncio.create_task(nap_for_ever())
    await asyncio.sleep(0.01)
    wake.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    loop.cancel()
    done, _ = await asyncio.wait([loop], timeout=1)
    loop.cancel()
    assert done, "the cancellation was dropped"


async def test_it_tells_whether_the_event_came_in_time() -> None:
    event = asyncio.Event()
    assert not await set_within(event, 0.01)
    event.set()
    assert await set_within(event, 0.01)
