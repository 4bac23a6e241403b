"""Waiting for a condition instead of sleeping."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(ask: Callable[[], Awaitable[T | None]], *, within_s: float = 15.0, what: str = "") -> T:
    """The first truthy answer of `ask`; AssertionError with the last one when time is up."""
    deadline = time.monotonic() + within_s
    last: object = None
    while time.monotonic() < deadline:
        try:
            last = await ask()
            if last:
                return last
        except AssertionError as error:
            last = error
        await asyncio.sleep(0.02)
    raise AssertionError(f"not within {within_s} s: {what or ask}; last seen: {last!r}")
