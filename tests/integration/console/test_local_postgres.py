"""The private PostgreSQL starts, survives every kind of death, and keeps the services apart."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from services.console.local.errors import LocalError
from services.console.local.ports import LOOPBACK, free_port
from services.console.local.postgres import LocalPostgres

pytestmark = pytest.mark.infrastructure

PASSWORDS = {"catalog": 'it\'s a \\ "quoted" one', "checkout": "c%40:/?"}


@pytest.fixture
def postgres(scratch: Path) -> Iterator[LocalPostgres]:
    server = LocalPostgres(scratch / "postgres", free_port(), durable=False)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def provisioned(postgres: LocalPostgres) -> LocalPostgres:
    postgres.provision(["catalog", "checkout"], PASSWORDS)
    return postgres


async def connect(server: LocalPostgres, role: str, database: str = "groupbuy") -> asyncpg.Connection:
    return await asyncpg.connect(server.url(role, PASSWORDS[role], database))


def test_a_second_start_finds_the_running_server(postgres: LocalPostgres) -> None:
    again = LocalPostgres(postgres.directory, postgres.port)
    again.start()
    assert again.pid == postgres.pid


def test_a_stopped_server_starts_again_with_its_data(postgres: LocalPostgres) -> None:
    postgres.run_sql("CREATE TABLE kept (word text); INSERT INTO kept VALUES ('still here')")
    postgres.stop()
    assert not postgres.is_ready()
    postgres.start()
    assert postgres.run_sql("SELECT word FROM kept") == "still here"


@pytest.mark.parametrize("how", [signal.SIGQUIT, signal.SIGKILL])
def test_a_commit_survives_the_death_of_the_server(postgres: LocalPostgres, how: signal.Signals) -> None:
    postgres.run_sql("CREATE TABLE kept (word text)")
    postgres.run_sql("INSERT INTO kept VALUES ('still here')")
    postgres.kill(how)
    assert not postgres.is_ready()
    postgres.start()
    assert postgres.run_sql("SELECT word FROM kept") == "still here"


def test_the_lock_of_a_dead_server_whose_pid_was_reused_does_not_prevent_a_start(postgres: LocalPostgres) -> None:
    postgres.kill(signal.SIGKILL)
    lock = postgres.directory / "data" / "postmaster.pid"
    lines = lock.read_text().splitlines()
    lock.write_text("\n".join(["1", *lines[1:]]) + "\n")
    postgres.start()
    assert postgres.is_ready()


def test_a_cluster_whose_making_was_interrupted_is_made_anew(scratch: Path) -> None:
    half = scratch / "postgres" / "data.half"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    server = LocalPostgres(scratch / "postgres", free_port(), durable=False)
    server.start()
    assert server.run_sql("SELECT 1") == "1"
    server.stop()


def test_a_taken_port_is_named_with_the_variable_that_changes_it(scratch: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        server = LocalPostgres(scratch / "postgres", taken.getsockname()[1], port_variable="GROUPBUY_PG_PORT")
        with pytest.raises(LocalError, match="GROUPBUY_PG_PORT") as refused:
            server.start()
    assert refused.value.code == "port_taken"
    assert server.pid is None


async def test_a_role_works_in_its_own_schema_without_naming_it(provisioned: LocalPostgres) -> None:
    connection = await connect(provisioned, "catalog")
    try:
        await connection.execute("CREATE TABLE deals (id int)")
        assert await connection.fetchval("SELECT 'deals'::regclass::oid = 'catalog.deals'::regclass::oid")
    finally:
        await connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM checkout.orders",
        "INSERT INTO checkout.orders VALUES (1)",
        "CREATE TABLE checkout.mine (id int)",
        "CREATE TABLE public.mine (id int)",
        "CREATE TEMPORARY TABLE mine (id int)",
        "CREATE SCHEMA mine",
        "CREATE ROLE mine",
        "SET ROLE checkout",
    ],
)
async def test_a_role_is_refused_outside_its_schema(provisioned: LocalPostgres, statement: str) -> None:
    owner = await connect(provisioned, "checkout")
    await owner.execute("CREATE TABLE orders (id int)")
    await owner.close()
    stranger = await connect(provisioned, "catalog")
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await stranger.execute(statement)
    finally:
        await stranger.close()


async def test_a_wrong_password_is_refused(provisioned: LocalPostgres) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(provisioned.url("catalog", PASSWORDS["checkout"]))


async def test_provisioning_twice_keeps_the_data_and_takes_the_new_password(provisioned: LocalPostgres) -> None:
    connection = await connect(provisioned, "catalog")
    await connection.execute("CREATE TABLE deals (id int); INSERT INTO deals VALUES (7)")
    await connection.close()
    provisioned.provision(["catalog", "checkout"], {**PASSWORDS, "catalog": "new"})
    connection = await asyncpg.connect(provisioned.url("catalog", "new"))
    try:
        assert await connection.fetchval("SELECT id FROM deals") == 7
    finally:
        await connection.close()


async def test_databases_of_one_server_share_roles_but_no_tables(provisioned: LocalPostgres) -> None:
    provisioned.provision(["catalog"], PASSWORDS, database="another")
    first = await connect(provisioned, "catalog")
    second = await connect(provisioned, "catalog", "another")
    try:
        await first.execute("CREATE TABLE deals (id int)")
        assert await second.fetchval("SELECT to_regclass('catalog.deals')") is None
    finally:
        await first.close()
        await second.close()
    provisioned.drop_database("another")
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await connect(provisioned, "catalog", "another")
