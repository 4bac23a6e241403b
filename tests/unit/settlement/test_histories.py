"""Random lives of uses, legal and illegal: no fen is lost, nothing is paid twice, the identity holds at every step."""

from collections import Counter
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.settlement.domain import ledger
from services.settlement.domain.audit import Books, contradictions, terms_of
from services.settlement.domain.ledger import Account, Entry, PostingKind, Unbalanced, posting_set
from services.settlement.domain.payouts import fee_shares
from services.settlement.domain.uses import MOVES, Fact, UseState, Value, Verdict, verdict

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
MERCHANT = uuid4()
FEE_BP = 60

amounts = st.integers(0, 300_000)


@st.composite
def values(draw: st.DrawFn) -> Value:
    paid = draw(amounts)
    commission = draw(st.integers(0, paid))
    creator = draw(st.integers(0, paid - commission))
    agency = draw(st.integers(0, paid - commission - creator))
    merchant = paid - commission - creator - agency
    return Value(paid, merchant, commission, creator, agency, draw(amounts))


def post(entries: list[Entry]) -> tuple[Entry, ...]:
    return posting_set(uuid4(), PostingKind.ORDER_PAID, uuid4(), NOW, entries).entries


@given(st.lists(values(), min_size=1, max_size=10))
def test_every_posting_rule_sums_to_zero(bought: list[Value]) -> None:
    post(ledger.received(bought))
    for value in bought:
        post(ledger.earned(value, MERCHANT))
        for state in UseState:
            post(ledger.refunded(value, MERCHANT, state, committed=True))
            post(ledger.refunded(value, MERCHANT, state, committed=False))


@given(values())
def test_a_refund_of_an_earned_use_undoes_earning_it_to_the_fen(value: Value) -> None:
    entries = [
        *ledger.received([value]),
        *ledger.earned(value, MERCHANT),
        *ledger.refunded(value, MERCHANT, UseState.FINAL, committed=False),
    ]
    assert {entry.account for entry in post(entries)} <= {Account.CHANNEL_RECEIVED, Account.CHANNEL_REFUNDED}


def test_a_set_that_does_not_sum_to_zero_is_never_made() -> None:
    with pytest.raises(Unbalanced):
        post([Entry(Account.BUYER_CLEARING, ledger.PLATFORM, 1)])


class Lives(RuleBasedStateMachine):
    """Any fact may be said of any use at any moment; the rules decide which of them move it."""

    @initialize(bought=st.lists(values(), min_size=1, max_size=6))
    def pay(self, bought: list[Value]) -> None:
        self.values = bought
        self.states = [UseState.HELD for _ in bought]
        self.fees = [0 for _ in bought]
        self.owed = [0 for _ in bought]
        self.settled = [False for _ in bought]
        self.balances: Counter[tuple[Account, UUID]] = Counter()
        self.times_paid = [0 for _ in bought]
        self.book(ledger.received(bought))

    def book(self, entries: list[Entry]) -> None:
        for entry in post(entries):
            self.balances[entry.account, entry.owner] += entry.amount_fen

    def applies(self, index: int, fact: Fact) -> bool:
        return verdict(self.states[index], fact) is Verdict.APPLIES

    @rule(index=st.integers(0, 5), fact=st.sampled_from([Fact.USED, Fact.FINAL, Fact.RECEIVED]))
    def earn(self, index: int, fact: Fact) -> None:
        index %= len(self.values)
        if self.applies(index, fact):
            self.states[index] = MOVES[fact].target
            if self.states[index] is UseState.FINAL:
                self.book(ledger.earned(self.values[index], MERCHANT))

    @rule()
    def run(self) -> None:
        due = [index for index in range(len(self.values)) if self.applies(index, Fact.CLAIMED)]
        shares = fee_shares([self.values[index].merchant_fen for index in due], FEE_BP)
        for index, fee in zip(due, shares, strict=True):
            self.states[index], self.fees[index] = UseState.CLAIMED, fee

    @rule(index=st.integers(0, 5))
    def settle(self, index: int) -> None:
        index %= len(self.values)
        if self.applies(index, Fact.PAID):
            self.states[index] = UseState.PAID
            self.settled[index] = True
            self.times_paid[index] += 1
            self.book(ledger.paid_out(MERCHANT, self.values[index].merchant_fen, self.fees[index]))

    @rule(index=st.integers(0, 5))
    def refund(self, index: int) -> None:
        index %= len(self.values)
        if self.applies(index, Fact.REFUNDED):
            state, value = self.states[index], self.values[index]
            committed = state in (UseState.CLAIMED, UseState.PAID)
            self.owed[index] = value.merchant_fen if committed else 0
            self.book(ledger.refunded(value, MERCHANT, state, committed=committed))
            self.states[index] = UseState.REFUNDED

    @rule(index=st.integers(0, 5))
    def payout_of_a_refunded_use_fails(self, index: int) -> None:
        index %= len(self.values)
        if self.states[index] is UseState.REFUNDED and not self.settled[index] and self.owed[index]:
            self.book(ledger.no_longer_owed(MERCHANT, self.owed[index]))
            self.owed[index] = 0

    @invariant()
    def the_identity_holds(self) -> None:
        terms = terms_of(self.books())
        assert terms["received_fen"] + terms["owed_fen"] == (
            terms["refunded_fen"] + terms["paid_net_fen"] + terms["fee_fen"] + terms["held_fen"]
        )
        assert terms["subsidy_funded_fen"] == terms["subsidy_held_fen"]

    @invariant()
    def the_ledger_says_what_the_uses_say(self) -> None:
        assert list(contradictions(self.books())) == []

    @invariant()
    def nothing_is_paid_twice(self) -> None:
        assert max(self.times_paid) <= 1

    def books(self) -> Books:
        accounts: Counter[str] = Counter()
        for (account, _), fen in self.balances.items():
            accounts[account] += fen
        uses: dict[str, Counter[str]] = {}
        for index, value in enumerate(self.values):
            sums = uses.setdefault(self.states[index], Counter())
            sums["uses"] += 1
            sums["paid_fen"] += value.paid_fen
            sums["merchant_fen"] += value.merchant_fen
            sums["owed_fen"] += self.owed[index]
            sums["owed_unsettled_fen"] += 0 if self.settled[index] else self.owed[index]
        return Books(accounts=accounts, uses=uses, instructions={})


TestLives = Lives.TestCase
TestLives.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
