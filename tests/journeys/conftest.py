"""The whole system as real processes in an environment of its own."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import MappingProxyType

import aio_pika
import httpx
import pytest

from services.console.environment import environment as variables
from services.console.local.processes import Processes
from services.console.people import World
from shared.contracts import SERVICES
from shared.ids import new_id
from tests.support import environment as environments
from tests.support.environment import Environment
from tests.support.servers import ROOT, Servers

PROCESSES = ("sandbox", *SERVICES)
READY_S = 90.0
OWN_SHOP = new_id()
"""The merchant that the platform runs itself, in the system that stands apart."""


@dataclass(frozen=True, slots=True)
class Running:
    """A running system: its people, its environment, and its processes."""

    world: World
    environment: Environment
    processes: Processes
    changes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def launch(self, name: str) -> None:
        """Start a process (again) without waiting."""
        argv = [sys.executable, "-m", f"services.{name}"]
        env = {**variables(name, self.environment.local), **self.changes.get(name, {})}
        self.processes.start(name, argv, env=env, cwd=ROOT)

    def kill(self, name: str) -> None:
        """SIGKILL."""
        self.processes.kill(name)

    def is_ready(self, name: str) -> bool:
        """Whether a process says that it can work."""
        try:
            return bool(httpx.get(f"{self.environment.local.url(name)}/readyz", timeout=3).status_code == 200)
        except httpx.TransportError:
            return False

    def await_ready(self) -> None:
        """Wait until every process is ready."""
        for name in PROCESSES:
            self.processes.await_ready(name, lambda name=name: self.is_ready(name), READY_S)  # type: ignore[misc]

    async def broker(self) -> aio_pika.abc.AbstractConnection:
        """A connection of the broker's administrator."""
        return await aio_pika.connect(self.administrator_url)

    @property
    def administrator_url(self) -> str:
        """The broker's address for its administrator."""
        management = self.environment.servers.management
        address = self.environment.local.amqp_urls["catalog"].rpartition("@")[2]
        return f"amqp://{management.user}:{management.password}@{address}"


@asynccontextmanager
async def running_system(
    servers: Servers, changes: Mapping[str, Mapping[str, str]] = MappingProxyType({})
) -> AsyncIterator[Running]:
    """A whole system in an environment of its own; `changes` are variables of single processes."""
    made = environments.create(servers)
    processes = Processes(made.local.var)
    urls = {name: made.local.url(name) for name in made.local.ports}
    async with httpx.AsyncClient(timeout=20, limits=httpx.Limits(max_connections=100)) as http:
        started = Running(World(urls, http, patience_s=60), made, processes, changes)
        try:
            for name in PROCESSES:
                started.launch(name)
            await asyncio.to_thread(started.await_ready)
            yield started
        finally:
            for name in PROCESSES:
                if processes.living(name) is None:
                    print(f"{name} has died:\n{processes.log_tail(name, 8)}")
            await asyncio.to_thread(processes.stop_all)
    environments.remove(made)


@pytest.fixture(scope="session")
async def running(servers: Servers) -> AsyncIterator[Running]:
    """One running system for all journeys: they use fresh shops and buyers."""
    async with running_system(servers) as started:
        yield started


@pytest.fixture(scope="session")
async def apart(servers: Servers) -> AsyncIterator[Running]:
    """Another one, for what would break the books of all others, and for shops that the platform runs itself."""
    async with running_system(servers, {"settlement": {"GROUPBUY_SELF_OPERATED": f'["{OWN_SHOP}"]'}}) as started:
        yield started
