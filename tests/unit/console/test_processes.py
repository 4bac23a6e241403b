"""Processes are found again by pid and start time, and only those are ever signalled."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from services.console.local.errors import LocalError
from services.console.local.processes import Processes, end, is_alive, only_one, stop_everything

ENV = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
FOREVER = (sys.executable, "-c", "import signal; signal.pause()")
STUBBORN = (
    sys.executable,
    "-c",
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()",
)


@pytest.fixture
def processes(tmp_path: Path) -> Processes:
    return Processes(tmp_path)


def test_a_started_process_lives_until_it_is_stopped(processes: Processes) -> None:
    record = processes.start("shop", FOREVER, env=ENV)
    assert processes.living("shop") == record
    processes.stop("shop")
    assert not is_alive(record)
    assert processes.recorded() == []


def test_starting_twice_finds_the_living_process(processes: Processes) -> None:
    first = processes.start("shop", FOREVER, env=ENV)
    second = Processes(processes.directory).start("shop", FOREVER, env=ENV)
    assert second == first
    processes.stop("shop")


def test_a_process_that_ignores_its_stop_signal_is_killed(processes: Processes) -> None:
    record = processes.start("shop", STUBBORN, env=ENV)
    processes.await_ready("shop", lambda: "deaf" in processes.log_tail("shop"), 30)
    processes.stop("shop", timeout_s=0.2)
    assert not is_alive(record)


def test_a_reused_pid_is_never_signalled(processes: Processes) -> None:
    bystander = processes.start("bystander", FOREVER, env=ENV)
    stale = replace(bystander, name="shop", identity="started long ago")
    (processes.directory / "run" / "shop.pid").write_text(json.dumps(asdict(stale)))
    assert processes.living("shop") is None
    processes.stop("shop")
    end(stale, timeout_s=0.2)
    assert is_alive(bystander)
    processes.stop("bystander")


def test_a_process_that_ends_while_starting_is_reported_with_the_end_of_its_log(processes: Processes) -> None:
    processes.start("shop", (sys.executable, "-c", "print('the till is broken')"), env=ENV)
    with pytest.raises(LocalError) as ended:
        processes.await_ready("shop", lambda: False, 30)
    assert ended.value.code == "process_ended"
    assert "the till is broken" in ended.value.en


def test_a_process_that_never_becomes_ready_is_reported(processes: Processes) -> None:
    processes.start("shop", FOREVER, env=ENV)
    with pytest.raises(LocalError) as late:
        processes.await_ready("shop", lambda: False, 0.1)
    assert late.value.code == "not_ready_in_time"
    processes.stop("shop")


def test_everything_is_ended_after_its_starter_was_killed(tmp_path: Path) -> None:
    starter = textwrap.dedent(f"""
        import os, signal, sys
        from pathlib import Path
        from services.console.local.processes import Processes
        forever = [sys.executable, "-c", "import signal; signal.pause()"]
        Processes(Path({str(tmp_path)!r})).start("shop", forever, env=dict(os.environ))
        Processes(Path({str(tmp_path / "server")!r})).start("server", forever, env=dict(os.environ))
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    killed = subprocess.run([sys.executable, "-c", starter], env=ENV, check=False)
    assert killed.returncode == -signal.SIGKILL
    orphans = [*Processes(tmp_path).recorded(), *Processes(tmp_path / "server").recorded()]
    assert all(is_alive(orphan) for orphan in orphans)

    assert set(stop_everything(tmp_path)) == {"shop", "server"}

    assert not any(is_alive(orphan) for orphan in orphans)
    assert stop_everything(tmp_path) == []


def test_the_latest_started_is_ended_first(processes: Processes) -> None:
    processes.start("first", FOREVER, env=ENV)
    processes.start("second", FOREVER, env=ENV)
    assert processes.stop_all() == ["second", "first"]


def test_two_commands_cannot_start_the_same_system_at_once(tmp_path: Path) -> None:
    with only_one(tmp_path), pytest.raises(LocalError) as busy, only_one(tmp_path):
        pass
    assert busy.value.code == "already_starting"
    with only_one(tmp_path):
        pass
