"""Directories for servers that these tests themselves start, crash and end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.console.local.scratch import scratch_directory

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def scratch() -> Iterator[Path]:
    with scratch_directory() as directory:
        yield directory


@pytest.fixture
def debs_directory() -> Path:
    """Where extracted packages are kept from one run to the next."""
    return REPOSITORY / "var" / "rabbitmq-debs"
