"""Fetches the channel's bill of a day through settlement, compares the three books, and files every difference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from rich.console import Console
from rich.table import Table

from services.console.books import Comparison, Earned, Moved, Neighbours, Numbers, compare
from services.console.channel import bill_lines, pages
from services.console.environment import FIRST_OPERATOR
from services.console.payouts import find_payouts, slices
from services.console.people import Person, Refused, World
from shared.money import yuan

_FILED_AT_MOST = 1000
_OF_SETTLEMENT = frozenset({"PAYOUT", "TRANSFER"})
_BY_RAIL = {"ZHIFUTONG": "PAYOUT", "TRANSFER": "TRANSFER"}


@dataclass(frozen=True, slots=True)
class Reconciled:
    """`has_bill` is false for a day on which nothing moved at the channel, or whose bill is not there yet."""

    comparison: Comparison
    has_bill: bool


async def reconcile(world: World, day: date) -> Reconciled:
    """Compare one day. Every difference is kept in settlement as an incident; a later comparison resolves those that
    are gone."""
    operator = world.person(FIRST_OPERATOR)
    of_day = await _of_day(operator, day)
    try:
        await operator.put("settlement", f"/admin/bills/{day}")
    except Refused as refused:
        if refused.code != "bill_not_ready":
            raise
        return Reconciled(compare((), (), of_day, Earned()), has_bill=False)
    bill = await _bill(operator, day)
    ours = await _ours(operator, bill)
    comparison = compare(bill, ours, of_day, await _earned(operator, ours), await _neighbours(operator, day))
    await operator.put("settlement", f"/admin/bills/{day}/comparison", _filed(comparison))
    return Reconciled(comparison, has_bill=True)


async def _bill(operator: Person, day: date) -> list[Moved]:
    return [
        Moved(one["movement"], one["number"], one["amount_fen"], _moment(one["moved_at"]), fee_fen=one["fee_fen"])
        for one in await bill_lines(operator, day)
    ]


async def _of_day(operator: Person, day: date) -> list[Moved]:
    return [
        *map(_movement, await pages(operator, "checkout", f"/admin/money/movements?day={day}")),
        *map(_payout, await pages(operator, "settlement", f"/admin/bills/{day}/payouts?")),
    ]


async def _ours(operator: Person, bill: Sequence[Moved]) -> list[Moved]:
    """Whatever our books know under the numbers of the bill."""
    payouts = {line.number for line in bill if line.movement in _OF_SETTLEMENT}
    others = sorted({line.number for line in bill if line.movement not in _OF_SETTLEMENT})
    found = [_payout(one) for one in await find_payouts(operator, payouts)]
    for some in slices(others):
        answer = await operator.post("checkout", "/admin/money/movements/find", {"numbers": some})
        found += map(_movement, answer["items"])
    return found


async def _earned(operator: Person, ours: Sequence[Moved]) -> Earned:
    """What redemption and dispatch know of what was paid out: the certificates, and the parcels of goods."""
    certificates: dict[str, Mapping[str, Any]] = {}
    for some in slices(sorted({unit_id for one in ours for unit_id in one.unit_ids})):
        certificates |= await operator.post("redemption", "/admin/money/units", {"unit_ids": some})
    goods = {one.order_id for one in ours if any(unit_id not in certificates for unit_id in one.unit_ids)}
    parcels: dict[str, Mapping[str, Any]] = {}
    for some in slices(sorted(goods)):
        parcels |= await operator.post("dispatch", "/admin/money/parcels", {"order_ids": some})
    return Earned(certificates, parcels)


async def _neighbours(operator: Person, day: date) -> Neighbours:
    """The bills of the days before and after. A day of which Alipay has no bill although it is due has no movements; of
    one that is not due nothing is known."""
    await operator.put("settlement", "/admin/bills")
    begin = day - timedelta(days=2)
    listed = (await operator.get("settlement", f"/admin/bills?after={begin}&limit=3"))["items"]
    status = {date.fromisoformat(one["day"]): one["status"] for one in listed}

    async def numbers(neighbour: date) -> Numbers | None:
        if status.get(neighbour) == "HERE":
            return frozenset((line.movement, line.number) for line in await _bill(operator, neighbour))
        return frozenset() if status.get(neighbour, "MISSING") == "MISSING" else None

    return Neighbours(await numbers(day - timedelta(days=1)), await numbers(day + timedelta(days=1)))


def _movement(one: Mapping[str, Any]) -> Moved:
    return Moved(one["movement"], one["number"], one["amount_fen"], _moment(one["moved_at"]), one["state"])


def _payout(one: Mapping[str, Any]) -> Moved:
    return Moved(
        _BY_RAIL[one["rail"]],
        one["number"],
        one["gross_fen"],
        _moment(one["paid_at"]),
        one["state"],
        one["fee_fen"],
        tuple(one["unit_ids"]),
        one["order_id"] or "",
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _filed(comparison: Comparison) -> dict[str, Any]:
    return {
        "matched": sum(comparison.matched.values()),
        "differences": [
            {"kind": one.kind, "subject": one.subject, "detail": one.detail, "amount_fen": one.amount_fen}
            for one in comparison.differences[:_FILED_AT_MOST]
        ],
        "unfiled": _unfiled(comparison),
    }


def _unfiled(comparison: Comparison) -> int:
    return max(0, len(comparison.differences) - _FILED_AT_MOST)


def show(console: Console, day: date, done: Reconciled) -> None:
    """Print what matched, and every difference by its class."""
    comparison = done.comparison
    if not done.has_bill:
        console.print(f"支付宝没有 {day} 的账单 · Alipay has no bill of {day}")
    table = Table(title=f"三方对账 · three books of {day}", title_justify="left", show_edge=False, pad_edge=False)
    table.add_column("类别 class")
    table.add_column("笔数 count", justify="right")
    table.add_column("¥", justify="right")
    for movement, count in sorted(comparison.matched.items()):
        table.add_row(f"matched {movement.lower()}", str(count), "")
    for kind in ("MISSING_HERE", "MISSING_THERE", "AMOUNT_DIFFERS", "STATE_DIFFERS"):
        of_kind = [one.amount_fen for one in comparison.differences if one.kind == kind]
        table.add_row(kind.lower().replace("_", " "), str(len(of_kind)), yuan(sum(of_kind)) if of_kind else "")
    for movement, count in sorted(comparison.at_the_edge.items()):
        table.add_row(f"in the neighbouring day's bill, {movement.lower()}", str(count), "")
    if comparison.unbilled:
        table.add_row("at the edge of the day, its neighbour has no bill yet", str(comparison.unbilled), "")
    console.print(table)
    for one in comparison.differences:
        console.print(f"  ✗ {one.kind}: {one.subject} ({one.detail}, ¥{yuan(one.amount_fen)})", soft_wrap=True)
    if _unfiled(comparison):
        limit = (
            f"only the first {_FILED_AT_MOST} are filed as incidents, {_unfiled(comparison)} more are only shown here"
        )
        console.print(f"✗ 差异超过每日上限 · {limit}; mend their cause and compare again", soft_wrap=True)
    console.print("✓ 三方一致 · the books agree" if not comparison.differences else "✗ 有差异 · they differ")
