"""Directories that throwaway servers may use and that are gone afterwards."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.console.local.processes import identity, stop_everything

_MEMORY = Path("/dev/shm")  # noqa: S108 - the memory file system itself, not a file in it
_ENOUGH_BYTES = 2 * 1024**3
_OWNER = "owner"


@contextmanager
def scratch_directory(prefix: str = "groupbuy-") -> Iterator[Path]:
    """A new directory, in memory where there is room, removed with all it holds.

    What a killed owner of such a directory left behind, running servers too, is ended and removed first.
    """
    parent = _MEMORY if _memory_has_room() else Path(tempfile.gettempdir())
    _sweep(parent, prefix)
    directory = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    directory.chmod(0o711)  # a server that runs as another user must pass through
    (directory / _OWNER).write_text(f"{os.getpid()} {identity(os.getpid())}")
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _sweep(parent: Path, prefix: str) -> None:
    for owner in parent.glob(f"{prefix}*/{_OWNER}"):
        try:
            pid, _, known = owner.read_text().partition(" ")
        except OSError:
            continue  # another user's, or gone this moment
        if pid.isdigit() and identity(int(pid)) != known:
            stop_everything(owner.parent)
            shutil.rmtree(owner.parent, ignore_errors=True)


def _memory_has_room() -> bool:
    return os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ENOUGH_BYTES
