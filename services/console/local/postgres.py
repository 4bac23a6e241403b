"""A private PostgreSQL on loopback, run from the binaries of a Python wheel, for one person or one test run."""

import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

from services.console.local import secret_files
from services.console.local.errors import LocalError
from services.console.local.ports import LOOPBACK, require_free
from services.console.local.postgres_tools import RunAs, choose_user, program, psql_word, run
from services.console.local.processes import Processes

SUPERUSER = "postgres"
DATABASE = "groupbuy"
ROLES_SQL = Path(__file__).parents[3] / "deploy" / "postgres" / "roles.sql"
_NAME = "postgres"
_READY_TIMEOUT_S = 60.0
_ORPHANS_TIMEOUT_S = 30.0
_RETRY_PAUSE_S = 0.2
_ORPHANS_REMAIN = ("is still in use", 'lock file "postmaster.pid" already exists')
_FAST = ("fsync=off", "full_page_writes=off", "wal_level=minimal", "max_wal_senders=0")
_INITDB_OPTIONS = (
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",  # the same order of text on every operating system
    "--builtin-locale=C.UTF-8",
    "--no-data-checksums",
    "--no-instructions",
    "--no-sync",
)
_SETTINGS = (
    f"listen_addresses={LOOPBACK}",
    "unix_socket_directories=",  # TCP only: a socket path would have to be short, and leaves a lock behind
    "max_connections=200",
    "jit=off",
    "log_checkpoints=off",
    "timezone=UTC",
    "log_timezone=UTC",
)


class LocalPostgres:
    """One server in one directory. `durable=False` skips fsync: for tests, still safe against any killed process."""

    def __init__(
        self, directory: Path, port: int, *, durable: bool = True, port_variable: str = "GROUPBUY_POSTGRES_PORT"
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
        asked = [program("pg_isready"), "-q", "-t2", "-h", LOOPBACK, "-p", str(self.port)]
        return subprocess.run(asked, check=False, env={}, timeout=_READY_TIMEOUT_S).returncode == 0

    @property
    def pid(self) -> int | None:
        living = self._processes.living(_NAME)
        return living.pid if living else None

    def url(self, role: str = SUPERUSER, password: str | None = None, database: str = DATABASE) -> str:
        """A `postgresql://` address; without `password` the superuser's own is used for the superuser."""
        if password is None and role == SUPERUSER:
            password = self._superuser_password
        login = role if password is None else f"{role}:{quote(password, safe='')}"
        return f"postgresql://{login}@{LOOPBACK}:{self.port}/{database}"

    def provision(self, services: Sequence[str], passwords: Mapping[str, str], *, database: str = DATABASE) -> None:
        """Create `database` with one login role and one schema per service; repeating changes nothing.

        Roles belong to the whole server: provisioning a second database sets their passwords again.
        """
        self.create_database(database)
        script = [f"\\set database {psql_word(database)}"]
        for service in services:
            script += [f"\\set service {psql_word(service)}", f"\\set password {psql_word(passwords[service])}"]
            script += [f"\\i {psql_word(str(ROLES_SQL))}"]
        self.run_sql("\n".join(script), database=database)

    def create_database(self, database: str) -> None:
        """Create `database` unless it is there."""
        name = psql_word(database)
        missing = "WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name')"
        self.run_sql(f"\\set name {name}\nSELECT format('CREATE DATABASE %I', :'name') {missing} \\gexec")

    def drop_database(self, database: str) -> None:
        """Drop `database`, ending whoever is connected to it."""
        self.run_sql(f'\\set name {psql_word(database)}\nDROP DATABASE IF EXISTS :"name" WITH (FORCE);')

    def run_sql(self, script: str, *, database: str = SUPERUSER) -> str:
        """Run a psql script as superuser, stopping at its first error; returns what it printed, without headings."""
        # Passwords travel on standard input: the argument list is visible to every user of the machine.
        psql = [program("psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-f", "-"]
        psql += ["-h", LOOPBACK, "-p", str(self.port), "-U", SUPERUSER, "-d", database]
        env = {"PGPASSWORD": self._superuser_password, "PGCONNECT_TIMEOUT": "10", "LANG": "C.UTF-8"}
        return run(psql, input_text=script, env=env).stdout.strip()

    def _launch(self) -> None:
        settings = [*_SETTINGS, *(() if self._durable else _FAST)]
        argv = [*self._run_as.prefix, program("postgres"), "-D", str(self._data), "-p", str(self.port)]
        argv += [word for setting in settings for word in ("-c", setting)]
        env = {"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8"}
        user = self._run_as.user
        self._processes.start(_NAME, argv, env=env, cwd=self._data, user=user, stop_signal=signal.SIGINT)

    def _create_cluster(self) -> None:
        if not self._data.exists():
            half = self.directory / "data.half"
            shutil.rmtree(half, ignore_errors=True)
            half.mkdir(parents=True)
            self._initialise(half)
            half.rename(self._data)  # last: a cluster under its final name is complete
        self._give_to_server(self._data)

    def _initialise(self, data: Path) -> None:
        password_file = self.directory / "initdb.password"
        secret_files.write(password_file, self._superuser_password)
        for path in (data, password_file):
            self._give_to_server(path)
        where = ["-D", str(data), "-U", SUPERUSER, f"--pwfile={password_file}"]
        initdb = [*self._run_as.prefix, program("initdb"), *where, *_INITDB_OPTIONS]
        try:
            run(initdb, env={"PATH": os.environ.get("PATH", "")}, user=self._run_as.user)
        finally:
            password_file.unlink()

    def _give_to_server(self, path: Path) -> None:
        """To the user that the server runs as, also when an earlier start ran as somebody else."""
        if os.geteuid() != 0:
            return
        uid, gid = self._run_as.user or (0, 0)
        if path.stat().st_uid != uid:
            for owned in (path, *path.rglob("*")):
                os.chown(owned, uid, gid, follow_symlinks=False)

    def _forget_foreign_lock(self) -> None:
        """After a reboot the pid in an old lock file may be somebody else's, and the server would refuse to start."""
        lock = self._data / "postmaster.pid"
        try:
            pid = lock.read_text().partition("\n")[0]
            command = Path("/proc", pid, "cmdline").read_bytes()
        except FileNotFoundError:
            return
        if b"postgres" not in command:
            lock.unlink()

    @cached_property
    def _superuser_password(self) -> str:
        return secret_files.read_or_create(self.directory / "superuser.password", lambda: secrets.token_urlsafe(24))

    @cached_property
    def _run_as(self) -> RunAs:
        return choose_user(program("postgres"), self.directory) if os.geteuid() == 0 else RunAs()
