"""The same servers in containers, by testcontainers: RabbitMQ 4 and PostgreSQL 17 as in docker-compose.yml."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from testcontainers.core.container import DockerContainer

from services.console.local.management import Management
from services.console.local.ports import free_port
from services.console.local.rabbitmq import speaks_amqp
from services.console.local.scratch import scratch_directory
from shared.contracts import SERVICES
from tests.support.servers import ROOT, USERS

_READY_S = 90
_ADMIN = ("admin", "admin-of-a-test-run")


class ContainerServers:
    """Two containers on loopback ports that stay the same when a server is killed and started again."""

    def __init__(self, scratch: Path, passwords: dict[str, str]) -> None:
        self.scratch = scratch
        self.passwords = passwords
        self._postgres_port, self._amqp_port, self._management_port = free_port(), free_port(), free_port()
        self._postgres = self._postgres_container()
        self._rabbit = self._rabbit_container()

    @classmethod
    @contextmanager
    def running(cls, passwords: dict[str, str]) -> Iterator["ContainerServers"]:
        """Start both, and remove both at the end."""
        with scratch_directory("groupbuy-test-") as scratch:
            servers = cls(scratch, passwords)
            try:
                servers._postgres.start()
                servers._rabbit.start()
                servers._await(servers._postgres_is_ready, "PostgreSQL")
                servers._await(servers._rabbit_is_ready, "RabbitMQ")
                for user in USERS:
                    servers.management.create_user(user, passwords[user])
                yield servers
            finally:
                servers._rabbit.stop()
                servers._postgres.stop()

    @cached_property
    def management(self) -> Management:
        return Management(f"http://127.0.0.1:{self._management_port}", *_ADMIN)

    def database_url(self, role: str, database: str) -> str:
        return f"postgresql://{role}:{self.passwords[role]}@127.0.0.1:{self._postgres_port}/{database}"

    def amqp_url(self, user: str, vhost: str) -> str:
        return f"amqp://{user}:{self.passwords[user]}@127.0.0.1:{self._amqp_port}/{vhost}"

    def provision(self, database: str) -> None:
        self._psql("-c", f"create database {database}")
        for service in SERVICES:
            values = {"database": database, "service": service, "password": self.passwords[service]}
            variables = [part for name, value in values.items() for part in ("-v", f"{name}={value}")]
            self._psql("-d", database, *variables, "-f", "/roles.sql")

    def drop_database(self, database: str) -> None:
        self._psql("-c", f"drop database if exists {database} with (force)")

    def kill_postgres(self) -> None:
        self._postgres.get_wrapped_container().kill()

    def start_postgres(self) -> None:
        self._postgres.get_wrapped_container().start()
        self._await(self._postgres_is_ready, "PostgreSQL")

    def kill_rabbit(self) -> None:
        self._rabbit.get_wrapped_container().kill()

    def start_rabbit(self) -> None:
        self._rabbit.get_wrapped_container().start()
        self._await(self._rabbit_is_ready, "RabbitMQ")

    def _postgres_container(self) -> DockerContainer:
        container = DockerContainer(
            os.environ.get("GROUPBUY_POSTGRES_IMAGE", "postgres:17-trixie"),
            command="postgres -c fsync=off -c max_connections=200",
            env={"POSTGRES_PASSWORD": _ADMIN[1]},
        )
        container.with_volume_mapping(str(ROOT / "deploy" / "postgres" / "roles.sql"), "/roles.sql", "ro")
        _publish(container, {5432: self._postgres_port})
        return container

    def _rabbit_container(self) -> DockerContainer:
        configuration = self.scratch / "rabbitmq.conf"
        lines = (
            "loopback_users = none",
            f"default_user = {_ADMIN[0]}",
            f"default_pass = {_ADMIN[1]}",
            "log.console = true",
        )
        configuration.write_text("\n".join(lines) + "\n")
        configuration.chmod(0o644)
        container = DockerContainer(os.environ.get("GROUPBUY_RABBITMQ_IMAGE", "rabbitmq:4.0-management"))
        container.with_volume_mapping(str(configuration), "/etc/rabbitmq/conf.d/90-test.conf", "ro")
        _publish(container, {5672: self._amqp_port, 15672: self._management_port})
        return container

    def _psql(self, *arguments: str) -> None:
        result = self._postgres.exec(["psql", "-XqAt", "-U", "postgres", "-v", "ON_ERROR_STOP=1", *arguments])
        if result.exit_code:
            raise RuntimeError(result.output.decode(errors="replace"))

    def _postgres_is_ready(self) -> bool:
        # Over TCP: while it initialises, the image's first server answers on its socket only.
        asked = ["psql", "-XqAt", "-h", "127.0.0.1", "-U", "postgres", "-c", "select 1"]
        result = self._postgres.get_wrapped_container().exec_run(asked, environment={"PGPASSWORD": _ADMIN[1]})
        return bool(result.exit_code == 0)

    def _rabbit_is_ready(self) -> bool:
        return speaks_amqp(self._amqp_port) and self.management.answers()

    def _await(self, ready: Callable[[], bool], name: str) -> None:
        deadline = time.monotonic() + _READY_S
        while time.monotonic() < deadline:
            try:
                if ready():
                    return
            except OSError:
                pass
            time.sleep(0.2)
        raise TimeoutError(f"{name} did not answer within {_READY_S} s")


def _publish(container: DockerContainer, ports: dict[int, int]) -> None:
    """Publish ports on loopback only; the engine takes (address, port), which the stubs do not know."""
    bound: Any = {f"{inside}/tcp": ("127.0.0.1", outside) for inside, outside in ports.items()}
    container.ports = bound
