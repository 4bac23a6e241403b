"""One isolated system inside the shared servers: its own database, virtual host, keys and ports."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from services.console.environment import PORTS, Local
from services.console.local.ports import free_port
from services.sandbox.keys import make_missing
from shared.clock import Clock
from shared.contracts import SERVICES
from shared.database import Database, connect
from shared.messaging import topology
from shared.migrate import migrate
from tests.support.servers import ROOT, USERS, Servers


@dataclass(frozen=True, slots=True)
class Environment:
    """A database with migrated schemas and a virtual host with the whole topology."""

    servers: Servers
    database: str
    vhost: str
    local: Local

    @asynccontextmanager
    async def database_of(
        self, service: str, clock: Clock | None = None, pool_size: int = 10
    ) -> AsyncIterator[Database]:
        """A pool of a service's own role, bound to its schema."""
        db = await connect(self.local.database_urls[service], service, clock or Clock(), pool_size=pool_size)
        try:
            yield db
        finally:
            await db.close()


def create(servers: Servers, services: tuple[str, ...] = SERVICES) -> Environment:
    """Make a new environment; schemas of services that have no migrations yet stay empty."""
    name = f"t_{secrets.token_hex(4)}"
    servers.provision(name)
    var: Path = servers.scratch / name
    var.mkdir(parents=True)
    make_missing(var / "keys")
    _open_vhost(servers, name)
    local = Local(
        var=var,
        ports={service: free_port() for service in PORTS},
        database_urls={service: servers.database_url(service, name) for service in SERVICES},
        amqp_urls={user: servers.amqp_url(user, name) for user in USERS},
    )
    for service in services:
        if any((ROOT / "services" / service / "migrations").glob("*.py")):
            migrate(service, local.database_urls[service])
    return Environment(servers, name, name, local)


def _open_vhost(servers: Servers, vhost: str) -> None:
    management = servers.management
    management.create_vhost(vhost)
    management.import_definitions(vhost, topology.topology())
    for user in USERS:
        management.set_permissions(vhost, user, **topology.permissions(user))
        for entry in topology.topic_permissions(user):
            management.set_topic_permissions(vhost, user, **entry)
    # The harness itself looks at queues and publishes copies.
    management.set_permissions(vhost, management.user, configure=".*", write=".*", read=".*")


def remove(environment: Environment) -> None:
    """Take the database and the virtual host away."""
    environment.servers.management.delete_vhost(environment.vhost)
    environment.servers.drop_database(environment.database)
