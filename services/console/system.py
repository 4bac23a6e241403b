"""The whole system on one machine: private servers and one process per service, started, found again and stopped."""

import json
import secrets
import sys
import urllib.request
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from services.console.environment import PORTS, Local, environment
from services.console.local import secret_files
from services.console.local.ports import require_free
from services.console.local.postgres import LocalPostgres
from services.console.local.processes import Processes, only_one, stop_everything
from services.console.local.rabbitmq import LocalRabbit
from services.console.settings import Settings
from services.sandbox.keys import make_missing
from shared.contracts import SERVICES
from shared.messaging import topology
from shared.migrate import migrate

ROOT = Path(__file__).resolve().parent.parent.parent
USERS = (*SERVICES, "sandbox")
VHOST = "groupbuy"
DATABASE = "groupbuy"
# The sandbox first: the others ask it for the time and for keys.
START_ORDER = ("sandbox", *SERVICES, "web")
_READY_S = 90.0

Report = Callable[[str], None]


class System:
    """One local system in one directory. Every method may be repeated; nothing is touched that it did not start."""

    def __init__(self, settings: Settings, *, durable: bool = True) -> None:
        self.var = settings.var.absolute()
        self._settings = settings
        self._processes = Processes(self.var)
        self.postgres = LocalPostgres(self.var / "postgres", settings.postgres_port, durable=durable)
        self.rabbit = LocalRabbit(
            self.var / "rabbitmq",
            settings.rabbitmq_port,
            settings.rabbitmq_management_port,
            debs_directory=ROOT / "var" / "rabbitmq-debs",
        )

    @property
    def local(self) -> Local:
        """Where everything is. The servers must have been started once."""
        passwords = self._passwords()
        return Local(
            var=self.var,
            ports=self._settings.ports,
            database_urls={name: self.postgres.url(name, passwords[name], DATABASE) for name in SERVICES},
            amqp_urls={name: self.rabbit.url(name, passwords[name], VHOST) for name in USERS},
        )

    def up(self, report: Report) -> None:
        """Start what does not run yet; returns when every process is ready."""
        with only_one(self.var):
            for name in START_ORDER:
                if not self._processes.living(name):
                    require_free(self._settings.ports[name], name, f"GROUPBUY_{name.upper()}_PORT")
            report("PostgreSQL and RabbitMQ (private, on loopback)")
            with ThreadPoolExecutor(2) as pool:
                for started in [pool.submit(self.postgres.start), pool.submit(self.rabbit.start)]:
                    started.result()
            report("roles, schemas, queues, migrations, keys")
            self._provision()
            report(", ".join(START_ORDER))
            self.start_services(START_ORDER)

    def start_services(self, names: Iterable[str]) -> None:
        """Start these processes and wait until they are ready."""
        names = tuple(names)
        for name in names:
            self.launch(name)
        for name in names:
            self._processes.await_ready(name, lambda name=name: self.is_ready(name), _READY_S)  # type: ignore[misc]

    def launch(self, name: str) -> None:
        """Start one process without waiting for it."""
        argv = [sys.executable, "-m", f"services.{name}"]
        self._processes.start(name, argv, env=environment(name, self.local), cwd=ROOT)

    def down(self) -> list[str]:
        """Stop everything that this directory started, also after its starter was killed. Returns what still ran."""
        with only_one(self.var):
            return stop_everything(self.var)

    def is_ready(self, name: str) -> bool:
        """Whether a process answers that it can work."""
        url = f"{self._settings.urls[name]}/readyz"
        try:
            with urllib.request.urlopen(url, timeout=3) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def dead(self) -> list[str]:
        """The processes that should run and do not."""
        return [name for name in START_ORDER if not self._processes.living(name)]

    def pid(self, name: str) -> int | None:
        """The process id of a living process."""
        living = self._processes.living(name)
        return living.pid if living else None

    def kill(self, name: str) -> None:
        """End a process without grace."""
        self._processes.kill(name)

    def log_path(self, name: str) -> Path:
        """Where a process writes."""
        return self._processes.log_path(name)

    def _provision(self) -> None:
        passwords = self._passwords()
        self.postgres.provision(SERVICES, passwords, database=DATABASE)
        management = self.rabbit.management
        management.create_vhost(VHOST)
        management.set_permissions(VHOST, management.user, configure=".*", write=".*", read=".*")
        management.import_definitions(VHOST, topology.topology())
        for user in USERS:
            management.create_user(user, passwords[user])
            management.set_permissions(VHOST, user, **topology.permissions(user))
            for entry in topology.topic_permissions(user):
                management.set_topic_permissions(VHOST, user, **entry)
        make_missing(self.local.keys)
        for service in SERVICES:
            migrate(service, self.local.database_urls[service])

    def _passwords(self) -> dict[str, str]:
        made = secret_files.read_or_create(self.var / "keys" / "passwords.json", _new_passwords)
        passwords: dict[str, str] = json.loads(made)
        return passwords


def _new_passwords() -> str:
    return json.dumps({user: secrets.token_urlsafe(18) for user in USERS})


assert set(START_ORDER) == set(PORTS)
