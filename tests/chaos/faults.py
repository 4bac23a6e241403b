"""A seeded schedule of faults: processes killed and stopped, broker and database killed."""

import asyncio
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from services.console.system import START_ORDER, System


@dataclass(slots=True)
class Faults:
    """Breaks the system until the deadline, then heals it. Counts what it did."""

    system: System
    choices: random.Random
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """How many faults there were."""
        return sum(self.counts.values())

    async def run(self, until: float) -> None:
        """Small faults every second or so, a server every ten; each heals at once."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._again_and_again(until, 0.4, 1.5, self._small))
            group.create_task(self._again_and_again(until, 5.0, 10.0, self._postgres))
            group.create_task(self._again_and_again(until, 12.0, 20.0, self._rabbit))

    async def heal(self) -> None:
        """Everything runs again and is ready."""
        await asyncio.to_thread(self.system.postgres.start)
        await asyncio.to_thread(self.system.rabbit.start)
        await asyncio.to_thread(self.system.start_services, START_ORDER)

    async def _again_and_again(
        self, until: float, shortest_s: float, longest_s: float, act: Callable[[], Awaitable[str]]
    ) -> None:
        while True:
            await asyncio.sleep(self.choices.uniform(shortest_s, longest_s))
            if time.monotonic() > until:
                return
            name = await act()
            self.counts[name] = self.counts.get(name, 0) + 1

    async def _small(self) -> str:
        name = self.choices.choice(START_ORDER)
        if self.choices.random() < 0.5:
            await asyncio.to_thread(self.system.kill, name)
            await asyncio.to_thread(self.system.launch, name)
            return "kill"
        pid = self.system.pid(name)
        if pid is not None:
            pause_s = self.choices.uniform(0.5, 3.0)
            os.kill(pid, signal.SIGSTOP)
            try:
                await asyncio.sleep(pause_s)
            finally:
                os.kill(pid, signal.SIGCONT)
        return "stop"

    async def _postgres(self) -> str:
        await asyncio.to_thread(self.system.postgres.kill)
        await asyncio.to_thread(self.system.postgres.start)
        return "postgres"

    async def _rabbit(self) -> str:
        await asyncio.to_thread(self.system.rabbit.kill)
        await asyncio.to_thread(self.system.rabbit.start)
        return "rabbitmq"
