"""Whether a loopback port is free, and who holds it when it is not."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from services.console.local.errors import LocalError

LOOPBACK = "127.0.0.1"
_LISTEN = "0A"


@dataclass(frozen=True)
class PortHolder:
    """The process that listens on a port; `command` is its name as the system shows it."""

    pid: int
    command: str


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Without this a connection in TIME_WAIT from the last run would look like a server.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A loopback port nobody listened on a moment ago, chosen by the kernel."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port


def require_free(port: int, purpose: str, variable: str) -> None:
    """Raise `LocalError` (code `port_taken`) naming the holder and the variable that moves `purpose` elsewhere."""
    if is_free(port):
        return
    holder = port_holder(port)
    by_en = f"process {holder.pid} ({holder.command})" if holder else "a process of another user"
    by_zh = f"进程 {holder.pid}（{holder.command}）" if holder else "其他用户的进程"
    raise LocalError(
        "port_taken",
        f"Port {port} for {purpose} is taken by {by_en}, which this system did not start. "
        f"End it, or choose another port with {variable}.",
        f"{purpose} 需要的端口 {port} 被{by_zh}占用，它不是本系统启动的。请结束它，或用 {variable} 换一个端口。",
    )


def port_holder(port: int) -> PortHolder | None:
    """The process listening on `port`, or None when nobody does or this user may not see it."""
    pid = _holder_from_proc(port) if Path("/proc/net/tcp").exists() else _holder_from_lsof(port)
    return PortHolder(pid, _command(pid)) if pid else None


def _holder_from_proc(port: int) -> int | None:
    sockets = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    if not sockets:
        return None
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(fd.readlink()) in sockets for fd in (process / "fd").iterdir()):
                return int(process.name)
        except OSError:
            continue  # it ended meanwhile, or belongs to another user
    return None


def _listening_inodes(port: int) -> Iterator[str]:
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                yield fields[9]


def _holder_from_lsof(port: int) -> int | None:
    if not (lsof := shutil.which("lsof")):
        return None
    found = subprocess.run(
        [lsof, "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", "-t"], capture_output=True, text=True, check=False
    )
    pids = found.stdout.split()
    return int(pids[0]) if pids else None


def _command(pid: int) -> str:
    shown = subprocess.run(["ps", "-o", "comm=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip() or "unknown"
