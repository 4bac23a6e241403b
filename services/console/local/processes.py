"""Start, watch and end child processes so that they are found again even after their starter was killed."""

import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from services.console.local.errors import LocalError

STOP_TIMEOUT_S = 15.0
_POLL_S = 0.05
# Children of this process: they must be reaped, or they stay zombies and look alive.
_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class ProcessRecord:
    """What the pid file says: `identity` tells this process from a later one with the same pid."""

    name: str
    pid: int
    identity: str
    started_at: float
    stop_signal: int


class Processes:
    """The processes that one directory says it started: pid files in `run/`, output in `log/`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._run = directory / "run"
        self._log = directory / "log"

    def start(
        self,
        name: str,
        argv: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        cwd: Path | None = None,
        user: tuple[int, int] | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> ProcessRecord:
        """Start `argv` in its own session; a living process of that name is returned instead of a second one.

        `user` is the (uid, gid) to become, for a starter who is root.
        """
        if living := self.living(name):
            return living
        self._run.mkdir(parents=True, exist_ok=True)
        self._log.mkdir(parents=True, exist_ok=True)
        with self.log_path(name).open("ab") as log:
            child = subprocess.Popen(
                [str(word) for word in argv],
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=user[0] if user else None,
                group=user[1] if user else None,
                extra_groups=[] if user else None,
            )
        _children[child.pid] = child
        record = ProcessRecord(name, child.pid, identity(child.pid) or "", time.time(), stop_signal)
        self._write(record)
        return record

    def living(self, name: str) -> ProcessRecord | None:
        """The record of `name` if exactly that process still runs."""
        record = self._read(self._pid_path(name))
        return record if record and is_alive(record) else None

    def recorded(self) -> list[ProcessRecord]:
        """Everything with a pid file, the latest started first."""
        records = [record for path in self._run.glob("*.pid") if (record := self._read(path))]
        return sorted(records, key=lambda record: record.started_at, reverse=True)

    def stop(self, name: str, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """Ask `name` to end, wait, then kill it; nothing happens when it does not run."""
        if record := self.living(name):
            end(record, timeout_s)
        self._pid_path(name).unlink(missing_ok=True)

    def kill(self, name: str, how: signal.Signals = signal.SIGKILL) -> None:
        """Send `how` without grace and wait until the process is gone."""
        if record := self.living(name):
            _signal(record, how)
            _await_end(record, STOP_TIMEOUT_S)
        self._pid_path(name).unlink(missing_ok=True)

    def stop_all(self, timeout_s: float = STOP_TIMEOUT_S) -> list[str]:
        """End everything this directory started, the latest first; the names of those that still ran."""
        ended = []
        for record in self.recorded():
            if is_alive(record):
                ended.append(record.name)
            self.stop(record.name, timeout_s)
        return ended

    def await_ready(self, name: str, is_ready: Callable[[], bool], timeout_s: float) -> None:
        """Wait until `is_ready`; raise `LocalError` with the end of the log if the process ends or time runs out."""
        deadline = time.monotonic() + timeout_s
        while not is_ready():
            if not self.living(name):
                raise self._error("process_ended", f"{name} ended while starting", f"{name} 启动时退出", name)
            if time.monotonic() > deadline:
                en, zh = f"{name} was not ready after {timeout_s:.0f} s", f"{name} 在 {timeout_s:.0f} 秒内没有就绪"
                raise self._error("not_ready_in_time", en, zh, name)
            time.sleep(_POLL_S)

    def log_path(self, name: str) -> Path:
        return self._log / f"{name}.log"

    def log_tail(self, name: str, lines: int = 20) -> str:
        try:
            with self.log_path(name).open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - 65536))
                return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return ""

    def _error(self, code: str, en: str, zh: str, name: str) -> LocalError:
        tail = self.log_tail(name)
        return LocalError(code, f"{en}. The end of {self.log_path(name)}:\n{tail}", f"{zh}（日志见上）。")

    def _pid_path(self, name: str) -> Path:
        return self._run / f"{name}.pid"

    def _write(self, record: ProcessRecord) -> None:
        path = self._pid_path(record.name)
        half = path.with_suffix(".half")
        half.write_text(json.dumps(asdict(record)))
        half.replace(path)

    def _read(self, path: Path) -> ProcessRecord | None:
        try:
            return ProcessRecord(**json.loads(path.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None


def is_alive(record: ProcessRecord) -> bool:
    """Whether exactly this process runs; another one with its pid does not count."""
    if (child := _children.get(record.pid)) and child.poll() is not None:
        del _children[record.pid]
    return record.identity != "" and identity(record.pid) == record.identity


def end(record: ProcessRecord, timeout_s: float = STOP_TIMEOUT_S) -> None:
    """Its own stop signal first; SIGKILL after `timeout_s`."""
    _signal(record, signal.Signals(record.stop_signal))
    if not _await_end(record, timeout_s):
        _signal(record, signal.SIGKILL)
        _await_end(record, timeout_s)


def stop_everything(directory: Path, timeout_s: float = STOP_TIMEOUT_S) -> list[str]:
    """End what `directory` and the server directories right below it started, the latest first.

    Works from the pid files alone, so also after the starter was killed. Returns the names of those that still ran.
    """
    owners = [Processes(directory), *(Processes(run.parent) for run in directory.glob("*/run"))]
    found = [(owner, record) for owner in owners for record in owner.recorded()]
    found.sort(key=lambda pair: pair[1].started_at, reverse=True)
    ended = [record.name for _, record in found if is_alive(record)]
    for owner, record in found:
        owner.stop(record.name, timeout_s)
    return ended


@contextmanager
def only_one(directory: Path) -> Iterator[None]:
    """Hold `directory` while starting or ending: two commands at once would start everything twice."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as busy:
            raise LocalError(
                "already_starting",
                f"Another groupbuy command is starting or ending the system in {directory}; wait for it.",
                f"另一个 groupbuy 命令正在启动或停止 {directory} 中的系统，请稍候。",
            ) from busy
        yield


def _signal(record: ProcessRecord, number: signal.Signals) -> None:
    if not is_alive(record):
        return
    try:
        os.kill(record.pid, number)
    except ProcessLookupError:
        return


def _await_end(record: ProcessRecord, timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while is_alive(record):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def identity(pid: int) -> str | None:
    """Boot and start time of the process with this pid, or None when none runs (a zombie does not)."""
    if Path("/proc/self/stat").exists():
        return _identity_from_proc(pid)
    shown = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, started = shown.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else started.strip()


def _identity_from_proc(pid: int) -> str | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The command in parentheses may itself hold spaces and parentheses: count fields after the last one.
    fields = stat.rpartition(")")[2].split()
    # The first thread of a killed process is a zombie before the others have let go of its ports.
    is_gone = fields[0] in "ZX" and threads <= 1
    return None if is_gone else f"{boot}:{fields[19]}"
