"""Directories that throwaway servers may use and that are gone afterwards."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MEMORY = Path("/dev/shm")  # noqa: S108 - the memory file system itself, not a file in it
_ENOUGH_BYTES = 2 * 1024**3


@contextmanager
def scratch_directory(prefix: str = "groupbuy-") -> Iterator[Path]:
    """A new directory, in memory where there is room, removed with all it holds."""
    directory = Path(tempfile.mkdtemp(prefix=prefix, dir=_MEMORY if _memory_has_room() else None))
    directory.chmod(0o711)  # a server that runs as another user must pass through
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _memory_has_room() -> bool:
    return os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ENOUGH_BYTES
