"""`python -m bench [name …]`: prints a table and writes bench/results.json; with names, only these, and no file."""

import argparse
import json
import logging
import platform
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import structlog
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
    """Payout runs of growing size, each in a database of its own: what a use costs, by the measure of the plain
    statement over the same rows, must not grow with them."""
    results = []
    for uses, times in settling.ROUNDS.items():
        rounds = [_settle_alone(servers, uses) for _ in range(times)]
        ours, plain = min(one.run_us for one in rounds), min(one.plain_us for one in rounds)
        results.append(_result(f"payout run, {uses:,} uses", "us per use", ours, "one INSERT … GROUP BY", plain))
    few, many = results[0], results[-1]
    return [*results, _result("payout run", "ratio at a million", many["ratio"], "at ten thousand", few["ratio"])]


def _settle_alone(servers: Servers, uses: int) -> settling.Round:
    environment = environments.create(servers, services=("settlement",))
    try:
        return uvloop.run(settle(environment, uses))
    finally:
        environments.remove(environment)


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


_IN_ONE_ENVIRONMENT = {
    "relay": measure,
    "placing": measure_placing,
    "verifying": measure_verifying,
    "expiring": measure_expiring,
}
_BY_THEMSELVES = {"settling": measure_settling}


def _measure_all(names: list[str]) -> list[dict[str, Any]]:
    """What was asked for, on throwaway servers."""
    results: list[dict[str, Any]] = []
    with running_servers() as servers:
        environment = environments.create(servers, services=("checkout", "redemption"))
        try:
            for name, measured in _IN_ONE_ENVIRONMENT.items():
                if name in names:
                    results += uvloop.run(measured(environment))
        finally:
            environments.remove(environment)
        for name, measured_alone in _BY_THEMSELVES.items():
            if name in names:
                results += measured_alone(servers)
    return results


def _show(results: list[dict[str, Any]]) -> None:
    table = Table("measure", "value", "unit", "naive limit", "value", "ratio", show_edge=False)
    for row in results:
        table.add_row(*(str(row[key]) for key in ("name", "value", "unit", "limit", "limit_value", "ratio")))
    Console().print(table)


def _write(results: list[dict[str, Any]]) -> None:
    about = {
        "at": datetime.now(UTC).isoformat(),
        "python": platform.python_version(),
        "servers": wanted_infrastructure(),
    }
    path = Path(__file__).parent / "results.json"
    path.write_text(json.dumps({**about, "results": results}, indent=1) + "\n")


def main() -> None:
    """Measure everything and keep the results, or show what was asked for."""
    every = [*_IN_ONE_ENVIRONMENT, *_BY_THEMSELVES]
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"some of {', '.join(every)}; without names all of them")
    names = parser.parse_args().names
    if unknown := set(names) - set(every):
        parser.error(f"there is no measure {', '.join(sorted(unknown))}; there are {', '.join(every)}")
    # A line of log for each batch would be most of what one sees, and some of what is measured.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    results = _measure_all(names or every)
    _show(results)
    if not names:
        _write(results)


main()
