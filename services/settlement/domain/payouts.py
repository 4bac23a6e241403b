"""Payouts: when a run starts, what a payout's instructions say of it, and how the fee falls on its uses."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID

from shared.clock import SHANGHAI, business_day
from shared.contracts.catalog import Rail
from shared.money import fee_fen

_LONGEST_PAUSE_S = 600


class InstructionState(StrEnum):
    """A transfer of money to one merchant. WITHDRAWN: everything in it was refunded before it was sent."""

    DUE = "DUE"
    SENT = "SENT"
    UNKNOWN = "UNKNOWN"
    PAID = "PAID"
    FAILED = "FAILED"
    WITHDRAWN = "WITHDRAWN"


@dataclass(frozen=True, slots=True)
class Terms:
    """What settlement agreed with the channel, and when it pays."""

    fee_bp: int
    run_at: time
    self_operated: frozenset[UUID] = frozenset()
    """The shops that the platform runs itself: only they are paid by transfer."""
    transfer_min_fen: int = 10
    denials_max: int = 12
    """How often a payment that is denied is asked for under the same number; the pauses of twelve are over an hour."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """One call to a rail. Its id in hex is the channel's idempotency number; payee and amount never change once sent.
    `gross_fen` is before the fee, which the channel keeps of it."""

    instruction_id: UUID
    payout_id: UUID
    merchant_id: UUID
    order_id: UUID
    rail: Rail
    sub_merchant_id: str | None
    trade_no: str
    out_trade_no: str
    gross_fen: int
    fee_fen: int
    state: InstructionState
    attempts: int
    denials: int = 0
    offset_fen: int = 0
    """What of it pays off the merchant's debt instead of moving; frozen when it is first sent."""
    sealed_payee: str | None = None
    sealed_payee_name: str | None = None
    """Who holds the account that is paid."""
    payee_name: str | None = None
    """What the merchant is called: used where catalog has never said who holds the account."""

    @property
    def number(self) -> str:
        return self.instruction_id.hex

    @property
    def net_fen(self) -> int:
        """What is to reach the merchant."""
        return self.gross_fen - self.fee_fen - self.offset_fen


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom a run may pay: everybody by `rails`, and by `own_rails` only the shops that the platform runs itself.
    `in_parts` pay a trade in several parts; a transfer of less than `minimum_fen` waits."""

    rails: Collection[Rail]
    in_parts: Collection[Rail]
    own_rails: Collection[Rail] = ()
    own_merchants: Collection[UUID] = ()
    minimum_fen: int = 1


def fee_shares(grosses_fen: Sequence[int], basis_points: int) -> tuple[int, ...]:
    """The fee on the sum, over its parts: running totals are rounded, so the shares sum to the fee to the fen.

    The channel charges per confirm, so rounding each use by itself would drift from its book.
    """
    shares, before_fen, total_fen = [], 0, 0
    for gross_fen in grosses_fen:
        total_fen += gross_fen
        shares.append(fee_fen(total_fen, basis_points) - before_fen)
        before_fen += shares[-1]
    return tuple(shares)


def offsets(nets_fen: Iterable[int], debt_fen: int, minimum_fen: int) -> list[int]:
    """What each of these transfers, taken in this order, pays off of a debt: all that it would move, or so much that
    enough for a transfer is left of it. Sent in another order they pay off the same, as long as each of them takes
    what it has here."""
    parts = []
    for net_fen in nets_fen:
        part_fen = net_fen if debt_fen >= net_fen else min(debt_fen, max(0, net_fen - minimum_fen))
        parts.append(part_fen)
        debt_fen -= part_fen
    return parts


def run_moment(day: date, run_at: time) -> datetime:
    """When the run of a business day starts."""
    return datetime.combine(day, run_at, SHANGHAI)


def next_run_moment(last_run: date | None, now: datetime, run_at: time) -> datetime:
    """When the next run starts; in the past if it was missed while the service was down."""
    return run_moment(next_run_day(last_run, now, run_at), run_at)


def next_run_day(last_run: date | None, now: datetime, run_at: time) -> date:
    """The business day whose run comes next: the latest one due if it was not made, else the one after it."""
    due = latest_run_day(now, run_at)
    return due if last_run is None or last_run < due else due + timedelta(days=1)


def latest_run_day(now: datetime, run_at: time) -> date:
    """The last business day whose run has become due; between midnight and the hour of the run that is yesterday."""
    today = business_day(now)
    return today if now >= run_moment(today, run_at) else today - timedelta(days=1)


def next_attempt(attempts: int, now: datetime) -> datetime:
    """When to ask again after `attempts` calls without a clear answer."""
    return now + timedelta(seconds=min(2 ** min(attempts, 10), _LONGEST_PAUSE_S))


_BY_WEIGHT = (
    InstructionState.FAILED,
    InstructionState.UNKNOWN,
    InstructionState.SENT,
    InstructionState.DUE,
    InstructionState.PAID,
)


def payout_state(instructions: Collection[InstructionState]) -> InstructionState:
    """The state of a payout: that of its instruction that needs most attention."""
    return next((state for state in _BY_WEIGHT if state in instructions), InstructionState.WITHDRAWN)
