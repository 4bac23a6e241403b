"""The money proof: the channel's own book against what each service says of its own tables, order by order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from services.console.channel import Channel, Entry

IN_FLIGHT_FOR = timedelta(minutes=10)

# What the uses of a unit that were not made are in settlement, given the state of its certificate.
_NOT_MADE = {"ISSUING": "HELD", "VALID": "HELD", "EXPIRED": "HELD", "REFUNDING": "HELD", "REFUNDED": "REFUNDED"}
_MADE = frozenset({"USED", "FINAL", "CLAIMED", "PAID"})


@dataclass(frozen=True, slots=True)
class Finding:
    """Something whose two ends disagree. `since` is real time; None for what can never come right by itself."""

    what: str
    item_id: str
    detail: str
    amount_fen: int = 0
    since: datetime | None = None

    def is_overdue(self, now: datetime) -> bool:
        """Whether this is more than a message under way."""
        return self.since is None or now - self.since > IN_FLIGHT_FOR


@dataclass(frozen=True, slots=True)
class Books:
    """Everything that was asked: the channel's book, each service's terms and orders."""

    channel: Channel
    services: Mapping[str, Mapping[str, Any]]
    orders: Mapping[str, Mapping[str, Mapping[str, Any]]]
    transfers: Mapping[str, str] = field(default_factory=dict)
    """The order that each transfer from the platform's own account was for, by its number."""


@dataclass(slots=True)
class Proof:
    """The identity with its terms, and everything that does not fit. `provisional`: the part of a term that no bill
    has yet. `billed` and `asked`: the days whose bill is here, and those on which money moved without one."""

    terms: dict[str, int] = field(default_factory=dict)
    provisional: dict[str, int] = field(default_factory=dict)
    billed: Sequence[date] = ()
    asked: Sequence[date] = ()
    findings: list[Finding] = field(default_factory=list)

    @property
    def difference_fen(self) -> int:
        """received − (refunded + paid out + fees + held): nothing else may be left."""
        out = ("refunded_fen", "paid_net_fen", "fees_fen", "commission_fen", "held_fen")
        return self.terms["received_fen"] + self.terms["owed_fen"] - sum(self.terms[name] for name in out)

    def holds(self, now: datetime) -> bool:
        """Whether every fen is accounted for, give or take what is under way for less than ten minutes.

        What is under way explains no more than its own amount: one late message does not excuse any difference.
        """
        explained_fen = sum(finding.amount_fen for finding in self.findings)
        return (
            not any(finding.is_overdue(now) for finding in self.findings) and abs(self.difference_fen) <= explained_fen
        )


def prove(books: Books, now: datetime) -> Proof:
    """Compare the books; `now` is real time."""
    settled = books.services["settlement"]["terms"]
    channel = books.channel
    proof = Proof(billed=channel.billed, asked=channel.asked)
    proof.provisional = _sums(entry for entry in channel.entries if not entry.is_billed)
    proof.terms = {
        **_sums(channel.entries),
        "commission_fen": settled.get("commission_fen", 0),
        "held_fen": settled["held_fen"] + books.services["checkout"]["terms"].get("held_outside_orders_fen", 0),
        "owed_fen": settled.get("owed_fen", 0),
    }
    proof.findings += _of_the_channel(channel, now)
    proof.findings += _reported(books.services)
    proof.findings += _by_order(books)
    return proof


def _sums(entries: Iterable[Entry]) -> dict[str, int]:
    """The channel's entries as the terms that they are."""
    sums = dict.fromkeys(("received_fen", "refunded_fen", "paid_net_fen", "fees_fen"), 0)
    for entry in entries:
        match entry.movement:
            case "PAYMENT":
                sums["received_fen"] += entry.amount_fen
            case "REFUND":
                sums["refunded_fen"] += entry.amount_fen
            case "PAYOUT" | "TRANSFER":
                sums["paid_net_fen"] += entry.amount_fen - entry.fee_fen
                sums["fees_fen"] += entry.fee_fen
    return sums


def _of_the_channel(channel: Channel, now: datetime) -> list[Finding]:
    """What the channel has not said: a bill that is due, or what it knows of a trade."""
    found = [
        Finding("bill missing", str(one.day), f"{one.movements} movements here, and Alipay has no bill", 0, one.since)
        for one in channel.missing
    ]
    found += [
        Finding("no answer", number, "Alipay does not say what it knows", 0, now) for number in channel.unanswered
    ]
    if channel.unasked:
        detail = f"{channel.unasked} trades without a bill were too many to ask for"
        found.append(Finding("not_looked_at_whole", "channel", detail))
    return found


def _reported(services: Mapping[str, Mapping[str, Any]]) -> list[Finding]:
    """What a service says of itself: its own things under way, and what can never be right."""
    found = []
    for name, answer in services.items():
        for item in answer["in_flight"]:
            since = datetime.fromisoformat(item["since"])
            found.append(Finding(item["what"], str(item["id"]), f"{name}: under way", item["amount_fen"], since))
        found += [Finding(item["what"], str(item["id"]), f"{name}: {item['detail']}") for item in answer["misfits"]]
        if not answer.get("is_complete", True):
            found.append(Finding("not_looked_at_whole", name, f"{name}: its tables are larger than what it looks at"))
    return found


def _by_order(books: Books) -> list[Finding]:
    at_channel = _channel_by_order(books)
    known: set[str] = set(at_channel)
    for orders in books.orders.values():
        known |= set(orders)
    found: list[Finding] = []
    for order_id in sorted(known):
        rows = {name: orders.get(order_id) for name, orders in books.orders.items()}
        since = _last_change(rows)
        found += _compare_money(order_id, at_channel.get(order_id, _NOTHING), rows, since)
        found += _compare_units(order_id, rows, since)
    return found


_NOTHING = {"received_fen": 0, "refunded_fen": 0, "paid_net_fen": 0, "fees_fen": 0}


def _channel_by_order(books: Books) -> dict[str, dict[str, int]]:
    """The channel's entries summed by our order, which checkout knows by the trades' numbers."""
    order_of = {
        number: order_id for order_id, row in books.orders["checkout"].items() for number in row["out_trade_nos"]
    }
    of_order: dict[str, list[Entry]] = {}
    for entry in books.channel.entries:
        if entry.movement == "TRANSFER":
            order_id = books.transfers.get(entry.number, f"transfer {entry.number}")
        else:
            order_id = order_of.get(entry.out_trade_no, f"trade {entry.out_trade_no}")
        of_order.setdefault(order_id, []).append(entry)
    return {order_id: _sums(entries) for order_id, entries in of_order.items()}


def _last_change(rows: Mapping[str, Mapping[str, Any] | None]) -> datetime | None:
    moments = [datetime.fromisoformat(row["changed_at"]) for row in rows.values() if row]
    return max(moments) if moments else None


def _compare_money(
    order_id: str, channel: Mapping[str, int], rows: Mapping[str, Mapping[str, Any] | None], since: datetime | None
) -> list[Finding]:
    checkout, settlement = rows["checkout"], rows["settlement"]
    pairs = [
        ("received", channel["received_fen"], checkout and checkout["received_fen"], "checkout"),
        ("refunded", channel["refunded_fen"], checkout and checkout["refunded_fen"], "checkout"),
        ("paid out", channel["paid_net_fen"], settlement and settlement["paid_net_fen"], "settlement"),
        ("fee", channel["fees_fen"], settlement and settlement["fee_fen"], "settlement"),
    ]
    found = [
        Finding(f"{name} differs", order_id, f"channel {theirs} fen, {service} {ours or 0} fen", theirs, since)
        for name, theirs, ours, service in pairs
        if theirs != (ours or 0)
    ]
    if settlement and checkout:
        # Money that never belonged to the order (late, or paid twice) stays between checkout and the channel.
        outside = checkout.get("outside_fen", 0)
        inside = checkout["received_fen"] - outside
        if inside != settlement["received_fen"]:
            detail = f"checkout {inside} fen, settlement {settlement['received_fen']} fen"
            found.append(Finding("received differs", order_id, detail, inside, since))
        left = settlement["received_fen"] - settlement["refunded_fen"] - settlement["paid_net_fen"]
        left += settlement.get("owed_fen", 0) - settlement["fee_fen"] - settlement["held_fen"]
        if left:
            found.append(Finding("ledger of the order", order_id, f"{left} fen unaccounted for", left, since))
    elif checkout and checkout["state"] not in {"PLACED", "CLOSED"}:
        detail = "paid at checkout, unknown to settlement"
        found.append(Finding("order missing", order_id, detail, checkout["received_fen"], since))
    return found


def _compare_units(
    order_id: str, rows: Mapping[str, Mapping[str, Any] | None], since: datetime | None
) -> list[Finding]:
    checkout, settlement, redemption = rows["checkout"], rows["settlement"], rows["redemption"]
    if not (checkout and settlement):
        return []
    found = []
    if set(checkout["units"]) != set(settlement["units"]):
        found.append(Finding("units differ", order_id, "checkout and settlement know other units", 0, since))
    if redemption:
        for unit_id, unit in redemption["units"].items():
            uses = list(settlement["units"].get(unit_id, {}).values())
            taken_back = unit_id in checkout.get("taken_back", ())
            # Paid back after its use, or at the channel itself: the use stays made, and the merchant stands for it.
            if not (taken_back and set(uses) == {"REFUNDED"}) and not _fits(unit, uses):
                detail = f"certificate {unit['state']}, {unit['uses']} uses; settlement {', '.join(sorted(uses))}"
                found.append(Finding("certificate", unit_id, detail, 0, since))
    elif not rows["dispatch"]:
        found.append(Finding("unfulfilled", order_id, "paid, and neither certificate nor parcel", 0, since))
    for unit_id, state in checkout["units"].items():
        states = set(settlement["units"].get(unit_id, {}).values())
        # Of a part-used card only the uses that were left are refunded.
        if (state == "REFUNDED") != ("REFUNDED" in states and states <= {"REFUNDED", *_MADE}):
            detail = f"checkout {state}, settlement {', '.join(sorted(states))}"
            found.append(Finding("refund", unit_id, detail, 0, since))
    return found


def _fits(unit: Mapping[str, Any], uses: Sequence[str]) -> bool:
    """Whether settlement has every use of a certificate where its state says, down to how many were made."""
    made = [state for state in uses if state in _MADE]
    match unit["state"]:
        case "SETTLED":
            return set(uses) <= {"PAID"}
        case "DISPUTED":
            # Used up, and held as it is while its refund is reviewed: by design, however long.
            return len(made) == len(uses)
        case "USED":
            # The last payment makes it settled.
            return len(made) == len(uses) and (not uses or set(uses) != {"PAID"})
        case state if state in _NOT_MADE:
            others = [one for one in uses if one not in _MADE]
            return not uses or (len(made) == unit["uses"] and set(others) == {_NOT_MADE[state]})
        case _:
            return True
