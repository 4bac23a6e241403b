"""A private RabbitMQ node on loopback, with its own epmd, from server scripts found or fetched, never installed."""

import json
import os
import secrets
import shutil
import signal
import socket
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

from services.console.local import debs, secret_files
from services.console.local.errors import LocalError
from services.console.local.management import Management
from services.console.local.ports import LOOPBACK, free_port, is_free, require_free
from services.console.local.processes import Processes
from shared.messaging.topology import hashed

ADMIN = "admin"
SBIN_VARIABLE = "GROUPBUY_RABBITMQ_SBIN"
_BROKER, _EPMD = "rabbitmq", "epmd"
_NODE = "groupbuy@localhost"
_READY_TIMEOUT_S = 180.0  # a busy two-core machine needs over 20 s
_STOP_TIMEOUT_S = 30.0
_PROTOCOL_HEADER = b"AMQP\x00\x00\x09\x01"
_ERLANG_OPTIONS = "-kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none"
_INSTALLED = (
    "/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin",  # Debian and its kin; their /usr/sbin wrapper wants its own user
    "/opt/rabbitmq/sbin",
    "/opt/homebrew/opt/rabbitmq/sbin",
    "/usr/local/opt/rabbitmq/sbin",
)


@dataclass(frozen=True)
class _Scripts:
    """Where the server scripts are, and the directories in which they find Erlang."""

    sbin: Path
    path: str


class LocalRabbit:
    """One node in one directory. `data` may lie elsewhere, on memory for tests; `debs_directory` is shared by nodes."""

    def __init__(
        self,
        directory: Path,
        port: int,
        management_port: int,
        *,
        data: Path | None = None,
        debs_directory: Path | None = None,
        port_variable: str = "GROUPBUY_RABBITMQ_PORT",
        management_port_variable: str = "GROUPBUY_RABBITMQ_MANAGEMENT_PORT",
    ) -> None:
        self.directory = directory.absolute()
        self.port = port
        self.management_port = management_port
        self._data = (data or directory / "data").absolute()
        self._debs_directory = debs_directory or directory.parent / "rabbitmq-debs"
        self._port_variable = port_variable
        self._management_port_variable = management_port_variable
        self._processes = Processes(self.directory)

    def start(self) -> None:
        """Start, or find it running; returns when both AMQP and the management API answer."""
        if not self._processes.living(_BROKER):
            require_free(self.port, "RabbitMQ", self._port_variable)
            require_free(self.management_port, "RabbitMQ's management API", self._management_port_variable)
            self._launch(find_scripts(self._debs_directory))
        try:
            self._processes.await_ready(_BROKER, self.is_ready, _READY_TIMEOUT_S)
        except LocalError:
            self.stop()
            raise

    def stop(self) -> None:
        """End the node in order, then its epmd."""
        self._processes.stop(_BROKER, _STOP_TIMEOUT_S)
        self._processes.stop(_EPMD)

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End the node without grace."""
        self._processes.kill(_BROKER, how)
        self._processes.stop(_EPMD)

    def is_ready(self) -> bool:
        return speaks_amqp(self.port) and self.management.answers()

    @property
    def pid(self) -> int | None:
        living = self._processes.living(_BROKER)
        return living.pid if living else None

    @cached_property
    def management(self) -> Management:
        return Management(f"http://{LOOPBACK}:{self.management_port}", ADMIN, self._admin_password)

    def url(self, user: str = ADMIN, password: str | None = None, vhost: str = "/") -> str:
        """An `amqp://` address; without `password` the administrator's own."""
        password = self._admin_password if password is None else password
        return (
            f"amqp://{quote(user, safe='')}:{quote(password, safe='')}@{LOOPBACK}:{self.port}/{quote(vhost, safe='')}"
        )

    def _launch(self, scripts: _Scripts) -> None:
        for directory in (self.directory, self._data, self.directory / "gen"):
            directory.mkdir(parents=True, exist_ok=True)
        self._processes.stop(_EPMD)  # left by a node that was killed from outside; nobody knows its port any more
        epmd_port, distribution_port = free_port(), free_port()
        env = self._environment(scripts, epmd_port, distribution_port)
        self._write_configuration()
        # Erlang would start one that outlives it; ours is known by its pid.
        self._processes.start(_EPMD, [_epmd(scripts), "-port", str(epmd_port), "-address", LOOPBACK], env=env)
        self._processes.await_ready(_EPMD, lambda: not is_free(epmd_port), _READY_TIMEOUT_S)
        self._processes.start(_BROKER, [scripts.sbin / "rabbitmq-server"], env=env, cwd=self.directory)

    def _environment(self, scripts: _Scripts, epmd_port: int, distribution_port: int) -> dict[str, str]:
        here = str(self.directory)
        return {
            "PATH": scripts.path,
            "HOME": here,  # of .erlang.cookie
            "LANG": "C.UTF-8",
            "RUNNING_UNDER_SYSTEMD": "1",  # the script becomes the node instead of watching it
            "ERL_EPMD_PORT": str(epmd_port),
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "RABBITMQ_NODENAME": _NODE,
            "RABBITMQ_NODE_IP_ADDRESS": LOOPBACK,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(distribution_port),
            "RABBITMQ_MNESIA_BASE": str(self._data),
            "RABBITMQ_LOG_BASE": f"{here}/log",
            "RABBITMQ_GENERATED_CONFIG_DIR": f"{here}/gen",
            "RABBITMQ_SCHEMA_DIR": f"{here}/gen",
            "RABBITMQ_CONFIG_FILE": f"{here}/rabbitmq.conf",
            "RABBITMQ_ADVANCED_CONFIG_FILE": f"{here}/advanced.config",
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{here}/enabled_plugins",
            "RABBITMQ_PID_FILE": f"{here}/pid",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": _ERLANG_OPTIONS,
        }

    def _write_configuration(self) -> None:
        settings = {
            "listeners.tcp.1": f"{LOOPBACK}:{self.port}",
            "management.tcp.ip": LOOPBACK,
            "management.tcp.port": self.management_port,
            "load_definitions": self.directory / "admin.json",
            "loopback_users": "none",
            "log.console": "true",
            "log.console.level": "warning",
            "log.file": "false",
            "disk_free_limit.absolute": "50MB",
            "vm_memory_high_watermark.absolute": "1GB",
            "raft.wal_max_size_bytes": 64 * 1024 * 1024,
            "collect_statistics_interval": 1000,  # queue depths are at most this old, in ms
        }
        lines = [f"{key} = {value}\n" for key, value in settings.items()]
        (self.directory / "rabbitmq.conf").write_text("".join(lines))
        (self.directory / "enabled_plugins").write_text("[rabbitmq_management].\n")
        (self.directory / "admin.json").write_text(json.dumps(_admin_definitions(self._admin_password)))

    @cached_property
    def _admin_password(self) -> str:
        return secret_files.read_or_create(self.directory / "admin.password", lambda: secrets.token_urlsafe(24))


def speaks_amqp(port: int) -> bool:
    """Whether an AMQP broker answers the protocol header on this loopback port; an open port is not enough."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=2) as connection:
            connection.sendall(_PROTOCOL_HEADER)
            return connection.recv(1) == b"\x01"
    except OSError:
        return False


def find_scripts(debs_directory: Path) -> _Scripts:
    """Server scripts named by the environment, installed, or fetched as packages into `debs_directory`."""
    if named := os.environ.get(SBIN_VARIABLE):
        if not (Path(named) / "rabbitmq-server").exists():
            raise _unavailable(f"{SBIN_VARIABLE}={named} holds no rabbitmq-server.")
        return _Scripts(Path(named), _search_path())
    for pattern in _INSTALLED:
        for sbin in sorted(Path("/").glob(pattern.lstrip("/")), reverse=True):
            if (sbin / "rabbitmq-server").exists() and shutil.which("erl", path=_search_path()):
                return _Scripts(sbin, _search_path())
    if not debs.can_fetch():
        raise _unavailable("This machine has no RabbitMQ server scripts and no apt-get to fetch them.")
    try:
        root = debs.fetch(debs_directory)
    except LocalError as error:
        raise _unavailable(error.en) from error
    if (extracted := debs.sbin_of(root)) is None:
        raise _unavailable(f"The packages extracted to {root} hold no server scripts.")
    return _Scripts(extracted, f"{root}/usr/lib/erlang/bin:{_search_path()}")


def _search_path() -> str:
    return f"{os.environ.get('PATH', '')}:/usr/bin:/bin:/usr/local/bin:/opt/homebrew/bin"


def _epmd(scripts: _Scripts) -> str:
    found = shutil.which("epmd", path=scripts.path)
    if found is None:
        raise _unavailable("Erlang's epmd is not on the search path.")
    return found


def _unavailable(why: str) -> LocalError:
    return LocalError(
        "rabbitmq_unavailable",
        f"{why} Choose one: install the package rabbitmq-server (it need not run), "
        f"set {SBIN_VARIABLE} to the directory of its server scripts, or run the system with docker compose.",
        f"没有可用的 RabbitMQ。可选：安装 rabbitmq-server 软件包（无需运行）；用 {SBIN_VARIABLE} 指定其服务脚本目录；"
        "或用 docker compose 运行。",
    )


def _admin_definitions(password: str) -> dict[str, object]:
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    return {
        "vhosts": [{"name": "/"}],
        "users": [{"name": ADMIN, **hashed(password), "tags": "administrator"}],
        "permissions": [{"user": ADMIN, "vhost": "/", **everything}],
    }
