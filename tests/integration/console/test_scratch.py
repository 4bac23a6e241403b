"""What a killed test run leaves behind is found and ended by the next one."""

import subprocess
import sys
from pathlib import Path

import pytest

from services.console.local.processes import Processes, is_alive
from services.console.local.scratch import scratch_directory

ROOT = Path(__file__).parents[3]
DIES_AT_ONCE = """
import os, sys
from services.console.local.processes import Processes
from services.console.local.scratch import scratch_directory
keeper = scratch_directory("groupbuy-sweep-")
made = keeper.__enter__()
child = Processes(made).start("sleeper", ["sleep", "300"], env=dict(os.environ))
print(made, flush=True)
os._exit(9)
"""


@pytest.mark.infrastructure
def test_the_next_owner_ends_what_a_killed_one_left_running() -> None:
    died = subprocess.run(
        [sys.executable, "-c", DIES_AT_ONCE], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    left = Path(died.stdout.strip())
    assert Processes(left).living("sleeper"), "the sleeper outlived its starter"
    record = Processes(left).recorded()[0]
    with scratch_directory("groupbuy-sweep-"):
        assert not left.exists()
        assert not is_alive(record)
