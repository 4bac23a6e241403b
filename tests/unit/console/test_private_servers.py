"""Secrets of private servers stay private, and the parts of RabbitMQ that are ours to compute are right."""

import base64
import hashlib
from pathlib import Path

import pytest

from services.console.local import debs, secret_files
from services.console.local.errors import LocalError
from services.console.local.postgres import LocalPostgres
from services.console.local.rabbitmq import SBIN_VARIABLE, find_scripts
from services.console.local.scratch import scratch_directory
from shared.messaging.topology import password_hash


def test_a_secret_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "password"
    assert secret_files.read_or_create(path, lambda: "first") == "first"
    assert secret_files.read_or_create(path, lambda: "second") == "first"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_broker_password_hash_is_the_salt_before_the_salted_digest() -> None:
    salt = bytes.fromhex("908dc60a")
    decoded = base64.b64decode(password_hash("test12", salt))
    assert decoded == salt + hashlib.sha256(salt + b"test12").digest()


def test_the_example_of_the_brokers_documentation_hashes_alike() -> None:
    # https://www.rabbitmq.com/docs/passwords#computing-password-hash
    assert password_hash("test12", bytes.fromhex("908DC60A")) == "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"


def test_a_password_with_signs_of_an_address_survives_in_the_url(tmp_path: Path) -> None:
    url = LocalPostgres(tmp_path, 5432).url("catalog", "a/b@c:d", "groupbuy")
    assert url == "postgresql://catalog:a%2Fb%40c%3Ad@127.0.0.1:5432/groupbuy"


def test_a_named_directory_without_server_scripts_is_refused_with_the_choices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SBIN_VARIABLE, str(tmp_path))
    with pytest.raises(LocalError) as refused:
        find_scripts(tmp_path)
    assert refused.value.code == "rabbitmq_unavailable"
    for choice in ("rabbitmq-server", SBIN_VARIABLE, "docker compose"):
        assert choice in refused.value.en


def test_erlang_is_pointed_at_the_place_its_tree_was_moved_to(tmp_path: Path) -> None:
    for place in ("before", "after"):
        root = tmp_path / "debs" / "root"
        (root / "usr/lib/rabbitmq/lib/rabbitmq_server-4.0.5/sbin").mkdir(parents=True)
        (root / "usr/lib/rabbitmq/lib/rabbitmq_server-4.0.5/sbin/rabbitmq-server").touch()
        (root / "usr/lib/erlang/bin").mkdir(parents=True)
        erl = root / "usr/lib/erlang/bin/erl"
        erl.write_text("if true\nthen\n    ROOTDIR=/usr/lib/erlang\nfi\nexec $ROOTDIR/erlexec\n")
        debs.fetch(tmp_path / "debs")
        (tmp_path / "debs").rename(tmp_path / place)
        debs.fetch(tmp_path / place)
        moved = tmp_path / place / "root/usr/lib/erlang"
        script = (moved / "bin/erl").read_text()
        assert script == f'if true\nthen\n    ROOTDIR="{moved}"\nfi\nexec $ROOTDIR/erlexec\n'


def test_a_scratch_directory_is_gone_afterwards() -> None:
    with scratch_directory() as directory:
        (directory / "file").touch()
    assert not directory.exists()
