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
from shared.contracts.redemption import version_of_use

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
        self.heard = [0 for _ in bought]
        self.disputed: list[int | None] = [None for _ in bought]
        self.closed: set[int] = set()
        self.opened: set[int] = set()
        self.offset_fen = 0
        self.book(ledger.received(bought))

    def book(self, entries: list[Entry]) -> None:
        for entry in post(entries):
            self.balances[entry.account, entry.owner] += entry.amount_fen

    def applies(self, index: int, fact: Fact) -> bool:
        return verdict(self.states[index], fact) is Verdict.APPLIES

    @rule(index=st.integers(0, 5), fact=st.sampled_from([Fact.USED, Fact.REVERSED]), cycle=st.integers(0, 3))
    def use_or_reverse(self, index: int, fact: Fact, cycle: int) -> None:
        """A use, or its reversal, of any cycle: late, early, or heard before."""
        index %= len(self.values)
        version = version_of_use(cycle, is_reversed=fact is Fact.REVERSED)
        before = self.states[index]
        if verdict(before, fact, is_news=version > self.heard[index]) is Verdict.APPLIES:
            self.states[index], self.heard[index] = MOVES[fact].target, version
            # Using and undoing post nothing, which is why the books must fit without a line more.
            assert {before, self.states[index]} <= {UseState.HELD, UseState.USED}

    @rule(index=st.integers(0, 5))
    def expire(self, index: int) -> None:
        """Redemption expires only what is not used; said of anything else, nothing follows."""
        index %= len(self.values)
        if self.states[index] is UseState.HELD:
            self.refund(index)

    @rule(index=st.integers(0, 5), number=st.integers(0, 3))
    def dispute(self, index: int, number: int) -> None:
        """A dispute holds what no run has claimed, once, and nothing if its end was heard of first."""
        index %= len(self.values)
        if number in self.opened | self.closed:
            return
        self.opened.add(number)
        if self.states[index] in (UseState.HELD, UseState.USED, UseState.FINAL):
            self.disputed[index] = number

    @rule(number=st.integers(0, 3))
    def close(self, number: int) -> None:
        """A review ended without money, heard of before its beginning or after."""
        self.closed.add(number)
        self.disputed = [None if by == number else by for by in self.disputed]

    @rule(index=st.integers(0, 5), fact=st.sampled_from([Fact.FINAL, Fact.RECEIVED]))
    def earn(self, index: int, fact: Fact) -> None:
        index %= len(self.values)
        if self.applies(index, fact):
            self.states[index] = MOVES[fact].target
            if self.states[index] is UseState.FINAL:
                self.book(ledger.earned(self.values[index], MERCHANT))

    def may_be_claimed(self, index: int) -> bool:
        return self.disputed[index] is None and self.applies(index, Fact.CLAIMED)

    @rule()
    def run(self) -> None:
        due = [index for index in range(len(self.values)) if self.may_be_claimed(index)]
        shares = fee_shares([self.values[index].merchant_fen for index in due], FEE_BP)
        for index, fee in zip(due, shares, strict=True):
            self.states[index], self.fees[index] = UseState.CLAIMED, fee

    @rule(index=st.integers(0, 5), by_transfer=st.booleans())
    def settle(self, index: int, by_transfer: bool) -> None:
        index %= len(self.values)
        if self.applies(index, Fact.PAID):
            self.states[index] = UseState.PAID
            self.settled[index] = True
            self.times_paid[index] += 1
            gross_fen, fee_fen = self.values[index].merchant_fen, self.fees[index]
            offset_fen = min(self.debt_fen(), gross_fen - fee_fen) if by_transfer else 0
            self.offset_fen += offset_fen
            self.book(ledger.paid_out(MERCHANT, gross_fen, fee_fen, offset_fen))

    def debt_fen(self) -> int:
        """What was refunded after payouts that arrived, and is not paid off."""
        owed = zip(self.owed, self.settled, strict=True)
        return sum(fen for fen, is_settled in owed if is_settled) - self.offset_fen

    @rule(index=st.integers(0, 5))
    def refund(self, index: int) -> None:
        index %= len(self.values)
        if self.applies(index, Fact.REFUNDED):
            state, value = self.states[index], self.values[index]
            committed = state in (UseState.CLAIMED, UseState.PAID)
            self.owed[index] = value.merchant_fen if committed else 0
            self.book(ledger.refunded(value, MERCHANT, state, committed=committed))
            self.states[index] = UseState.REFUNDED
            self.disputed[index] = None

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

    @invariant()
    def what_is_disputed_is_held_and_no_debt_is_taken_twice(self) -> None:
        terms = terms_of(self.books())
        assert 0 <= terms["held_disputed_fen"] <= terms["held_fen"]
        assert self.debt_fen() >= 0
        unclaimed = (UseState.HELD, UseState.USED, UseState.FINAL)
        assert all(by is None or state in unclaimed for by, state in zip(self.disputed, self.states, strict=True))

    def teardown(self) -> None:
        """Nothing is forgotten: once reviews have ended, every use that was earned is paid or went back."""
        if not hasattr(self, "values"):
            return
        for number in list(self.opened):
            self.close(number)
        self.run()
        for index in range(len(self.values)):
            self.settle(index, by_transfer=True)
        assert set(self.states) <= {UseState.HELD, UseState.USED, UseState.PAID, UseState.REFUNDED}
        self.the_identity_holds()
        self.the_ledger_says_what_the_uses_say()

    def books(self) -> Books:
        accounts: Counter[str] = Counter()
        for (account, _), fen in self.balances.items():
            accounts[account] += fen
        uses: dict[str, Counter[str]] = {}
        disputed_fen = 0
        for index, value in enumerate(self.values):
            sums = uses.setdefault(self.states[index], Counter())
            sums["uses"] += 1
            sums["paid_fen"] += value.paid_fen
            sums["merchant_fen"] += value.merchant_fen
            sums["owed_fen"] += self.owed[index]
            disputed_fen += value.paid_fen if self.disputed[index] is not None else 0
            sums["owed_unsettled_fen"] += 0 if self.settled[index] else self.owed[index]
        return Books(
            accounts=accounts, uses=uses, instructions={}, offset_fen=self.offset_fen, disputed_fen=disputed_fen
        )


TestLives = Lives.TestCase
TestLives.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
