"""One Postgres and one RabbitMQ for the whole test run: private local processes, or containers."""

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

from services.console.local.management import Management
from services.console.local.ports import free_port
from services.console.local.postgres import LocalPostgres
from services.console.local.rabbitmq import LocalRabbit
from services.console.local.scratch import scratch_directory
from shared.contracts import SERVICES

ROOT = Path(__file__).resolve().parent.parent.parent
USERS = (*SERVICES, "sandbox")


class Servers(Protocol):
    """What a test may do with the servers."""

    passwords: dict[str, str]
    scratch: Path

    @property
    def management(self) -> Management: ...
    def database_url(self, role: str, database: str) -> str: ...
    def amqp_url(self, user: str, vhost: str) -> str: ...
    def provision(self, database: str) -> None: ...
    def drop_database(self, database: str) -> None: ...
    def kill_postgres(self) -> None: ...
    def start_postgres(self) -> None: ...
    def kill_rabbit(self) -> None: ...
    def start_rabbit(self) -> None: ...


def wanted_infrastructure() -> str:
    """`docker` or `local`, by GROUPBUY_TEST_INFRA and, when that says `auto`, by whether an engine answers."""
    wanted = os.environ.get("GROUPBUY_TEST_INFRA", "auto")
    if wanted in {"docker", "local"}:
        return wanted
    if wanted != "auto":
        raise ValueError(f"GROUPBUY_TEST_INFRA is auto, docker or local, not {wanted!r}")
    docker = shutil.which("docker")
    answers = docker and subprocess.run([docker, "info"], check=False, capture_output=True, timeout=20).returncode == 0
    return "docker" if answers else "local"


@contextmanager
def running_servers() -> Iterator[Servers]:
    """Servers for a test run, gone afterwards."""
    if wanted_infrastructure() == "docker":
        from tests.support.containers import ContainerServers

        with ContainerServers.running(new_passwords()) as containers:
            yield containers
        return
    with ExitStack() as stack:
        scratch = stack.enter_context(scratch_directory("groupbuy-test-"))
        local = LocalServers(scratch, new_passwords())
        stack.callback(local.stop)
        local.start()
        yield local


def new_passwords() -> dict[str, str]:
    """A password for every database role and broker user."""
    return {user: secrets.token_urlsafe(12) for user in USERS}


class LocalServers:
    """Private processes on loopback, data in memory where there is room."""

    def __init__(self, scratch: Path, passwords: dict[str, str]) -> None:
        self.scratch = scratch
        self.passwords = passwords
        self._postgres = LocalPostgres(scratch / "postgres", free_port(), durable=False)
        self._rabbit = LocalRabbit(
            scratch / "rabbitmq", free_port(), free_port(), debs_directory=ROOT / "var" / "rabbitmq-debs"
        )

    def start(self) -> None:
        self._postgres.start()
        self._rabbit.start()
        for user in USERS:
            self.management.create_user(user, self.passwords[user])

    def stop(self) -> None:
        self._rabbit.stop()
        self._postgres.stop()

    @property
    def management(self) -> Management:
        return self._rabbit.management

    def database_url(self, role: str, database: str) -> str:
        return self._postgres.url(role, self.passwords[role], database)

    def amqp_url(self, user: str, vhost: str) -> str:
        return self._rabbit.url(user, self.passwords[user], vhost)

    def provision(self, database: str) -> None:
        self._postgres.provision(SERVICES, self.passwords, database=database)

    def drop_database(self, database: str) -> None:
        self._postgres.drop_database(database)

    def kill_postgres(self) -> None:
        self._postgres.kill()

    def start_postgres(self) -> None:
        self._postgres.start()

    def kill_rabbit(self) -> None:
        self._rabbit.kill()

    def start_rabbit(self) -> None:
        self._rabbit.start()
