"""`python -m bench`: prints a table and writes bench/results.json."""

import json
import platform
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import uvloop
from rich.console import Console
from rich.table import Table

from bench import expiring, latency, placing, relay, settling, verifying
from shared.messaging.schema import V1, V2
from tests.support import environment as environments
from tests.support.environment import Environment
from tests.support.servers import Servers, running_servers, wanted_infrastructure

ROUNDS = 3


async def measure(environment: Environment) -> list[dict[str, Any]]:
    """Each pair of measurements in alternation, the best round of each side."""
    local = environment.local
    for service in ("settlement", "catalog"):
        connection = await asyncpg.connect(local.database_urls[service])
        await connection.execute(f"set search_path to {service}; {V1} {V2} create table effects (key text, times int)")
        await connection.close()
    relayed, published, ours, theirs = [], [], [], []
    async with AsyncExitStack() as stack:
        writer = await stack.enter_async_context(environment.database_of("settlement"))
        reader = await stack.enter_async_context(environment.database_of("catalog"))
        for _ in range(ROUNDS):
            relayed.append(await relay.through_the_outbox(writer, local.amqp_urls["settlement"]))
            published.append(await relay.bare(local.amqp_urls["settlement"]))
        await _purge(environment)
        for _ in range(ROUNDS):
            urls = (local.amqp_urls["settlement"], local.amqp_urls["catalog"])
            ours.append(await latency.commit_to_effect(writer, reader, *urls))
            theirs.append(await latency.publish_to_callback(*urls))
    return [
        _result(
            "relay", "events/s, outbox to confirmed", max(relayed), "aio-pika confirmed, 100 in flight", max(published)
        ),
        _result("commit to effect p50", "ms", _best(ours, 50), "bare publish to callback", _best(theirs, 50)),
        _result("commit to effect p99", "ms", _best(ours, 99), "bare publish to callback", _best(theirs, 99)),
    ]


async def measure_placing(environment: Environment) -> list[dict[str, Any]]:
    """Orders for one hot deal by 200 callers at once."""
    together, alone, inserts, at_once = [], [], [], []
    async with environment.database_of("checkout", pool_size=placing.POOL) as db:
        shop = placing.Shop.of(environment, db)
        for _ in range(ROUNDS):
            rate, shared = await shop.together()
            together.append(rate)
            at_once.append(shared)
            alone.append(await shop.alone())
            inserts.append(await shop.inserts())
    http = {size: [await placing.over_http(environment, size) for _ in range(ROUNDS)] for size in (1, 2)}
    rates = {size: max(rate for rate, _ in rounds) for size, rounds in http.items()}
    best = max(together)
    return [
        _result("placing", "orders/s, one hot deal", best, "a transaction each", max(alone)),
        _result("placing", "orders/s, one hot deal", best, "bare INSERT of order and unit", max(inserts)),
        _result("placing", "commits per order", 1 / max(at_once), "a transaction each", 1.0),
        _result("placing over HTTP", "orders/s, one process", rates[1], "without HTTP", best),
        _result("placing over HTTP", "orders/s, two processes", rates[2], "one process", rates[1]),
        _result("placing over HTTP", "ms of CPU per order", min(ms for _, ms in http[1]), "without HTTP", 1_000 / best),
    ]


async def measure_verifying(environment: Environment) -> list[dict[str, Any]]:
    """Uses at eight tills at once, each at a card of its own."""
    at_once, plain, bare = [], [], []
    async with environment.database_of("redemption", pool_size=verifying.POOL) as db:
        tills = verifying.Tills(environment, db)
        for _ in range(ROUNDS):
            at_once.append(await tills.at_once())
            plain.append(await tills.in_a_transaction())
            bare.append(await tills.bare())
    best = max(at_once)
    return [
        _result("verify", "uses/s, eight tills", best, "the same statement, bare", max(bare)),
        _result("verify", "uses/s, eight tills", best, "in a transaction, looking first", max(plain)),
    ]


async def measure_expiring(environment: Environment) -> list[dict[str, Any]]:
    """Tills at work while a night's certificates expire."""
    async with environment.database_of("redemption", pool_size=verifying.POOL) as db:
        night = await expiring.night(verifying.Tills(environment, db), db, environment.local)
    before, during = night.before_ms, night.during_ms
    name = f"verify while {expiring.CERTIFICATES:,} expire"
    pairs = {percent: [latency.percentile(times, percent) for times in (during, before)] for percent in (50, 99)}
    return [
        _result(f"{name}, p{percent}", "ms", ours, "before that", theirs) for percent, (ours, theirs) in pairs.items()
    ]


async def settle(environment: Environment, uses: int) -> settling.Round:
    """One payout run over that many uses."""
    async with environment.database_of("settlement", pool_size=2) as db:
        return await settling.settle(db, uses)


def measure_settling(servers: Servers) -> list[dict[str, Any]]:
    """Payout runs of growing size, each in a database of its own: what a use costs must not grow with them."""
    rounds = []
    for uses in settling.SIZES:
        environment = environments.create(servers, services=("settlement",))
        try:
            rounds.append(uvloop.run(settle(environment, uses)))
        finally:
            environments.remove(environment)
    return [
        _result(f"payout run, {one.uses:,} uses", "us per use", one.run_us, "one INSERT … GROUP BY", one.plain_us)
        for one in rounds
    ] + [
        _result(
            "payout run, cost of a use",
            f"us of {rounds[-1].uses:,}",
            rounds[-1].run_us,
            f"us of {rounds[0].uses:,}",
            rounds[0].run_us,
        )
    ]


async def _purge(environment: Environment) -> None:
    """The throughput rounds left their messages in the queue on which latency is measured."""
    import aio_pika

    connection = await aio_pika.connect(environment.local.amqp_urls["catalog"])
    async with connection:
        queue = await (await connection.channel()).get_queue("catalog.reopen_payout_account", ensure=False)
        await queue.purge()


def _best(rounds: list[list[float]], percent: int) -> float:
    return min(latency.percentile(values, percent) for values in rounds)


def _result(name: str, unit: str, ours: float, limit: str, theirs: float) -> dict[str, Any]:
    return {
        "name": name, "unit": unit, "value": round(ours, 2), "limit": limit, "limit_value": round(theirs, 2),
        "ratio": round(ours / theirs, 3),
    }  # fmt: skip


def main() -> None:
    """Measure on throwaway servers."""
    with running_servers() as servers:
        environment = environments.create(servers, services=("checkout", "redemption"))
        try:
            results = (
                uvloop.run(measure(environment))
                + uvloop.run(measure_placing(environment))
                + uvloop.run(measure_verifying(environment))
                + uvloop.run(measure_expiring(environment))
            )
        finally:
            environments.remove(environment)
        results += measure_settling(servers)
    table = Table("measure", "value", "unit", "naive limit", "value", "ratio", show_edge=False)
    for row in results:
        table.add_row(*(str(row[key]) for key in ("name", "value", "unit", "limit", "limit_value", "ratio")))
    Console().print(table)
    about = {
        "at": datetime.now(UTC).isoformat(),
        "python": platform.python_version(),
        "servers": wanted_infrastructure(),
    }
    path = Path(__file__).parent / "results.json"
    path.write_text(json.dumps({**about, "results": results}, indent=1) + "\n")


main()
