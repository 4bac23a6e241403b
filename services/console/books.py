"""Three books of one day side by side: what we say moved, what was redeemed for it, and the channel's bill."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
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
    unbilled: int = 0
    """Ours, so late on the day that the bill of the next one will have it."""


def compare(
    bill: Sequence[Moved], ours: Iterable[Moved], of_day: Iterable[Moved], uses_made: Mapping[str, Mapping[str, Any]]
) -> Comparison:
    """Compare the lines of a bill with our books.

    `ours`: whatever we know under the numbers of the bill, of any day and state. `of_day`: what moved on this day by
    our books. `uses_made`: by unit, what redemption knows of the units that payouts in the bill are for.
    """
    here = {(one.movement, one.number): one for one in ours}
    result = Comparison()
    for line in bill:
        if line.movement not in _MOVED:
            continue
        found = here.get((line.movement, line.number))
        difference = _difference(line, found) or _unredeemed(line, found, uses_made)
        if difference is None:
            result.matched[line.movement] = result.matched.get(line.movement, 0) + 1
        else:
            result.differences.append(difference)
    billed = {(line.movement, line.number) for line in bill}
    for one in of_day:
        if (one.movement, one.number) in billed:
            continue
        if _is_at_an_edge(one.at):
            result.unbilled += 1
        else:
            detail = f"{one.movement.lower()} {one.state} here, not in the bill"
            result.differences.append(Difference("MISSING_THERE", _subject(one), detail, one.amount_fen))
    return result


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


def _unredeemed(line: Moved, found: Moved | None, uses_made: Mapping[str, Mapping[str, Any]]) -> Difference | None:
    """A payout for a certificate that redemption never saw used."""
    for unit_id in found.unit_ids if found else ():
        unit = uses_made.get(unit_id)
        if unit is not None and (unit["uses"] == 0 or unit["state"] in _NOT_REDEEMED):
            detail = f"paid out, but certificate {unit_id} is {unit['state']} with {unit['uses']} uses"
            return Difference("STATE_DIFFERS", _subject(line), detail, line.amount_fen)
    return None


def _subject(one: Moved) -> str:
    return f"{one.movement}/{one.number}"


def _is_at_an_edge(at: datetime | None) -> bool:
    if at is None:
        return False
    local = at.astimezone(SHANGHAI)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return local - midnight < EDGE or midnight + timedelta(days=1) - local < EDGE
