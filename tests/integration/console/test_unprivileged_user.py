"""Both private servers run for a user who is nobody in particular."""

import os
import pwd
import shutil
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from services.console.local.ports import free_port
from services.console.local.postgres import LocalPostgres
from services.console.local.postgres_tools import program
from services.console.local.rabbitmq import LocalRabbit

pytestmark = [
    pytest.mark.infrastructure,
    pytest.mark.skipif(os.geteuid() != 0, reason="every other test already runs as an ordinary user"),
]


@pytest.fixture
def home_of_nobody(scratch: Path) -> Path:
    nobody = pwd.getpwnam("nobody")
    os.chown(scratch, nobody.pw_uid, nobody.pw_gid)
    return scratch


def run_as_nobody(home: Path, work: Callable[[], None]) -> None:
    """Run `work` in a forked child that has given up root; its traceback becomes ours."""
    report = home / "traceback"
    child = os.fork()
    if child == 0:
        try:
            nobody = pwd.getpwnam("nobody")
            os.setgroups([])
            os.setgid(nobody.pw_gid)
            os.setuid(nobody.pw_uid)
            os.chdir(home)
            os.environ["HOME"] = str(home)
            work()
            os._exit(0)
        finally:  # reached only by an exception; the child must never return into the test session
            report.write_text(traceback.format_exc())
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert status == 0, report.read_text()


def test_postgres_runs_as_an_ordinary_user(home_of_nobody: Path) -> None:
    if not _nobody_reaches(program("postgres")):
        pytest.skip("the virtual environment lies where other users may not look")

    def work() -> None:
        server = LocalPostgres(home_of_nobody / "postgres", free_port(), durable=False)
        server.start()
        server.provision(["catalog"], {"catalog": "secret"})
        server.kill()
        server.start()
        server.stop()

    run_as_nobody(home_of_nobody, work)
    assert (home_of_nobody / "postgres" / "data").stat().st_uid == pwd.getpwnam("nobody").pw_uid


def test_rabbitmq_runs_as_an_ordinary_user(home_of_nobody: Path, debs_directory: Path) -> None:
    extracted = home_of_nobody / "debs"
    if debs_directory.exists():
        shutil.copytree(debs_directory, extracted, symlinks=True)
        nobody = pwd.getpwnam("nobody")
        for path in (extracted, *extracted.rglob("*")):
            os.chown(path, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)

    def work() -> None:
        node = LocalRabbit(home_of_nobody / "rabbitmq", free_port(), free_port(), debs_directory=extracted)
        node.start()
        node.management.create_vhost("run")
        node.stop()

    run_as_nobody(home_of_nobody, work)


def _nobody_reaches(path: str) -> bool:
    others = 0o001
    return all(parent.stat().st_mode & others for parent in [Path(path), *Path(path).parents])
