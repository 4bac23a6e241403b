"""The bill of a day from a really running sandbox: fetched once, read to the fen, and compared with our books."""

from collections.abc import Iterator

import pytest

from services.console.local.ports import free_port
from tests.integration.sandbox.stage import SandboxProcess
from tests.integration.settlement.channel import Channel
from tests.support.environment import Environment


@pytest.fixture(scope="module")
def channel(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Channel]:
    process = SandboxProcess(tmp_path_factory.mktemp("sandbox"), environment.local.keys, free_port(), {})
    process.start()
    yield Channel(process)
    process.stop()
