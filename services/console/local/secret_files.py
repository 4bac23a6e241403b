"""Secrets kept in files that only their owner can read."""

from collections.abc import Callable
from pathlib import Path


def write(path: Path, secret: str) -> None:
    """Write the secret with mode 600 from its first byte on, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f"{path.name}.half")
    half.unlink(missing_ok=True)
    half.touch(mode=0o600)
    half.write_text(secret)
    half.replace(path)


def read_or_create(path: Path, create: Callable[[], str]) -> str:
    """The secret in the file, made by `create` at the first call."""
    try:
        return path.read_text()
    except FileNotFoundError:
        secret = create()
        write(path, secret)
        return secret
