"""Tells a play step by step, one readable line each; the first step that does not hold ends it."""

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from rich.console import Console

from services.console.people import Refused
from shared.clock import SHANGHAI


class StepFailed(Exception):
    """A step of the journey did not do what it should."""


class Steps:
    """Numbers the steps and prints them as they end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._number = 0

    @contextmanager
    def step(self, zh: str, en: str) -> Iterator[Callable[[str], None]]:
        """One step: what happens inside must hold, and what it says is printed below."""
        self._number += 1
        started = time.perf_counter()
        said: list[str] = []
        try:
            yield said.append
        except Exception:
            self._console.print(f"{self._number:2}. ✗ {zh} · {en}", style="bold red", highlight=False, soft_wrap=True)
            raise
        took = time.perf_counter() - started
        self._console.print(
            f"{self._number:2}. ✓ [bold]{zh}[/] · {en} [dim]({took:.1f} s)[/]", highlight=False, soft_wrap=True
        )
        for line in said:
            self._console.print(f"      {line}", style="cyan", highlight=False, soft_wrap=True)


async def refused(attempt: Awaitable[Any], code: str) -> Refused:
    """The refusal of something that must be refused, and so."""
    try:
        await attempt
    except Refused as error:
        if error.code == code:
            return error
        raise StepFailed(f"refused as {error.code}, expected {code}") from error
    raise StepFailed(f"not refused, expected {code}")


def spaced(code: str) -> str:
    """A code in groups of four digits, as people read it."""
    return " ".join(code[start : start + 4] for start in range(0, len(code), 4))


def clock(moment: str) -> str:
    """A moment by Shanghai's clock."""
    return datetime.fromisoformat(moment).astimezone(SHANGHAI).strftime("%m-%d %H:%M:%S")
