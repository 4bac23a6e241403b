"""Collects the books over HTTP, as an operator, and prints the proof."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from services.console import channel as channels
from services.console.environment import FIRST_OPERATOR
from services.console.money import Books, Finding, Proof, prove
from services.console.payouts import find_payouts
from services.console.people import World
from shared.money import yuan

SERVICES = ("checkout", "redemption", "dispatch", "settlement")
PAGE = 500

_OURS = "settlement's ledger"
_NAMES = {
    "received_fen": ("收到", "received from buyers"),
    "refunded_fen": ("已退", "refunded to buyers"),
    "paid_net_fen": ("已付商家", "paid to merchants, net"),
    "fees_fen": ("手续费", "Alipay's fee"),
    "commission_fen": ("佣金", "platform commission"),
    "held_fen": ("待结算", "held: unused, or not yet due"),
    "owed_fen": ("商家欠款", "owed by merchants"),
}
# Where what no bill has yet comes from, term by term.
_ASKED = {
    "received_fen": "alipay.trade.query",
    "refunded_fen": "alipay.trade.fastpay.refund.query",
    "paid_net_fen": "alipay.trade.query (trade_settle_info), alipay.fund.trans.common.query",
    "fees_fen": "the rate agreed with Alipay; its bill has the fee taken",
}


async def collect(world: World) -> Books:
    """Ask the channel and every service for their books."""
    operator = world.person(FIRST_OPERATOR)
    answers = await asyncio.gather(*(operator.get(service, "/admin/money") for service in SERVICES))
    orders = await orders_of(world)
    channel = await channels.read(operator, orders, world.bills)
    # The channel's book does not say which orders its transfers were for.
    transfers = (entry.number for entry in channel.entries if entry.movement == "TRANSFER")
    order_of = {one["number"]: one["order_id"] for one in await find_payouts(operator, transfers)}
    return Books(channel, dict(zip(SERVICES, answers, strict=True)), orders, order_of)


async def orders_of(world: World) -> dict[str, Mapping[str, Mapping[str, Any]]]:
    """What each service knows of each order."""
    found = await asyncio.gather(*(_orders(world, service) for service in SERVICES))
    return dict(zip(SERVICES, found, strict=True))


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
    return prove(await collect(world), datetime.now(UTC))


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
    for name in ("", "项目", "term"):
        table.add_column(name)
    table.add_column("¥", justify="right")
    table.add_column("来源 source")
    signs = {"received_fen": " ", "owed_fen": "+"}
    for name, (zh, en) in _NAMES.items():
        table.add_row(signs.get(name, "−"), zh, en, yuan(proof.terms[name]), _source(proof, name))
    table.add_section()
    table.add_row("=", "差额", "difference", yuan(proof.difference_fen), "")
    console.print(table)
    for line in _days_behind(proof):
        console.print(line, soft_wrap=True)
    now = datetime.now(UTC)
    for finding in proof.findings:
        console.print(_line(finding, now), soft_wrap=True)
    verdict = "每一分钱都有着落 · every fen is accounted for" if proof.holds(now) else "对不上 · it does not add up"
    if proof.holds(now) and proof.findings:
        verdict += f" ({len(proof.findings)} 项在途 on their way)"
    console.print(("✓ " if proof.holds(now) else "✗ ") + verdict)


def _source(proof: Proof, name: str) -> str:
    """The books that a term was taken from, with what of it is provisional."""
    if name not in proof.provisional:
        return _OURS
    source = "账单 bills"
    if proof.asked:
        source += f", 暂计 {yuan(proof.provisional[name])}"
    return source


def _days_behind(proof: Proof) -> list[str]:
    """Which days' bills are in the terms, and what is provisional because there is none."""
    lines = []
    if proof.billed:
        lines.append(f"  账单 bills: {proof.billed[0]} … {proof.billed[-1]}")
    if proof.asked:
        days = ", ".join(str(day) for day in proof.asked)
        lines.append(f"  暂计 provisional, no bill yet: {days}. What only Alipay knows of them shows with their bills.")
        lines += [f"    {_NAMES[name][0]} {_NAMES[name][1]}: {asked}" for name, asked in _ASKED.items()]
    return lines


def _line(finding: Finding, now: datetime) -> str:
    mark = "✗" if finding.is_overdue(now) else "…"
    age = "" if finding.since is None else f", {int((now - finding.since).total_seconds())} s ago"
    return f"  {mark} {finding.what}: {finding.item_id} ({finding.detail}, ¥{yuan(finding.amount_fen)}{age})"
