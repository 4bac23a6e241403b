"""Selling stops at once: by what checkout's copies say when an order is placed, and at the moment that decides."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import cast
from uuid import UUID

import httpx
import pytest

from services.checkout.domain.offers import Offer
from services.checkout.store import stock
from services.checkout.use_cases.place_order import Wanted, place_order
from shared.contracts.catalog import MerchantState, PayoutAccountState
from shared.contracts.checkout import OrderPaid
from shared.database import Database, Transaction
from shared.errors import DomainError
from shared.ids import new_id
from tests.integration.checkout.catalog_side import Deal
from tests.integration.checkout.stage import Purchase, Stage, a_buyer, code_of
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("both_ways")

Change = Callable[[Stage, Deal], Awaitable[None]]


def merchant(state: MerchantState) -> Change:
    return lambda stage, deal: stage.keep_merchant(deal, state, version=2)


def account(state: PayoutAccountState) -> Change:
    return lambda stage, deal: stage.keep_account(deal, state, version=2)


def without_number(stage: Stage, deal: Deal) -> Awaitable[None]:
    return stage.keep_account(deal, version=2, sub_merchant_id=None)


def offline(stage: Stage, deal: Deal) -> Awaitable[None]:
    return stage.keep_deal(deal, version=2, online=False)


def without_stores(stage: Stage, deal: Deal) -> Awaitable[None]:
    return stage.keep_deal(deal, version=2, store_ids=())


async def new_version(stage: Stage, deal: Deal) -> None:
    await stage.keep_version(deal, 2, price_fen=9_900)
    await stage.keep_deal(deal, version=2, deal_version=2)


async def forgotten(stage: Stage, deal: Deal) -> None:
    async with stage.db.transaction() as tx:
        await tx.execute("delete from deals where deal_id = $1", deal.deal_id)


async def terms_forgotten(stage: Stage, deal: Deal) -> None:
    async with stage.db.transaction() as tx:
        await tx.execute("delete from deal_versions where deal_id = $1", deal.deal_id)


def smaller_quota(stage: Stage, deal: Deal) -> Awaitable[None]:
    return stage.keep_deal(deal, version=2, quota=0)


STOPS = [
    pytest.param(merchant(MerchantState.SUSPENDED), (409, "merchant_cannot_sell"), id="the merchant is suspended"),
    pytest.param(merchant(MerchantState.APPLIED), (409, "merchant_cannot_sell"), id="the licence is looked at again"),
    pytest.param(merchant(MerchantState.REJECTED), (409, "merchant_cannot_sell"), id="the licence is rejected"),
    pytest.param(account(PayoutAccountState.SUBMITTED), (409, "merchant_cannot_sell"), id="the account is new"),
    pytest.param(account(PayoutAccountState.REJECTED), (409, "merchant_cannot_sell"), id="the account is rejected"),
    pytest.param(without_number, (409, "merchant_cannot_sell"), id="the account has no number at Alipay"),
    pytest.param(offline, (409, "deal_offline"), id="the deal is offline"),
    pytest.param(without_stores, (409, "deal_offline"), id="no store is open"),
    pytest.param(forgotten, (409, "deal_offline"), id="the copies are emptied"),
    pytest.param(new_version, (412, "deal_version_changed"), id="there is a new version"),
    pytest.param(smaller_quota, (409, "deal_sold_out"), id="nothing is left"),
]
# Whoever has seen the terms of a version may sell it: they never change.
UNSEEN = [*STOPS, pytest.param(terms_forgotten, (409, "deal_offline"), id="the copies are not yet filled again")]


@pytest.mark.parametrize(("change", "refusal"), UNSEEN)
async def test_what_stopped_before_the_order_is_not_sold(
    stage: Stage, change: Change, refusal: tuple[int, str]
) -> None:
    deal = await stage.sell()
    await change(stage, deal)

    assert code_of(await stage.place(deal, a_buyer())) == refusal
    assert await stage.stock(deal) == (0, 0)


@pytest.mark.parametrize(("change", "refusal"), UNSEEN)
async def test_what_stops_between_the_look_and_the_decision_is_not_sold(
    stage: Stage, change: Change, refusal: tuple[int, str]
) -> None:
    deal, buyer, order_id = await stage.sell(), a_buyer(), new_id()

    answer = await _placed_while(stage, deal, buyer, order_id, change)

    assert code_of(answer) == refusal
    assert await stage.stock(deal) == (0, 0)
    assert code_of(await stage.get(buyer, f"/orders/{order_id}")) == (404, "order_not_found")
    assert await stage.value("select count(*) from buyer_counters where deal_id = $1", deal.deal_id) == 0


@pytest.mark.parametrize(("change", "refusal"), STOPS)
async def test_the_statement_that_takes_stock_trusts_no_look(
    stage: Stage, change: Change, refusal: tuple[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    deal, look = await stage.sell(), stock.find_offer
    async with stage.db.transaction() as tx:
        looks = [await look(tx, deal.deal_id)]
    await change(stage, deal)

    async def late(tx: Transaction, deal_id: UUID) -> Offer | None:
        return looks.pop() if looks else await look(tx, deal_id)

    monkeypatch.setattr(stock, "find_offer", late)
    with pytest.raises(DomainError) as refused:
        async with stage.db.transaction() as tx:
            wanted = Wanted(new_id(), a_buyer(), deal.deal_id, 1, 1)
            await place_order(tx, stage.world.seals, stage.world.settings.pay_within, wanted)
    assert (refused.value.status, refused.value.code) == refusal
    assert await stage.stock(deal) == (0, 0)


@pytest.mark.parametrize(("change", "refusal"), UNSEEN)
async def test_what_stops_while_its_terms_are_still_kept_in_memory_is_not_sold(
    stage: Stage, change: Change, refusal: tuple[int, str]
) -> None:
    deal = await stage.sell()
    await stage.placed(deal)
    await change(stage, deal)

    assert code_of(await stage.place(deal, a_buyer())) == refusal
    assert await stage.stock(deal) == (1, 0)


async def test_a_new_version_is_sold_at_its_own_price_at_once(stage: Stage) -> None:
    deal = await stage.sell()
    await stage.placed(deal)
    await new_version(stage, deal)

    body = {"deal_id": str(deal.deal_id), "deal_version": 2, "quantity": 1}
    answer = await stage.put(a_buyer(), f"/orders/{new_id()}", body)

    assert (answer.status_code, answer.json()["total_fen"]) == (201, 9_900)


@pytest.mark.usefixtures("alipay_sandbox")
async def test_an_order_is_for_the_stores_that_are_open_when_it_is_decided(stage: Stage) -> None:
    deal, buyer, order_id, closing = await stage.sell(), a_buyer(), new_id(), new_id()
    await stage.keep_deal(deal, version=2, store_ids=(deal.store_id, closing))

    answer = await _placed_while(stage, deal, buyer, order_id, lambda stage, deal: stage.keep_deal(deal, version=3))

    assert answer.status_code == 201, answer.text
    assert answer.json()["store_ids"] == [str(deal.store_id)]
    purchase = Purchase(stage, deal, buyer, order_id)
    await purchase.pay()
    (paid,) = await stage.said(OrderPaid, order_id)
    assert paid.store_ids == (deal.store_id,)


async def test_what_was_placed_before_keeps_its_stores(stage: Stage) -> None:
    deal, other = await stage.sell(), new_id()
    await stage.keep_deal(deal, version=2, store_ids=(deal.store_id, other))
    purchase = await stage.placed(deal)
    await stage.keep_deal(deal, version=3, store_ids=(other,))

    assert (await purchase.view())["store_ids"] == [str(deal.store_id), str(other)]
    assert (await (await stage.placed(deal)).view())["store_ids"] == [str(other)]


async def _placed_while(stage: Stage, deal: Deal, buyer: str, order_id: UUID, change: Change) -> httpx.Response:
    """Place an order that has looked at the deal and waits to be decided while something changes."""
    async with stage.db.transaction() as tx:
        # Whoever orders waits here for whoever ordered before; so does the change, unless it is made by them.
        await tx.execute("select from stock where deal_id = $1 for update", deal.deal_id)
        me = await tx.value("select pg_backend_pid()")
        placing = asyncio.create_task(stage.place(deal, buyer, order_id=order_id))
        waits = "select exists (select from pg_stat_activity where $1 = any(pg_blocking_pids(pid)))"
        await eventually(lambda: stage.value(waits, me), what="the order waits for its decision")
        await change(replace(stage, db=cast("Database", _Within(tx))), deal)
    return await placing


class _Within:
    """A database in which everything happens within one open transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        yield self._tx
