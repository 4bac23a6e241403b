"""Waiting for an event, or for a time."""

import asyncio


async def set_within(event: asyncio.Event, seconds: float) -> bool:
    """Whether `event` was set before the time was up.

    Not `asyncio.wait_for`: until Python 3.12 it drops a cancellation that arrives in the moment in which the event is
    set, and a loop that naps with it then goes on for ever while its process waits for it to stop."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
