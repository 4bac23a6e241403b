"""One chaos run: load and faults together, then healing, T+1, draining, and the verdict."""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from services.console import audit
from services.console.environment import FIRST_OPERATOR
from services.console.journey import move_to_next_payout, run_payouts
from services.console.local.ports import free_port
from services.console.local.scratch import scratch_directory
from services.console.money import Books, Proof
from services.console.people import World
from services.console.settings import Settings
from services.console.system import VHOST, System
from shared.contracts import SERVICES
from tests.chaos.faults import Faults
from tests.chaos.interference import Interference
from tests.chaos.load import Ended, Load, open_load

AT_ONCE = 6
DRAIN_S = 90.0


@dataclass(slots=True)
class Verdict:
    """What a run came to. `details` name every item behind the counts."""

    seed: int
    faults: dict[str, int]
    lifecycles: Counter[str]
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unbalanced: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Nothing lost, doubled, unbalanced or stuck, and enough happened to mean something."""
        return not (self.lost or self.doubled or self.unbalanced or self.stuck) and self.lifecycles.total() > 0

    def line(self) -> str:
        """The last line of a run."""
        counts = " ".join(f"{name}={len(getattr(self, name))}" for name in ("lost", "doubled", "unbalanced", "stuck"))
        faults = sum(self.faults.values())
        return f"chaos: seed={self.seed} faults={faults} lifecycles={self.lifecycles.total()} {counts}"


async def run(seed: int, minutes: float, *, keep: Path | None = None) -> Verdict:
    """Everything on private servers in a directory of its own, gone afterwards unless `keep` names it."""
    if keep is not None:
        return await _run_in(keep, seed, minutes)
    with scratch_directory("groupbuy-chaos-") as directory:
        return await _run_in(directory, seed, minutes)


def _settings(directory: Path) -> Settings:
    names = ("web", *SERVICES, "sandbox", "postgres", "rabbitmq", "rabbitmq_management")
    ports: dict[str, Any] = {f"{name}_port": free_port() for name in names}
    return Settings(var=directory, **ports)


async def _run_in(directory: Path, seed: int, minutes: float) -> Verdict:
    settings = _settings(directory)
    system = System(settings, durable=False)
    try:
        await asyncio.to_thread(system.up, lambda _: None)
        async with httpx.AsyncClient(timeout=20, limits=httpx.Limits(max_connections=200)) as http:
            return await _break_and_judge(system, World(settings.urls, http, patience_s=120), seed, minutes)
    finally:
        await asyncio.to_thread(system.down)


async def _break_and_judge(system: System, world: World, seed: int, minutes: float) -> Verdict:
    load = await open_load(world, seed)
    faults = Faults(system, random.Random(f"{seed}:faults"))  # noqa: S311  # seeded on purpose
    interference = Interference(system.rabbit.url(vhost=VHOST), seed)
    meddling = asyncio.create_task(interference.run())
    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(load.run(stopping, AT_ONCE))
        await faults.run(time.monotonic() + minutes * 60)
        await faults.heal()
        stopping.set()
    meddling.cancel()
    counts = {**faults.counts, "duplicated": interference.duplicated, "delayed": interference.delayed}
    await _to_payout(world)
    proof = await audit.settled(world, DRAIN_S)
    verdict = Verdict(seed, counts, Counter(end.kind for end in load.ended), lost=load.lost)
    verdict.stuck = await _stuck(world, system)
    _judge(verdict, proof, load, await audit.collect(world))
    return verdict


async def _to_payout(world: World) -> None:
    """Let the uses become final on their day, then move to T+1 and pay everything out."""
    await audit.settled(world, DRAIN_S)
    await move_to_next_payout(world)
    await audit.settled(world, DRAIN_S)
    await run_payouts(world)


async def _stuck(world: World, system: System) -> list[str]:
    """What still waits somewhere although it had all the time it needed."""
    operator = world.person(FIRST_OPERATOR)
    found: list[str] = []
    deadline = time.monotonic() + DRAIN_S
    while time.monotonic() < deadline:
        found = []
        for service in SERVICES:
            waiting = await operator.get(service, "/admin/queues")
            names = ("outbox_waiting", "parked_waiting", "parked_dead", "timers_due", "timers_failing")
            found += [f"{service}.{name}={waiting[name]}" for name in names if waiting[name]]
            for row in await operator.get(service, "/admin/parked"):
                last = (row["error"].strip().splitlines() or [""])[-1]
                found.append(f"{row['consumer']} {row['event_id']} {row['kind']} × {row['attempts']}: {last[:300]}")
        depths = await asyncio.to_thread(system.rabbit.management.queue_depths, VHOST)
        found += [f"queue {name}={depth}" for name, depth in depths.items() if depth]
        if not found:
            return found
        await asyncio.sleep(0.5)
    return found


def _judge(verdict: Verdict, proof: Proof, load: Load, books: Books) -> None:
    for finding in proof.findings:
        verdict.unbalanced.append(f"{finding.what} {finding.item_id}: {finding.detail}")
    if proof.difference_fen:
        verdict.unbalanced.append(f"difference {proof.difference_fen} fen")
    for end in load.ended:
        _judge_one(verdict, end, books)


def _judge_one(verdict: Verdict, end: Ended, books: Books) -> None:
    """The order's ledger must show each effect once: sums are counted, so a second application is seen."""
    settled = books.orders["settlement"].get(end.order_id)
    if settled is None:
        verdict.lost.append(f"{end.kind} {end.order_id}: unknown to settlement")
        return
    pairs = (
        ("received", settled["received_fen"], end.received_fen),
        ("refunded", settled["refunded_fen"], end.refunded_fen),
        ("paid out", settled["paid_net_fen"] + settled["fee_fen"], end.received_fen - end.refunded_fen),
    )
    for name, seen, expected in pairs:
        if seen > expected:
            verdict.doubled.append(f"{end.kind} {end.order_id}: {name} {seen} fen instead of {expected}")
        elif seen < expected:
            verdict.lost.append(f"{end.kind} {end.order_id}: {name} {seen} fen instead of {expected}")
