"""Checks the machine and the running system; each failure names its cause and the command that mends it."""

import shutil
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console

from services.console.local.errors import LocalError
from services.console.local.ports import is_free, port_holder
from services.console.local.rabbitmq import find_scripts
from services.console.settings import Settings
from services.console.system import ROOT, START_ORDER, System
from shared.contracts import SERVICES, read_by

_ENOUGH_DISK = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool
    seen: str
    mend: str = ""

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)


def examine(settings: Settings) -> list[Check]:
    """Look at everything; a check that itself fails is a failed check."""
    system = System(settings)
    running = system.pid("checkout") is not None
    return [*_machine(settings, running), *(_running(settings, system) if running else [])]


def _machine(settings: Settings, running: bool) -> Iterator[Check]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Check("Python ≥ 3.11", sys.version_info >= (3, 11), version, "install Python 3.11 or newer, then make demo")
    yield _check("PostgreSQL binaries", _postgres, "make demo installs them from requirements-dev.lock")
    yield _check(
        "RabbitMQ server",
        lambda: str(find_scripts(ROOT / "var" / "rabbitmq-debs").sbin),
        "make demo fetches it under var/; or install rabbitmq-server; or use docker compose up",
    )
    free = shutil.disk_usage(ROOT).free
    yield Check("disk", free > _ENOUGH_DISK, f"{free // 1024**2} MiB free", "free at least 2 GiB")
    if not running:
        yield from _ports(settings)
        yield Check("system", True, "not running", "make demo, or groupbuy up")


def _ports(settings: Settings) -> Iterator[Check]:
    servers = {"postgres": settings.postgres_port, "rabbitmq": settings.rabbitmq_port}
    for name, port in {**settings.ports, **servers}.items():
        holder = None if is_free(port) else port_holder(port)
        seen = "free" if is_free(port) else f"taken by {holder.command if holder else 'another user'}"
        yield Check(f"port {port} ({name})", is_free(port), seen, f"set GROUPBUY_{name.upper()}_PORT to a free one")


def _running(settings: Settings, system: System) -> Iterator[Check]:
    yield Check("PostgreSQL", system.postgres.is_ready(), f"port {settings.postgres_port}", "groupbuy up")
    yield Check("RabbitMQ", system.rabbit.is_ready(), f"port {settings.rabbitmq_port}", "groupbuy up")
    for name in START_ORDER:
        ready = system.is_ready(name)
        yield Check(name, ready, "ready" if ready else "not ready", f"groupbuy up; log: {system.log_path(name)}")
    yield _check("queues", lambda: _queues(system), "groupbuy up declares them again")
    yield _check("clock", lambda: _clock(settings), "groupbuy clock reset")


def _postgres() -> str:
    from services.console.local.postgres_tools import program

    return str(program("postgres"))


def _queues(system: System) -> str:
    depths = system.rabbit.management.queue_depths("groupbuy")
    missing = [queue for service in SERVICES for queue in read_by(service) if queue not in depths]
    if missing:
        raise LookupError(f"missing: {', '.join(missing)}")
    dead = sum(depth for name, depth in depths.items() if name.endswith(".dead"))
    return f"{len(depths)} queues, {sum(depths.values())} messages waiting, {dead} dead"


def _clock(settings: Settings) -> str:
    with urllib.request.urlopen(f"{settings.urls['sandbox']}/clock", timeout=3) as answer:
        return str(answer.read().decode())[:80]


def _check(name: str, ask: Callable[[], str], mend: str) -> Check:
    try:
        return Check(name, True, ask())
    except (OSError, LookupError, LocalError, ImportError) as error:
        return Check(name, False, str(error).splitlines()[0], mend)


def show(console: Console, found: list[Check]) -> None:
    """Print what was found, for people."""
    for check in found:
        mark = "[green]✓[/]" if check.ok else "[red]✗[/]"
        console.print(f"{mark} {check.name}: {check.seen}", soft_wrap=True)
        if not check.ok:
            console.print(f"    → {check.mend}", style="yellow", soft_wrap=True)
