"""RabbitMQ's server scripts out of Debian's or Ubuntu's packages, extracted below a directory and not installed."""

import fcntl
import os
import re
import shutil
import subprocess
from pathlib import Path

from services.console.local.errors import LocalError

_ERLANG = (
    "asn1 base crypto eldap ftp inets mnesia os-mon parsetools public-key "
    "runtime-tools snmp ssl syntax-tools tftp tools xmerl"
)
PACKAGES = ("rabbitmq-server", *(f"erlang-{name}" for name in _ERLANG.split()))
_SBIN = "usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin"
_TIMEOUT_S = 600.0


def can_fetch() -> bool:
    return all(shutil.which(tool) for tool in ("apt-get", "dpkg"))


def fetch(directory: Path) -> Path:
    """Download and extract RabbitMQ below `directory`, or find it there; returns the root of the extracted tree.

    Needs no root: a user of its own package lists is fetched below `directory` when the machine has none.
    Raises `LocalError` (`packages_unavailable`) with apt's own words.
    """
    directory = directory.absolute()
    root = directory / "root"
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs may want it at once
        if not sbin_of(root):
            _extract(directory / "packages", root)
        _point_erlang_at(root)
    return root


def sbin_of(root: Path) -> Path | None:
    """The directory of the server scripts below `root`, the newest version if there are several."""
    found = sorted(path for path in root.glob(_SBIN) if (path / "rabbitmq-server").exists())
    return found[-1] if found else None


def _extract(packages: Path, root: Path) -> None:
    half = root.with_name("half")
    for leftover in (packages, half, root):
        shutil.rmtree(leftover, ignore_errors=True)
    half.mkdir()
    for package in _download(packages):
        _run(["dpkg", "-x", str(package), str(half)], cwd=packages)
    half.rename(root)  # last: a tree under its final name is complete
    shutil.rmtree(packages)


def _download(into: Path) -> list[Path]:
    into.mkdir()
    options = ["-q", "-o", "APT::Sandbox::User=root"] if os.geteuid() == 0 else ["-q"]
    try:
        _run(["apt-get", *options, "download", *PACKAGES], cwd=into)
    except LocalError:
        # No package lists, or older than the mirror: fetch our own, the machine's stay as they are.
        options += _private_lists(into / "apt")
        _run(["apt-get", *options, "update"], cwd=into)
        _run(["apt-get", *options, "download", *PACKAGES], cwd=into)
    return sorted(into.glob("*.deb"))


def _private_lists(directory: Path) -> list[str]:
    (directory / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    (directory / "cache" / "archives" / "partial").mkdir(parents=True, exist_ok=True)
    settings = (f"Dir::State::Lists={directory}/lists", f"Dir::Cache={directory}/cache", "Debug::NoLocking=1")
    return [word for setting in settings for word in ("-o", setting)]


def _point_erlang_at(root: Path) -> None:
    """Debian's start script has its own installed place written in and ignores ERL_ROOTDIR.

    Done at every start, for the tree may have been moved since.
    """
    script = root / "usr/lib/erlang/bin/erl"
    text = script.read_text()
    place = f'ROOTDIR="{root}/usr/lib/erlang"'
    moved = re.sub(r"^(\s*)ROOTDIR=.*$", lambda line: line[1] + place, text, flags=re.MULTILINE)
    if moved != text:
        script.write_text(moved)


def _run(argv: list[str], cwd: Path) -> None:
    env = {**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(argv, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S)
    if done.returncode != 0:
        raise LocalError(
            "packages_unavailable",
            f"{' '.join(argv[:1])} could not provide RabbitMQ's packages: {done.stderr.strip()}",
            f"{argv[0]} 无法取得 RabbitMQ 的软件包（原因见上）。",
        )
