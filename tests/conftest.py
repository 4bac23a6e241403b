"""Fixtures that every test may use; servers start only when one of them is asked for."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from shared.database import Database
from tests.support import environment as environments
from tests.support.environment import Environment
from tests.support.servers import Servers, running_servers


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """One Postgres and one RabbitMQ for the run: containers or private processes, by GROUPBUY_TEST_INFRA."""
    with running_servers() as started:
        yield started


@pytest.fixture(scope="session")
def environment(servers: Servers) -> Iterator[Environment]:
    """The environment that integration tests share: they use fresh ids instead of cleaning up."""
    made = environments.create(servers)
    yield made
    environments.remove(made)


@pytest.fixture
async def service_db(environment: Environment) -> AsyncIterator[Callable[[str], Awaitable[Database]]]:
    """`db = await service_db("checkout")`: a pool of that service's own role on its migrated schema."""
    async with AsyncExitStack() as stack:

        async def open_database(service: str) -> Database:
            return await stack.enter_async_context(environment.database_of(service))

        yield open_database
