"""Who of those that order at the same moment gets something: in order of arrival, and never more than there is."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.checkout.domain.offers import Offer, Payee
from services.checkout.domain.placing import Account, Ask, Decision, Granted, Repeated, decide
from services.checkout.domain.refusals import (
    BuyerLimitReached,
    DealOffline,
    DealSoldOut,
    DealVersionChanged,
    DeliveryModeNotOffered,
)
from shared.contracts.catalog import DealForm, DealKind, DeliveryMode, Rail, RefundPolicy
from shared.contracts.use_rules import UseRules
from shared.errors import IdTaken

NOON = datetime(2026, 11, 24, 4, tzinfo=UTC)
DEALS = [UUID(int=number) for number in range(1, 4)]
UNKNOWN = UUID(int=99)


def offer(deal_id: UUID, available: int, limit: int) -> Offer:
    return Offer(
        deal_id=deal_id, deal_version=1, merchant_id=UUID(int=7), online=True, kind=DealKind.VOUCHER,
        form=DealForm.SET, title="双人火锅套餐", cover="hotpot", price_fen=12_800, original_price_fen=26_800,
        per_buyer_limit=limit, uses_per_unit=1, sale_from=NOON - timedelta(days=1),
        sale_until=NOON + timedelta(days=1), rules=UseRules(valid_days=30), delivery=None, cash=None,
        code_source=None, refund_policy=RefundPolicy.ANY_TIME, store_ids=(UUID(int=8),), available=available,
        payee=Payee(Rail.ZHIFUTONG, "2088"),
    )  # fmt: skip


def ask(order: int, digest: bytes = b"a", quantity: int = 1) -> Ask:
    return Ask(UUID(int=order), digest, DEALS[0], 1, "an", quantity, None)


@dataclass
class State:
    """What the database says before a batch, and after."""

    placed: dict[UUID, bytes]
    offers: dict[UUID, Offer]
    counted: dict[Account, int] = field(default_factory=dict)

    def decide(self, asks: Sequence[Ask]) -> list[Decision]:
        return decide(asks, self.placed, self.offers, self.counted, NOON)

    def after(self, asks: Sequence[Ask], decisions: Sequence[Decision]) -> "State":
        granted = [one for one, decision in zip(asks, decisions, strict=True) if isinstance(decision, Granted)]
        taken: Counter[UUID] = Counter()
        counted: Counter[Account] = Counter(self.counted)
        for one in granted:
            taken[one.deal_id] += one.quantity
            counted[one.deal_id, one.buyer] += one.quantity
        return State(
            self.placed | {one.order_id: one.digest for one in granted},
            {deal: replace(what, available=what.available - taken[deal]) for deal, what in self.offers.items()},
            dict(counted),
        )


ASKS = st.lists(
    st.builds(
        Ask,
        order_id=st.integers(1, 12).map(lambda number: UUID(int=number)),
        digest=st.sampled_from([b"a", b"b"]),
        deal_id=st.sampled_from([*DEALS, UNKNOWN]),
        deal_version=st.sampled_from([1, 1, 1, 2]),
        buyer=st.sampled_from(["an", "bo", "chen"]),
        quantity=st.integers(1, 10),
        mode=st.sampled_from([None, None, None, DeliveryMode.COURIER]),
    ),
    max_size=25,
)
STATES = st.builds(
    State,
    placed=st.dictionaries(st.integers(1, 12).map(lambda number: UUID(int=number)), st.just(b"a"), max_size=3),
    offers=st.fixed_dictionaries(
        {deal: st.builds(offer, st.just(deal), st.integers(0, 30), st.integers(0, 12)) for deal in DEALS}
    ),
    counted=st.dictionaries(st.tuples(st.sampled_from(DEALS), st.sampled_from(["an", "bo"])), st.integers(0, 12)),
)


def same(decisions: Sequence[Decision]) -> list[object]:
    """Decisions in a form that compares."""
    return [
        (type(one), getattr(one, "facts", None) or getattr(one, "order_id", None) or getattr(one, "offer", None))
        for one in decisions
    ]


@given(STATES, ASKS)
def test_nothing_is_sold_that_is_not_there_and_nobody_passes_their_limit(state: State, asks: list[Ask]) -> None:
    after = state.after(asks, state.decide(asks))

    assert all(offered.available >= 0 for offered in after.offers.values())
    for (deal_id, buyer), units in after.counted.items():
        limit = state.offers[deal_id].per_buyer_limit
        assert limit == 0 or units <= max(limit, state.counted.get((deal_id, buyer), 0))


@given(STATES, ASKS, st.integers(0, 25))
def test_it_makes_no_difference_where_one_batch_ends_and_the_next_begins(
    state: State, asks: list[Ask], cut: int
) -> None:
    first, second = asks[:cut], asks[cut:]
    decided = state.decide(first)
    later = state.after(first, decided)

    assert same(state.decide(asks)) == same([*decided, *later.decide(second)])


@given(STATES, ASKS)
def test_whoever_is_refused_would_have_passed_what_was_left_when_their_turn_came(state: State, asks: list[Ask]) -> None:
    decisions = state.decide(asks)
    for turn, (one, decision) in enumerate(zip(asks, decisions, strict=True)):
        before = state.after(asks[:turn], decisions[:turn])
        match decision:
            case DealSoldOut():
                assert before.offers[one.deal_id].available < one.quantity
                assert decision.facts == {"available": before.offers[one.deal_id].available}
            case BuyerLimitReached():
                limit = before.offers[one.deal_id].per_buyer_limit
                had = before.counted.get((one.deal_id, one.buyer), 0)
                assert had + one.quantity > limit > 0
                assert decision.facts == {"left": max(0, limit - had)}
            case IdTaken():
                assert before.placed[one.order_id] != one.digest
            case Repeated():
                assert before.placed[one.order_id] == one.digest
            case Granted():
                assert one.order_id not in before.placed
            case DealOffline():
                assert one.deal_id == UNKNOWN
            case _:
                assert isinstance(decision, DealVersionChanged | DeliveryModeNotOffered)
                assert one.deal_version != 1 or one.mode is not None


def test_the_first_to_come_is_the_first_served() -> None:
    state = State({}, {DEALS[0]: offer(DEALS[0], 3, 0)})

    decisions = state.decide([ask(1, quantity=2), ask(2, quantity=2), ask(3, quantity=1), ask(4, quantity=1)])

    assert [type(one) for one in decisions] == [Granted, DealSoldOut, Granted, DealSoldOut]


def test_an_id_that_bought_nothing_is_free_for_another_request() -> None:
    state = State({}, {DEALS[0]: offer(DEALS[0], 1, 0)})

    decisions = state.decide([ask(1, b"a", quantity=2), ask(1, b"b"), ask(1, b"b"), ask(1, b"a", quantity=2)])

    assert [type(one) for one in decisions] == [DealSoldOut, Granted, Repeated, IdTaken]
