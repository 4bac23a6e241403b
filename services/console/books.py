"""Three books of one day side by side: what we say moved, what was redeemed for it, and the channel's bill."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from shared.clock import SHANGHAI

# A movement at the edge of a day may stand on the neighbouring day in the other book.
EDGE = timedelta(minutes=10)
_MOVED = {"PAYMENT": {"PAID"}, "REFUND": {"SUCCEEDED"}, "PAYOUT": {"PAID"}, "TRANSFER": {"PAID"}}
# By redemption's book there is nothing to pay a merchant for: the certificate was never used up to this state.
_NOT_REDEEMED = frozenset({"ISSUING", "ISSUE_FAILED"})


@dataclass(frozen=True, slots=True)
class Moved:
    """One movement by one book; `number` is the one that both books know it by."""

    movement: str
    number: str
    amount_fen: int
    at: datetime | None
    state: str = ""
    fee_fen: int = 0
    unit_ids: tuple[str, ...] = ()
    order_id: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """`kind` is MISSING_HERE, MISSING_THERE, AMOUNT_DIFFERS or STATE_DIFFERS; `here` is our side."""

    kind: str
    subject: str
    detail: str
    amount_fen: int


@dataclass(slots=True)
class Comparison:
    matched: dict[str, int] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    at_the_edge: dict[str, int] = field(default_factory=dict)
    """Ours, within ten minutes of a midnight, found in the bill of the neighbouring day."""
    unbilled: int = 0
    """The same, while the neighbouring day has no bill yet."""


@dataclass(frozen=True, slots=True)
class Earned:
    """What the merchant did for the money: the certificates by unit as redemption has them, and the parcels by order
    as dispatch has them."""

    certificates: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    parcels: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


Numbers = frozenset[tuple[str, str]]
"""Movements with their numbers."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What the bills of the day before and the day after have; None while a bill is not out."""

    before: Numbers | None = None
    after: Numbers | None = None


def compare(
    bill: Sequence[Moved],
    ours: Iterable[Moved],
    of_day: Iterable[Moved],
    earned: Earned,
    neighbours: Neighbours = Neighbours(),
) -> Comparison:
    """Compare the lines of a bill with our books.

    `ours`: whatever we know under the numbers of the bill, of any day and state. `of_day`: what moved on this day by
    our books. `earned`: what is known of the units that payouts in the bill are for.
    """
    here = {(one.movement, one.number): one for one in ours}
    result = Comparison()
    for line in bill:
        if line.movement not in _MOVED:
            continue
        found = here.get((line.movement, line.number))
        difference = _difference(line, found) or _unearned(line, found, earned)
        if difference is None:
            result.matched[line.movement] = result.matched.get(line.movement, 0) + 1
        else:
            result.differences.append(difference)
    billed = {(line.movement, line.number) for line in bill}
    for one in of_day:
        if (one.movement, one.number) not in billed:
            _not_in_the_bill(one, neighbours, result)
    return result


def _not_in_the_bill(one: Moved, neighbours: Neighbours, result: Comparison) -> None:
    """A movement at the edge of the day may stand in the neighbouring bill; any other one is missing."""
    edge = _edge(one.at)
    if edge is not None:
        neighbour = neighbours.before if edge is Edge.BEGINNING else neighbours.after
        if neighbour is None:
            result.unbilled += 1
            return
        if (one.movement, one.number) in neighbour:
            result.at_the_edge[one.movement] = result.at_the_edge.get(one.movement, 0) + 1
            return
    where = "in the bill" if edge is None else "in this bill or its neighbour"
    detail = f"{one.movement.lower()} {one.state} here, not {where}"
    result.differences.append(Difference("MISSING_THERE", _subject(one), detail, one.amount_fen))


def _difference(line: Moved, found: Moved | None) -> Difference | None:
    if found is None:
        return Difference("MISSING_HERE", _subject(line), "in the bill, unknown here", line.amount_fen)
    if found.state not in _MOVED[line.movement]:
        return Difference("STATE_DIFFERS", _subject(line), f"in the bill, {found.state} here", line.amount_fen)
    if (found.amount_fen, found.fee_fen) != (line.amount_fen, line.fee_fen):
        detail = f"bill {line.amount_fen} fen (fee {line.fee_fen}), here {found.amount_fen} fen (fee {found.fee_fen})"
        off_fen = abs(line.amount_fen - found.amount_fen) or abs(line.fee_fen - found.fee_fen)
        return Difference("AMOUNT_DIFFERS", _subject(line), detail, off_fen)
    return None


def _unearned(line: Moved, found: Moved | None, earned: Earned) -> Difference | None:
    """A payout for a certificate that redemption never saw used, or for goods that nobody received."""
    for unit_id in found.unit_ids if found else ():
        why = _why_unearned(unit_id, found.order_id if found else "", earned)
        if why:
            return Difference("STATE_DIFFERS", _subject(line), f"paid out, but {why}"[:500], line.amount_fen)
    return None


def _why_unearned(unit_id: str, order_id: str, earned: Earned) -> str:
    certificate = earned.certificates.get(unit_id)
    if certificate is not None:
        if certificate["uses"] == 0 or certificate["state"] in _NOT_REDEEMED:
            return f"certificate {unit_id} is {certificate['state']} with {certificate['uses']} uses"
        return ""
    parcel = earned.parcels.get(order_id)
    if parcel is None or unit_id not in parcel["unit_ids"]:
        return f"unit {unit_id} is neither a certificate nor in a parcel"
    return "" if parcel["received"] else f"the parcel of order {order_id} is {parcel['parcel_state']}, never received"


def _subject(one: Moved) -> str:
    return f"{one.movement}/{one.number}"


class Edge(Enum):
    """Which end of its day a movement lies at."""

    BEGINNING = "BEGINNING"
    END = "END"


def _edge(at: datetime | None) -> Edge | None:
    if at is None:
        return None
    local = at.astimezone(SHANGHAI)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if local - midnight < EDGE:
        return Edge.BEGINNING
    return Edge.END if midnight + timedelta(days=1) - local < EDGE else None
