"""The terms of the money identity from the ledger's balances, and the uses that must agree with them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from services.settlement.domain.ledger import Account
from services.settlement.domain.uses import UseState


@dataclass(frozen=True, slots=True)
class Books:
    """Balances in fen by account; sums of uses by state and instructions by state, as a walk over them has found them
    (store.misfits)."""

    accounts: Mapping[str, int]
    uses: Mapping[str, Mapping[str, int]]
    instructions: Mapping[str, int]
    offset_fen: int = 0
    """What paid payouts have paid off of merchants' debts."""
    disputed_fen: int = 0
    is_complete: bool = True
    """Whether the walk came to its end; without it nothing is said of uses and instructions."""

    def balance(self, account: Account) -> int:
        return self.accounts.get(account, 0)

    def of_uses(self, name: str, *states: UseState) -> int:
        return sum(self.uses.get(state, {}).get(name, 0) for state in states or UseState)


_HELD = (
    Account.BUYER_CLEARING,
    Account.MERCHANT_PAYABLE,
    Account.PLATFORM_COMMISSION,
    Account.CREATOR_PAYABLE,
    Account.AGENCY_PAYABLE,
)


def terms_of(books: Books) -> dict[str, int]:
    """received + owed = refunded + paid_net + fee + held, and subsidy_funded = subsidy_held; the parts of what is held,
    and counts. Subsidies stand apart: they are the platform's own money and never in the channel's trade."""
    return {
        "received_fen": books.balance(Account.CHANNEL_RECEIVED),
        "refunded_fen": -books.balance(Account.CHANNEL_REFUNDED),
        "paid_net_fen": -books.balance(Account.CHANNEL_PAID),
        "fee_fen": -books.balance(Account.CHANNEL_FEE),
        "owed_fen": books.balance(Account.MERCHANT_RECEIVABLE),
        "held_fen": -sum(books.balance(account) for account in _HELD),
        "held_unearned_fen": -books.balance(Account.BUYER_CLEARING),
        "held_for_merchants_fen": -books.balance(Account.MERCHANT_PAYABLE),
        "held_commission_fen": -books.balance(Account.PLATFORM_COMMISSION),
        # A part of what is held, unearned or for merchants: it waits for a review, by design.
        "held_disputed_fen": books.disputed_fen,
        "subsidy_funded_fen": books.balance(Account.SUBSIDY_FUNDED),
        "subsidy_held_fen": -books.balance(Account.SUBSIDY_PAYABLE),
        **(_counts(books) if books.is_complete else {}),
    }


def _counts(books: Books) -> dict[str, int]:
    return {
        **{f"uses_{state.lower()}": books.of_uses("uses", state) for state in UseState},
        **{f"instructions_{state.lower()}": count for state, count in sorted(books.instructions.items())},
    }


def contradictions(books: Books) -> Iterator[tuple[str, str]]:
    """Accounts whose balance is not what the uses say: (account, both amounts)."""
    for account, expected in _from_uses(books).items() if books.is_complete else ():
        if books.balance(account) != expected:
            yield account, f"ledger {books.balance(account)} fen, uses {expected} fen"


def _from_uses(books: Books) -> dict[Account, int]:
    unearned = books.of_uses("paid_fen", UseState.HELD, UseState.USED)
    # While a payout may still pay what was refunded meanwhile, the merchant is owed it and owes it.
    payable = books.of_uses("merchant_fen", UseState.FINAL, UseState.CLAIMED) + books.of_uses("owed_unsettled_fen")
    return {
        Account.CHANNEL_RECEIVED: books.of_uses("paid_fen"),
        Account.CHANNEL_REFUNDED: -books.of_uses("paid_fen", UseState.REFUNDED),
        Account.BUYER_CLEARING: -unearned,
        Account.MERCHANT_PAYABLE: -payable,
        Account.MERCHANT_RECEIVABLE: books.of_uses("owed_fen") - books.offset_fen,
    }
