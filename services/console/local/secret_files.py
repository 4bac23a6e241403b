"""Secrets kept in files that only their owner can read."""

import os
from collections.abc import Callable
from pathlib import Path


def write(path: Path, secret: str) -> None:
    """Write the secret with mode 600 from its first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secret)


def read_or_create(path: Path, create: Callable[[], str]) -> str:
    """The secret in the file, made by `create` at the first call."""
    try:
        return path.read_text()
    except FileNotFoundError:
        secret = create()
        write(path, secret)
        return secret
