"""What happens between the look, the decision and the writing of a batch of orders, and who waits for whom."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

import asyncpg
import pytest

from services.checkout.domain.placing import Ask, Decision, Granted, decide
from services.checkout.store import placing as tables
from services.checkout.store import stock
from services.checkout.use_cases import place_order as plain
from services.checkout.use_cases import placing
from services.checkout.use_cases.offers import Offers
from shared.contracts.catalog import (
    MerchantState,
    PayoutAccountState,
)
from shared.database import Transaction
from shared.errors import DomainError
from tests.integration.checkout.catalog_side import Deal
from tests.integration.checkout.stage import Purchase, Stage
from tests.integration.checkout.together import Tries, ask, codes, wanted
from tests.support.waiting import eventually


def _grants_all(asks: Sequence[Ask], *rest: Any) -> list[Decision]:
    """A decision that knows neither stock nor limits."""
    offers = rest[1]
    return [Granted(offers[one.deal_id]) for one in asks]


def _blind_to_placed(asks: Sequence[Ask], placed: Any, *rest: Any) -> list[Decision]:
    return decide(asks, {}, *rest)


async def test_stock_that_the_decision_overlooked_is_not_sold(
    stage: Stage, tries: Tries, monkeypatch: pytest.MonkeyPatch
) -> None:
    deal = await stage.sell(Deal(quota=2))
    monkeypatch.setattr(placing, "decide", _grants_all)

    outcomes = await ask(stage, *(wanted(deal) for _ in range(5)))

    assert Counter(codes(outcomes)) == {"placed": 2, "deal_sold_out": 3}
    assert tries == [5, 0, 0, 0, 0, 0]
    assert await stage.stock(deal) == (2, 0)


@pytest.mark.parametrize("what", ["merchant", "account"])
async def test_what_stops_being_sold_between_look_and_decision_is_not_sold(
    stage: Stage, tries: Tries, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    deal = await stage.sell()
    look = tables.deals_now

    async def looked_before(*arguments: Any) -> Any:
        seen = await look(*arguments)
        if what == "merchant":
            await stage.keep_merchant(deal, MerchantState.SUSPENDED, version=2)
        else:
            await stage.keep_account(deal, PayoutAccountState.REJECTED, version=2)
        return seen

    monkeypatch.setattr(tables, "deals_now", looked_before)

    assert codes(await ask(stage, wanted(deal), wanted(deal))) == ["merchant_cannot_sell"] * 2
    assert 0 in tries, "the batch was decided by what the tables said when it was written"
    assert await stage.stock(deal) == (0, 0)


async def test_a_limit_that_somebody_else_used_up_meanwhile_holds(
    stage: Stage, tries: Tries, monkeypatch: pytest.MonkeyPatch
) -> None:
    deal = await stage.sell(Deal(limit=2))
    buyer = (await stage.placed(deal, quantity=2)).buyer
    tries.clear()

    async def nothing_counted(*_: Any) -> dict[Any, int]:
        return {}

    monkeypatch.setattr(tables, "counted", nothing_counted)

    assert codes(await ask(stage, wanted(deal, buyer), wanted(deal))) == ["buyer_limit_reached", "placed"]
    assert tries == [2, 0, 0]
    assert await stage.stock(deal) == (3, 0)


async def test_an_id_that_went_to_another_deal_meanwhile_is_refused_and_its_batch_is_not(
    stage: Stage, tries: Tries, monkeypatch: pytest.MonkeyPatch
) -> None:
    deal, other = await stage.sell(), await stage.sell()
    taken = await stage.placed(other)
    tries.clear()
    monkeypatch.setattr(placing, "decide", _blind_to_placed)
    mine = wanted(deal, taken.buyer, order_id=taken.order_id)
    with pytest.raises(placing.Undecided):
        async with stage.db.transaction() as tx:
            await placing.place_together(tx, stage.world.seals, stage.world.settings.pay_within, Offers(1.0), [mine])
    tries.clear()

    outcomes = await ask(stage, mine, wanted(deal))

    assert codes(outcomes) == ["id_taken", "placed"]
    assert tries == [2, 0, 0]
    assert await stage.stock(deal) == (1, 0)


async def test_alone_too_an_id_that_went_to_another_deal_meanwhile_is_refused(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    deal, other = await stage.sell(), await stage.sell()
    taken = wanted(other)
    reserve = stock.reserve

    async def and_somebody_takes_the_id(tx: Transaction, *arguments: Any) -> Any:
        async with stage.db.transaction() as theirs:
            await plain.place_order(theirs, stage.world.seals, stage.world.settings.pay_within, taken)
        return await reserve(tx, *arguments)

    mine = wanted(deal, order_id=taken.order_id)
    monkeypatch.setattr(stock, "reserve", _once(and_somebody_takes_the_id, reserve))
    with pytest.raises(DomainError) as refused:
        async with stage.db.transaction() as tx:
            await plain.place_order(tx, stage.world.seals, stage.world.settings.pay_within, mine)
    assert refused.value.code == "id_taken"
    assert await stage.stock(deal) == (0, 0)


def _once(first: Callable[..., Awaitable[Any]], then: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    turns = [first]

    async def act(*arguments: Any) -> Any:
        return await (turns.pop() if turns else then)(*arguments)

    return act


# The order of locks: whoever waits for a deal's stock holds no counter of its buyers.


async def _places_alone(stage: Stage, tx: Transaction, purchase: Purchase) -> None:
    again = wanted(purchase.deal, purchase.buyer)
    await plain.place_order(tx, stage.world.seals, stage.world.settings.pay_within, again)


async def _places_together(stage: Stage, tx: Transaction, purchase: Purchase) -> None:
    again = wanted(purchase.deal, purchase.buyer)
    await placing.place_together(tx, stage.world.seals, stage.world.settings.pay_within, Offers(1.0), [again])


async def _closes(stage: Stage, tx: Transaction, purchase: Purchase) -> None:
    stage.later(minutes=16)
    tx.now = stage.now()
    await stock.close_unpaid(tx, [purchase.order_id])


async def _returns(stage: Stage, tx: Transaction, purchase: Purchase) -> None:
    await stock.sell_reserved(tx, purchase.deal.deal_id, 1)
    await stock.return_sold(tx, purchase.deal.deal_id, purchase.buyer, 1, 1)


@pytest.mark.parametrize("change", [_places_alone, _places_together, _closes, _returns])
async def test_whoever_waits_for_stock_holds_no_counter(
    stage: Stage, change: Callable[[Stage, Transaction, Purchase], Awaitable[None]]
) -> None:
    purchase = await stage.placed(await stage.sell(Deal(limit=5)))

    async def act() -> None:
        async with stage.db.transaction() as tx:
            await change(stage, tx, purchase)

    async with stage.db.transaction() as tx:
        await tx.execute("select from stock where deal_id = $1 for update", purchase.deal.deal_id)
        me = await tx.value("select pg_backend_pid()")
        acting = asyncio.create_task(act())
        waits = "select exists (select from pg_stat_activity where $1 = any(pg_blocking_pids(pid)))"
        await eventually(lambda: stage.value(waits, me), what="it waits for the stock")
        counter = "select units from buyer_counters where deal_id = $1 and buyer = $2 for update nowait"
        assert await tx.value(counter, purchase.deal.deal_id, purchase.buyer) == 1
    await acting


async def _close_them(stage: Stage, purchases: Sequence[Purchase]) -> None:
    async with stage.db.transaction() as tx:
        await stock.close_unpaid(tx, [one.order_id for one in purchases])


async def _say_them(stage: Stage, purchases: Sequence[Purchase]) -> None:
    async with stage.db.transaction() as tx:
        await stock.take_unsaid(tx, [one.deal.deal_id for one in purchases])


async def _order_them(stage: Stage, purchases: Sequence[Purchase]) -> None:
    assert set(codes(await ask(stage, *(wanted(one.deal) for one in purchases)))) == {"placed"}


@pytest.mark.parametrize("change", [_close_them, _say_them, _order_them])
async def test_several_deals_are_locked_one_after_the_other_in_the_order_of_their_ids(
    stage: Stage, change: Callable[[Stage, Sequence[Purchase]], Coroutine[Any, Any, None]]
) -> None:
    deals = sorted([await stage.sell() for _ in range(6)], key=lambda deal: deal.deal_id)
    purchases = [await stage.placed(deal) for deal in deals]
    stage.later(minutes=16)
    await _shuffle_rows(stage, deals)

    # Whoever locks in any other order holds a later deal while it waits for the first.
    async with stage.db.transaction() as tx:
        await tx.execute("select from stock where deal_id = $1 for update", deals[0].deal_id)
        me = await tx.value("select pg_backend_pid()")
        acting = asyncio.create_task(change(stage, purchases[::-1]))
        waits = "select exists (select from pg_stat_activity where $1 = any(pg_blocking_pids(pid)))"
        await eventually(lambda: stage.value(waits, me), what="it waits for the first")
        rest = [deal.deal_id for deal in deals[1:]]
        try:
            held = await tx.fetch("select from stock where deal_id = any($1) for update nowait", rest)
        except asyncpg.LockNotAvailableError:
            pytest.fail("it holds a later deal")
        assert len(held) == len(rest)
    await acting


async def _shuffle_rows(stage: Stage, deals: Sequence[Deal]) -> None:
    """The rows lie in the table in the opposite order of their ids."""
    for deal in deals[::-1]:
        async with stage.db.transaction() as tx:
            await tx.execute(
                """with row as (delete from stock where deal_id = $1 returning *)
                   insert into stock select * from row""",
                deal.deal_id,
            )
