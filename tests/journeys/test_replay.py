"""A consumer's copies are rebuilt from nothing while the shop goes on: nothing is missing, nothing is older, and only
handlers that keep copies have heard of it."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import asyncpg
import pytest

from services.console import lifecycles, replay
from services.console.environment import FIRST_OPERATOR
from services.console.lifecycles import Bought
from services.console.people import Refused
from services.console.shops import Shop
from shared.ids import new_id
from tests.journeys import scenario
from tests.journeys.conftest import Running
from tests.journeys.scenario import Outcome, Town
from tests.support.servers import ROOT
from tests.support.waiting import eventually

pytestmark = pytest.mark.timeout(300)

# The copies of catalog's facts: their key, and what says how new a row is (a version of a deal never changes).
COPIES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "checkout": {
        "merchants": ("merchant_id", "version"),
        "payout_accounts": ("merchant_id", "version"),
        "deals": ("deal_id", "version"),
        "deal_versions": ("deal_id, deal_version", "deal_version"),
        "staff": ("staff_id", "version"),
    },
    "redemption": {"stores": ("store_id", "version"), "staff": ("staff_id", "version")},
    "dispatch": {
        "merchants": ("merchant_id", "version"),
        "stores": ("store_id", "version"),
        "staff": ("staff_id", "version"),
    },
    "settlement": {
        "merchants": ("merchant_id", "version"),
        "payout_accounts": ("merchant_id", "version"),
        "staff": ("staff_id", "version"),
    },
}
T = TypeVar("T")
Rows = dict[str, dict[str, dict[str, Any]]]


async def query(running: Running, service: str, statement: str, *values: object) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(running.environment.local.database_urls[service])
    try:
        await connection.execute(f"set search_path to {service}")
        return await connection.fetch(statement, *values)
    finally:
        await connection.close()


async def copies(running: Running, service: str) -> Rows:
    """Every row of the service's copies, by table and key."""
    found: Rows = {}
    for table, (key, _) in COPIES[service].items():
        rows = await query(running, service, f"select concat_ws(' ', {key}) as row_key, t.* from {table} t")
        found[table] = {row["row_key"]: dict(row) for row in rows}
    return found


async def heard(running: Running, service: str) -> int:
    """How many messages took effect once and for all."""
    return int((await query(running, service, "select count(*) from inbox"))[0][0])


async def rebuild(running: Running, service: str, *, empty: bool = True) -> list[replay.Line]:
    return await replay.rebuild(
        running.world, "catalog", service, "a test", print, empty=empty, replay_id=new_id()
    )  # fmt: skip


async def quiet(running: Running) -> None:
    """Until no outbox and no queue holds anything."""
    management, vhost = running.environment.servers.management, running.environment.vhost
    looks = 0

    async def still() -> bool:
        nonlocal looks
        unsent = [
            (await query(running, service, "select count(*) from outbox"))[0][0] for service in ("catalog", *COPIES)
        ]
        depths = await asyncio.to_thread(management.queue_depths, vhost)
        looks = 0 if any(unsent) or any(depths.values()) else looks + 1
        return looks > 20  # the broker's own count is about a second old

    await eventually(still, within_s=60)


@pytest.mark.parametrize("service", COPIES)
async def test_an_emptied_copy_is_rebuilt_row_by_row_and_no_handler_with_effects_hears_of_it(
    running: Running, service: str
) -> None:
    await scenario.open_town(running.world)
    await quiet(running)
    before, effects = await copies(running, service), await heard(running, service)
    assert all(before.values())
    lines = await rebuild(running, service)
    assert all(line.complete and line.said for line in lines)
    assert await copies(running, service) == before
    await rebuild(running, service, empty=False)
    await quiet(running)
    assert await copies(running, service) == before, "a second replay changes nothing"
    assert await heard(running, service) == effects
    assert await query(running, service, "select * from parked where consumer like '%.keep\\_%'") == []


async def test_stock_is_no_copy_and_survives_with_what_is_sold(running: Running) -> None:
    town = await scenario.open_town(running.world)
    bought = await lifecycles.place(running.world, town.voucher, scenario.somebody(), 2)
    await lifecycles.pay(running.world, bought)
    await lifecycles.order_in(running.world, bought, "PAID", "FULFILLING")
    asked = ("checkout", "select quota, reserved, sold from stock where deal_id = $1", town.voucher.deal_id)
    before = await query(running, *asked)
    assert before[0]["sold"] == 2
    await rebuild(running, "checkout")
    assert await query(running, *asked) == before


def command(running: Running, *words: str) -> subprocess.CompletedProcess[str]:
    """`groupbuy replay catalog …` as an operator types it."""
    ports = {f"GROUPBUY_{name.upper()}_PORT": str(port) for name, port in running.environment.local.ports.items()}
    return subprocess.run(
        [sys.executable, "-m", "services.console", "replay", "catalog", *words],
        env={**os.environ, **ports, "NO_COLOR": "1", "COLUMNS": "120"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


async def test_the_command_counts_unless_told_to_apply_and_then_ends_when_everything_is_there(running: Running) -> None:
    await scenario.open_town(running.world)
    await quiet(running)
    before = await copies(running, "dispatch")
    counted = await asyncio.to_thread(command, running, "--to", "dispatch", "--empty")
    assert counted.returncode == 0, counted.stderr
    assert "would be said" in counted.stdout
    assert "nothing was done" in counted.stderr
    assert await copies(running, "dispatch") == before
    words = ("--to", "dispatch", "--empty", "--apply", "--reason", "a damaged table")
    applied = await asyncio.to_thread(command, running, *words)
    assert applied.returncode == 0, applied.stderr
    assert "dispatch has forgotten" in applied.stderr
    lines = [line.replace("│", " ").split() for line in applied.stdout.splitlines()]
    rows = {line[0]: line[1:] for line in lines}
    assert rows["catalog.store_changed.v1"] == [str(len(before["stores"]))] * 2
    assert await copies(running, "dispatch") == before
    [asked] = await query(running, "catalog", "select * from replays where reason = 'a damaged table'")
    assert (asked["consumer"], asked["started_by"], asked["state"]) == ("dispatch", FIRST_OPERATOR, "DONE")


async def test_nobody_is_an_operator_of_a_service_whose_staff_was_forgotten(running: Running) -> None:
    await scenario.open_town(running.world)
    operator = running.world.person(FIRST_OPERATOR)
    await operator.put("settlement", "/admin/copies/emptying", {"publisher": "catalog", "reason": "a test"})
    with pytest.raises(Refused) as refused:
        await operator.get("settlement", "/admin/copies")
    assert refused.value.status == 403
    await rebuild(running, "settlement", empty=False)
    assert await operator.get("settlement", "/admin/copies")


async def test_copies_end_at_the_newest_while_the_shop_changes_and_sells(running: Running) -> None:
    town = await scenario.open_town(running.world)
    await quiet(running)
    before = {service: await copies(running, service) for service in COPIES}
    changing = asyncio.Event()
    changes, voucher, goods, _ = await asyncio.gather(
        _change(running, town, changing),
        _use_one(town),
        _buy(town, town.goods, "SELF"),
        _rebuild_all(running, changing),
    )
    assert changes > 10
    parcel = await lifecycles.deliver_oneself(running.world, goods)
    await lifecycles.receive(running.world, goods, parcel["parcel_id"])
    await scenario.check_books(town, [Outcome(voucher, 0), Outcome(goods, 0)])
    await quiet(running)
    for service, tables in COPIES.items():
        after = await copies(running, service)
        for table, (key, version) in tables.items():
            _assert_not_older(before[service][table], after[table], version)
            newest = await query(running, "catalog", f"select concat_ws(' ', {key}) as k, {version} as v from {table}"
                                 + (" where deal_version > 0" if table == "deals" else ""))  # fmt: skip
            assert {row["k"]: row["v"] for row in newest} == {
                name: row[version] for name, row in after[table].items()
            }, f"{service}.{table} is not what catalog has"


async def _insist(act: Callable[[], Awaitable[T]]) -> T:
    """Try again what a service refuses because its copies are empty at this moment."""

    async def attempt() -> tuple[T] | None:
        try:
            return (await act(),)
        except Refused as error:
            if error.status not in {403, 404, 409}:
                raise
            return None

    return (await eventually(attempt, within_s=60))[0]


async def _buy(town: Town, shop: Shop, mode: str | None = None) -> Bought:
    order_id, buyer = new_id(), scenario.somebody()
    bought = await _insist(lambda: lifecycles.place(town.world, shop, buyer, 1, mode, order_id))
    await _insist(lambda: lifecycles.pay(town.world, bought))
    await lifecycles.order_in(town.world, bought, "PAID", "FULFILLING")
    return bought


async def _use_one(town: Town) -> Bought:
    bought = await _buy(town, town.voucher)
    [issued] = await lifecycles.certificates(town.world, bought)
    shop, redemption_id = town.voucher, new_id()
    await _insist(
        lambda: lifecycles.redeem(
            town.world, shop.clerk, shop.store_id, issued["code"], [issued["unit_id"]], redemption_id
        )
    )
    return bought


def _assert_not_older(before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]], version: str) -> None:
    assert before.keys() <= after.keys()
    for key, row in before.items():
        assert after[key][version] >= row[version]
        if after[key][version] == row[version]:
            assert after[key] == row


async def _change(running: Running, town: Town, stop: asyncio.Event) -> int:
    """A clerk comes and goes, and another deal goes on and off sale, until told to stop; how often."""
    owner = running.world.person(town.voucher.owner)
    other = await scenario.open_town(running.world)
    path = f"/merchants/{town.voucher.merchant_id}/staff/{new_id()}"
    times = 0
    while not stop.is_set():
        times += 1
        body = {"subject": "a-clerk-who-comes-and-goes", "role": "CLERK", "store_ids": [], "active": times % 2 == 0}
        await owner.put("catalog", path, body)
        seller = running.world.person(other.goods.owner)
        await seller.put("catalog", f"/deals/{other.goods.deal_id}/online", {"online": times % 2 == 0})
    return times


async def _rebuild_all(running: Running, done: asyncio.Event) -> None:
    try:
        for service in COPIES:
            lines = await rebuild(running, service)
            assert all(line.complete for line in lines)
    finally:
        done.set()


async def test_a_replay_whose_publisher_is_killed_halfway_goes_on(running: Running) -> None:
    await scenario.open_town(running.world)
    [columns] = await query(running, "catalog", _MERCHANT_COLUMNS)
    await query(running, "catalog", _MANY_MERCHANTS.format(columns=columns[0]))
    replay_id = new_id()
    operator = running.world.person(FIRST_OPERATOR)
    await operator.put("catalog", f"/admin/replays/{replay_id}", {"to": "settlement", "reason": "a test"})

    async def halfway() -> bool:
        [row] = await query(running, "catalog", "select state, emitted from replays where replay_id = $1", replay_id)
        assert row["state"] == "READING", "it was over before it could be killed"
        return '"catalog.merchant_changed.v1"' in row["emitted"]

    await eventually(halfway)
    await asyncio.to_thread(running.kill, "catalog")
    [row] = await query(running, "catalog", "select state, phase, cursor from replays where replay_id = $1", replay_id)
    assert (row["state"], row["phase"]) == ("READING", "catalog.merchant_changed.v1")
    running.launch("catalog")
    await asyncio.to_thread(running.await_ready)
    lines = await replay.rebuild(
        running.world, "catalog", "settlement", "a test", print, empty=False, replay_id=replay_id
    )
    merchants = next(line for line in lines if line.topic == "catalog.merchant_changed.v1")
    assert merchants.said >= 5000
    assert all(line.complete for line in lines)
    kept = await query(running, "settlement", "select count(*) from merchants where name like 'one of many %'")
    assert kept[0][0] == 5000


# Copies of a merchant that is there, whatever columns it has.
# Every column but those the database computes, so that a new one needs no line here.
_MERCHANT_COLUMNS = """
select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
where attrelid = 'merchants'::regclass and attnum > 0 and not attisdropped and attgenerated = ''
"""
_MANY_MERCHANTS = """
insert into merchants ({columns})
select {columns} from (
    select (jsonb_populate_record(null::merchants, m.row || jsonb_build_object(
        'merchant_id', gen_random_uuid(), 'name', 'one of many ' || n))).*
    from (select to_jsonb(one) as row from merchants one limit 1) m, generate_series(1, 5000) n) copies
"""
