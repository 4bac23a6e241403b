"""Whatever runs in the background of a service can be stopped."""

import asyncio

from shared.service import Tasks


async def test_a_loop_in_which_an_outage_took_the_place_of_its_cancellation_is_stopped_all_the_same() -> None:
    tasks, lost = Tasks(), asyncio.Event()

    async def lives_through_outages() -> None:
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if lost.is_set():
                    raise
                # A connection is closed on the way out, and that fails.
                lost.set()

    tasks.add(lives_through_outages(), "loop")
    await asyncio.sleep(0)
    await asyncio.wait_for(tasks.stop(again_s=0.01), 2)
    assert lost.is_set()
