"""The channel's side of the proof: its bills of every day that has one, and for the other days its own word on every
trade that moved by our books."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from services.console.payouts import AT_ONCE
from services.console.people import Person
from shared.clock import business_day

_TRADES_AT_ONCE = 50
_ASKED_AT_MOST = 5_000
_EDGE_MINUTES = 10
_SPAN_DAYS = 400

_MOVEMENTS = ("PAYMENT", "REFUND", "PAYOUT", "TRANSFER")

Orders = Mapping[str, Mapping[str, Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Entry:
    """One movement in the channel's book: by the bill of a day, or (provisional) by its answer about one trade."""

    movement: str
    out_trade_no: str
    number: str
    amount_fen: int
    fee_fen: int
    day: date
    is_billed: bool


@dataclass(frozen=True, slots=True)
class MissingBill:
    """A day that is over, on which money moved by our books, and of which Alipay says that it has no bill."""

    day: date
    movements: int
    since: datetime | None


@dataclass(slots=True)
class Channel:
    """What was learned of the channel's book, and from where."""

    entries: list[Entry] = field(default_factory=list)
    billed: list[date] = field(default_factory=list)
    """Days with a bill."""
    asked: list[date] = field(default_factory=list)
    """Days without one on which money moved; what stands of them is provisional."""
    missing: list[MissingBill] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    """Trades and transfers of those days of which the channel did not say what it knows."""
    unasked: int = 0
    """Trades of those days that were too many to ask for."""


@dataclass(slots=True)
class _Ours:
    """What has moved on days without a bill by our books; `trades`: with the refunds that are to be asked about."""

    trades: dict[str, set[str]] = field(default_factory=dict)
    transfers: set[str] = field(default_factory=set)
    moved_on: dict[date, int] = field(default_factory=dict)

    def note(self, moment: str) -> None:
        day = business_day(datetime.fromisoformat(moment))
        self.moved_on[day] = self.moved_on.get(day, 0) + 1


async def read(operator: Person, orders: Orders, kept: dict[date, list[Entry]]) -> Channel:
    """Fetch the bills that are out, and ask for the rest. `kept`: the lines of bills that were read before."""
    while not (await operator.put("settlement", "/admin/bills"))["is_over"]:
        pass
    days = await pages(operator, "settlement", "/admin/bills?")
    channel = Channel()
    for one in days:
        if one["status"] == "HERE":
            day = date.fromisoformat(one["day"])
            if day not in kept:
                kept[day] = await _lines(operator, day)
            channel.billed.append(day)
            channel.entries += kept[day]
    open_days = [one for one in days if one["status"] != "HERE"]
    await _ask(operator, orders, open_days, channel)
    return channel


async def bill_lines(operator: Person, day: date) -> list[Any]:
    """Every line of the bill that settlement keeps of this day."""
    found: list[Any] = []
    after: int | None = 0
    while after is not None:
        page = await operator.get("settlement", f"/admin/bills/{day}/lines?after={after}&limit={AT_ONCE}")
        found += page["items"]
        after = page["next_line"]
    return found


async def _lines(operator: Person, day: date) -> list[Entry]:
    lines = await bill_lines(operator, day)
    return [_entry(one, day, is_billed=True) for one in lines if one["movement"] in _MOVEMENTS]


def _entry(one: Mapping[str, Any], day: date, *, is_billed: bool) -> Entry:
    return Entry(one["movement"], one["out_trade_no"], one["number"], one["amount_fen"], one["fee_fen"], day, is_billed)


async def _ask(operator: Person, orders: Orders, open_days: Sequence[Mapping[str, Any]], channel: Channel) -> None:
    """Ask the channel about every trade that moved by our books on a day without a bill, and about every trade that
    may have been paid without our knowing."""
    days = {date.fromisoformat(one["day"]): one for one in open_days}
    ours = await _moved(operator, orders, spans(sorted(days)))
    answers = await _answers(operator, ours, channel)
    channel.entries += [
        _entry(one, day, is_billed=False)
        for one in answers
        if (day := business_day(datetime.fromisoformat(one["moved_at"]))) in days
    ]
    for day, count in sorted(ours.moved_on.items()):
        if day not in days:
            continue
        channel.asked.append(day)
        if days[day]["status"] == "MISSING":
            channel.missing.append(MissingBill(day, count, datetime.fromisoformat(days[day]["missing_since"])))


def spans(days: Iterable[date]) -> list[tuple[date, int]]:
    """Sorted days as runs of consecutive ones: (first, how many)."""
    days = list(days)
    found: list[tuple[date, int]] = [(days[0], 1)] if days else []
    for before, day in pairwise(days):
        first, count = found[-1]
        if day - before == timedelta(days=1) and count < _SPAN_DAYS:
            found[-1] = (first, count + 1)
        else:
            found.append((day, 1))
    return found


async def _moved(operator: Person, orders: Orders, open_spans: Sequence[tuple[date, int]]) -> _Ours:
    ours = _Ours()
    for first, count in open_spans:
        span = f"day={first}&days={count}&edge_minutes={_EDGE_MINUTES}"
        for one in await pages(operator, "checkout", f"/admin/money/movements?{span}"):
            refunds = ours.trades.setdefault(one["out_trade_no"], set())
            if one["movement"] == "REFUND":
                refunds.add(one["number"])
            ours.note(one["moved_at"])
        for one in await pages(operator, "settlement", f"/admin/bills/{first}/payouts?{span.partition('&')[2]}"):
            if one["rail"] == "TRANSFER":
                ours.transfers.add(one["number"])
            else:
                for number in orders["checkout"].get(one["order_id"], {}).get("out_trade_nos", ()):
                    ours.trades.setdefault(number, set())
            ours.note(one["paid_at"])
    for row in orders["checkout"].values():
        if row["state"] == "PLACED":
            for number in row["out_trade_nos"]:
                ours.trades.setdefault(number, set())
    return ours


async def pages(operator: Person, service: str, path: str) -> list[Any]:
    """Everything behind a list that goes on with `after`."""
    items: list[Any] = []
    cursor = ""
    while True:
        page = await operator.get(service, f"{path}&limit={AT_ONCE}{cursor}")
        items += page["items"]
        if page["next_after"] is None:
            return items
        cursor = f"&after={page['next_after']}"


async def _answers(operator: Person, ours: _Ours, channel: Channel) -> list[Any]:
    trades = [
        {"out_trade_no": number, "refunds": sorted(refunds)[:_TRADES_AT_ONCE]}
        for number, refunds in sorted(ours.trades.items())
    ]
    questions: list[tuple[str, Any]] = [("trades", one) for one in trades]
    questions += [("transfers", number) for number in sorted(ours.transfers)]
    channel.unasked = max(0, len(questions) - _ASKED_AT_MOST)
    del questions[_ASKED_AT_MOST:]
    found: list[Any] = []
    for start in range(0, len(questions), _TRADES_AT_ONCE):
        some = questions[start : start + _TRADES_AT_ONCE]
        body = {kind: [one for name, one in some if name == kind] for kind in ("trades", "transfers")}
        answer = await operator.post("settlement", "/admin/bills/asked", body)
        found += answer["items"]
        channel.unanswered += answer["unanswered"]
    return found
