"""The sandbox's business time, so that countdowns and "today" agree with the services."""

import asyncio

import httpx

from shared.clock import Clock
from shared.observability import log

_EVERY_S = 3.0


async def follow(clock: Clock, clock_url: str, http: httpx.AsyncClient) -> None:
    """Keep `clock` at the sandbox's offset, for ever. While the sandbox is silent, the last known offset holds."""
    silent = False
    while True:
        try:
            answer = await http.get(clock_url)
            answer.raise_for_status()
            clock.move_to_offset(float(answer.json()["offset_s"]))
            silent = False
        except (httpx.HTTPError, ValueError, KeyError) as error:
            if not silent:
                log.warning("clock_silent", reason=type(error).__name__)
            silent = True
        await asyncio.sleep(_EVERY_S)
