"""A bare system: every schema has only the kernel's tables, and handlers are made up by the tests."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import asyncpg
import pytest

from shared.clock import Clock
from shared.contracts import SERVICES
from shared.database import Database
from shared.messaging import consuming
from shared.messaging.handlers import Handlers, Shell
from shared.messaging.outbox import OutboxSender
from shared.messaging.schema import STAFF_V1, V1, V2
from shared.service import Tasks
from tests.support import environment as environments
from tests.support.environment import Environment
from tests.support.servers import Servers


@dataclass(frozen=True, slots=True)
class Bare:
    """The bare environment and ways to run parts of the kernel in it."""

    environment: Environment

    @asynccontextmanager
    async def sending(
        self, service: str, sender_type: type[OutboxSender] = OutboxSender
    ) -> AsyncIterator[tuple[Database, OutboxSender]]:
        """A database with a running outbox sender."""
        async with AsyncExitStack() as stack:
            db = await stack.enter_async_context(self.environment.database_of(service))
            sender = sender_type(db, self.environment.local.amqp_urls[service], service)
            await sender.connect()
            stack.push_async_callback(sender.close)
            tasks = Tasks()
            stack.push_async_callback(tasks.stop)
            tasks.add(sender.run(), "outbox")
            yield db, sender

    @asynccontextmanager
    async def consuming(self, handlers: Handlers, clock: Clock | None = None) -> AsyncIterator[Database]:
        """A database with running consumers for these handlers, and the loop that retries what they parked."""
        async with AsyncExitStack() as stack:
            db = await stack.enter_async_context(self.environment.database_of(handlers.service, clock))
            shell = Shell(handlers, db, at_once=4)
            broker = consuming.make_broker(self.environment.local.amqp_urls[handlers.service], handlers.service)
            consuming.subscribe(broker, handlers, shell)
            tasks = Tasks()
            stack.push_async_callback(tasks.stop)
            await broker.start()
            stack.push_async_callback(broker.stop)
            tasks.add(shell.run_parked(), "parked")
            yield db


@pytest.fixture(scope="session")
async def bare(servers: Servers) -> AsyncIterator[Bare]:
    """An environment with the kernel's tables only, for the whole run."""
    made = environments.create(servers, services=())
    for service in SERVICES:
        connection = await asyncpg.connect(made.local.database_urls[service])
        await connection.execute(
            f"set search_path to {service}; {V1} {V2} {STAFF_V1} create table effects (key text, times int)"
        )
        await connection.close()
    yield Bare(made)
    environments.remove(made)
