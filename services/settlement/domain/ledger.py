"""Double entry in fen: the accounts, and the postings that each fact about money makes (docs/chart-of-accounts.md)."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.settlement.domain.uses import UseState, Value

PLATFORM = UUID(int=0)
"""Owner of the accounts of which there is only one."""


class Account(StrEnum):
    """Debits are positive, credits negative. The four CHANNEL accounts mirror movements in Alipay's own book."""

    CHANNEL_RECEIVED = "CHANNEL_RECEIVED"
    CHANNEL_REFUNDED = "CHANNEL_REFUNDED"
    CHANNEL_PAID = "CHANNEL_PAID"
    CHANNEL_FEE = "CHANNEL_FEE"
    BUYER_CLEARING = "BUYER_CLEARING"
    MERCHANT_PAYABLE = "MERCHANT_PAYABLE"
    MERCHANT_RECEIVABLE = "MERCHANT_RECEIVABLE"
    PLATFORM_COMMISSION = "PLATFORM_COMMISSION"
    CREATOR_PAYABLE = "CREATOR_PAYABLE"
    AGENCY_PAYABLE = "AGENCY_PAYABLE"
    SUBSIDY_FUNDED = "SUBSIDY_FUNDED"
    SUBSIDY_PAYABLE = "SUBSIDY_PAYABLE"


class PostingKind(StrEnum):
    """Why a posting set was made."""

    ORDER_PAID = "ORDER_PAID"
    USE_FINAL = "USE_FINAL"
    REFUND = "REFUND"
    PAYOUT = "PAYOUT"
    PAYOUT_FAILED = "PAYOUT_FAILED"
    FEE_CORRECTION = "FEE_CORRECTION"


class Unbalanced(Exception):
    """A bug: postings that do not sum to zero never reach the database."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: a debit (positive fen) or credit (negative) of one account of one owner."""

    account: Account
    owner: UUID
    amount_fen: int


@dataclass(frozen=True, slots=True)
class PostingSet:
    """Lines that stand or fall together. The id names the cause, so that one cause cannot be posted twice."""

    set_id: UUID
    kind: PostingKind
    order_id: UUID
    occurred_at: datetime
    entries: tuple[Entry, ...]


def posting_set(
    set_id: UUID, kind: PostingKind, order_id: UUID, occurred_at: datetime, entries: Iterable[Entry]
) -> PostingSet:
    """A checked set with one line per account. Raises Unbalanced unless the lines sum to zero."""
    totals: dict[tuple[Account, UUID], int] = defaultdict(int)
    for entry in entries:
        totals[entry.account, entry.owner] += entry.amount_fen
    if sum(totals.values()):
        raise Unbalanced(f"{kind} of {order_id} leaves {sum(totals.values())} fen")
    lines = tuple(Entry(account, owner, fen) for (account, owner), fen in totals.items() if fen)
    return PostingSet(set_id, kind, order_id, occurred_at, lines)


def received(values: Iterable[Value]) -> list[Entry]:
    """The buyer has paid: the money is held until each use is earned."""
    paid_fen = sum(value.paid_fen for value in values)
    return [
        Entry(Account.CHANNEL_RECEIVED, PLATFORM, paid_fen),
        Entry(Account.BUYER_CLEARING, PLATFORM, -paid_fen),
    ]


def earned(value: Value, merchant_id: UUID) -> list[Entry]:
    """A use is final: what was held becomes the merchant's, less the shares; the subsidy is added."""
    return [
        Entry(Account.BUYER_CLEARING, PLATFORM, value.paid_fen),
        Entry(Account.MERCHANT_PAYABLE, merchant_id, -value.merchant_fen),
        *_shares(value, merchant_id),
    ]


def _shares(value: Value, merchant_id: UUID) -> list[Entry]:
    return [
        Entry(Account.PLATFORM_COMMISSION, PLATFORM, -value.commission_fen),
        Entry(Account.CREATOR_PAYABLE, PLATFORM, -value.creator_fen),
        Entry(Account.AGENCY_PAYABLE, PLATFORM, -value.agency_fen),
        Entry(Account.SUBSIDY_FUNDED, PLATFORM, value.subsidy_fen),
        Entry(Account.SUBSIDY_PAYABLE, merchant_id, -value.subsidy_fen),
    ]


def refunded(value: Value, merchant_id: UUID, state: UseState, *, committed: bool) -> list[Entry]:
    """The buyer has the money of one use back.

    Taken from what is held; from the merchant's payable once it was earned; and once it is `committed` to a payout
    that has left (or may have), the merchant owes it.
    """
    back = Entry(Account.CHANNEL_REFUNDED, PLATFORM, -value.paid_fen)
    if state in (UseState.HELD, UseState.USED):
        return [Entry(Account.BUYER_CLEARING, PLATFORM, value.paid_fen), back]
    source = Account.MERCHANT_RECEIVABLE if committed else Account.MERCHANT_PAYABLE
    undone = [Entry(entry.account, entry.owner, -entry.amount_fen) for entry in _shares(value, merchant_id)]
    return [Entry(source, merchant_id, value.merchant_fen), *undone, back]


def paid_out(merchant_id: UUID, gross_fen: int, fee_fen: int, offset_fen: int = 0) -> list[Entry]:
    """The merchant has the gross less the channel's fee, and less what pays off its debt."""
    return [
        Entry(Account.MERCHANT_PAYABLE, merchant_id, gross_fen),
        Entry(Account.MERCHANT_RECEIVABLE, merchant_id, -offset_fen),
        Entry(Account.CHANNEL_PAID, PLATFORM, fee_fen + offset_fen - gross_fen),
        Entry(Account.CHANNEL_FEE, PLATFORM, -fee_fen),
    ]


def no_longer_owed(merchant_id: UUID, owed_fen: int) -> list[Entry]:
    """A payout definitely failed, so what was refunded meanwhile is simply not paid."""
    return [
        Entry(Account.MERCHANT_PAYABLE, merchant_id, owed_fen),
        Entry(Account.MERCHANT_RECEIVABLE, merchant_id, -owed_fen),
    ]


def fee_corrected(by_fen: int) -> list[Entry]:
    """The channel took `by_fen` more (or, negative, less) than was computed: so much less reached the merchant."""
    return [Entry(Account.CHANNEL_FEE, PLATFORM, -by_fen), Entry(Account.CHANNEL_PAID, PLATFORM, by_fen)]
