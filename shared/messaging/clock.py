"""Follows the sandbox's clock: asked at start, told by broadcast, and asked again now and then as the net."""

import asyncio
import json

import httpx

from shared.clock import Clock
from shared.observability import log

ASK_S = 5.0


class ClockFollower:
    """Keeps the process's business clock at the sandbox's offset. Never built in production."""

    def __init__(self, clock: Clock, url: str, client: httpx.AsyncClient) -> None:
        self._clock = clock
        self._url = url
        self._client = client
        self._offset_s = 0.0

    async def hear(self, body: bytes) -> None:
        """Take a broadcast offset."""
        self._take(float(json.loads(body)["offset_s"]))

    async def ask(self) -> None:
        """Take the offset that the sandbox has now; keep the one we have if it does not answer."""
        try:
            answer = await self._client.get(self._url, timeout=2)
            self._take(float(answer.json()["offset_s"]))
        except (httpx.HTTPError, ValueError, KeyError) as error:
            log.warning("clock_not_answered", reason=repr(error)[:200])

    async def run(self) -> None:
        """Ask again every few seconds: a broadcast during a reconnect is lost."""
        while True:
            await asyncio.sleep(ASK_S)
            await self.ask()

    def _take(self, offset_s: float) -> None:
        if offset_s != self._offset_s:
            self._offset_s = offset_s
            self._clock.move_to_offset(offset_s)
            log.info("clock_moved", offset_s=offset_s)
