"""Collects the books over HTTP, as an operator, and prints the proof."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from services.console.environment import FIRST_OPERATOR
from services.console.money import Books, Finding, Proof, prove
from services.console.payouts import find_payouts
from services.console.people import World
from shared.money import yuan

SERVICES = ("checkout", "redemption", "dispatch", "settlement")
PAGE = 500

_NAMES = {
    "received_fen": ("收到", "received from buyers (Alipay's book)"),
    "refunded_fen": ("已退", "refunded to buyers (Alipay's book)"),
    "paid_net_fen": ("已付商家", "paid to merchants, net (Alipay's book)"),
    "fees_fen": ("手续费", "Alipay's fee, 0.6 % (Alipay's book)"),
    "commission_fen": ("佣金", "platform commission (settlement's ledger)"),
    "held_fen": ("待结算", "held: unused, or not yet due (settlement's ledger)"),
    "owed_fen": ("商家欠款", "owed by merchants (settlement's ledger)"),
}


async def collect(world: World) -> Books:
    """Ask the channel and every service for their books."""
    operator = world.person(FIRST_OPERATOR)
    first = await world.sandbox("GET", "/_sim/alipay/book?limit=1000")
    entries = list(first["entries"])
    since = first["next_since"]
    while since is not None:
        page = await world.sandbox("GET", f"/_sim/alipay/book?limit=1000&since={since}")
        entries += page["entries"]
        since = page["next_since"]
    answers = await asyncio.gather(*(operator.get(service, "/admin/money") for service in SERVICES))
    orders = await asyncio.gather(*(_orders(world, service) for service in SERVICES))
    services = dict(zip(SERVICES, answers, strict=True))
    # The channel's book does not say which orders its transfers were for.
    transfers = (entry["out_request_no"] for entry in entries if entry["kind"] == "transfer")
    order_of = {one["number"]: one["order_id"] for one in await find_payouts(operator, transfers)}
    return Books(first, entries, services, dict(zip(SERVICES, orders, strict=True)), order_of)


async def _orders(world: World, service: str) -> dict[str, Mapping[str, Any]]:
    operator = world.person(FIRST_OPERATOR)
    found: dict[str, Mapping[str, Any]] = {}
    after = ""
    while True:
        cursor = f"&after={after}" if after else ""
        page = (await operator.get(service, f"/admin/money/orders?limit={PAGE}{cursor}"))["items"]
        found |= {row["order_id"]: row for row in page}
        if len(page) < PAGE:
            return found
        after = page[-1]["order_id"]


async def audit(world: World) -> Proof:
    """The proof as of now."""
    return prove(await collect(world))


async def settled(world: World, within_s: float) -> Proof:
    """The proof once nothing is under way any more, or as it stands when time is up."""
    proof = await audit(world)
    deadline = asyncio.get_running_loop().time() + within_s
    while (proof.findings or proof.difference_fen) and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.3)
        proof = await audit(world)
    return proof


def show(console: Console, proof: Proof) -> None:
    """Print each term, the difference, and everything that does not fit."""
    table = Table(title="资金恒等式 · the money identity", title_justify="left", show_edge=False, pad_edge=False)
    table.add_column("")
    table.add_column("项目")
    table.add_column("term")
    table.add_column("¥", justify="right")
    signs = {"received_fen": " ", "owed_fen": "+"}
    for name, (zh, en) in _NAMES.items():
        table.add_row(signs.get(name, "−"), zh, en, yuan(proof.terms[name]))
    table.add_section()
    table.add_row("=", "差额", "difference", yuan(proof.difference_fen))
    console.print(table)
    now = datetime.now(UTC)
    for finding in proof.findings:
        console.print(_line(finding, now), soft_wrap=True)
    verdict = "每一分钱都有着落 · every fen is accounted for" if proof.holds(now) else "对不上 · it does not add up"
    if proof.holds(now) and proof.findings:
        verdict += f" ({len(proof.findings)} 项在途 on their way)"
    console.print(("✓ " if proof.holds(now) else "✗ ") + verdict)


def _line(finding: Finding, now: datetime) -> str:
    mark = "✗" if finding.is_overdue(now) else "…"
    age = "" if finding.since is None else f", {int((now - finding.since).total_seconds())} s ago"
    return f"  {mark} {finding.what}: {finding.item_id} ({finding.detail}, ¥{yuan(finding.amount_fen)}{age})"
