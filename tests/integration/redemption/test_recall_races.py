"""A recall against everybody else who wants the same certificate: exactly one wins, and nothing slips between."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest

from services.redemption import consumers, use_cases
from services.redemption.domain.codes import Prepared
from shared.contracts.checkout import OrderPaid
from shared.contracts.redemption import CertificateRecalled, RefundFenced, RefundRefused
from shared.database import Transaction
from shared.ids import new_id
from tests.integration.redemption.losses import Loss, lose, recalls, store_lost, suspended
from tests.integration.redemption.stage import (
    Shop,
    Stage,
    other_store,
    refund_abandoned,
    refund_request,
    units_of,
)
from tests.support.waiting import eventually

RACES = 150


async def test_a_recall_and_a_till_have_exactly_one_winner(stage: Stage) -> None:
    wins = {"recall": 0, "redemption": 0}

    async def race(number: int) -> None:
        shop = await stage.open_shop()
        sister = await stage.open_shop(other_store(shop))
        order = await stage.pay(shop, units=1 + number % 3, also=(sister,))
        await store_lost(stage, sister).arrives(stage.db)
        wins[await winner_at_the_till(stage, shop, order, number)] += 1

    for number in range(RACES):
        await race(number)
    assert wins["recall"] + wins["redemption"] == RACES
    # A race that one side always wins proves nothing.
    assert min(wins.values()) > RACES // 20, wins


async def winner_at_the_till(stage: Stage, shop: Shop, order: OrderPaid, number: int) -> str:
    units = units_of(order)
    prepared = Prepared(shop.clerk, shop.store_id, order.order_id, tuple(units))
    token, _ = stage.codes.preparation_token(prepared, datetime.now(UTC))

    async def recall() -> None:
        # Not a wait: the request to verify has a longer way to the database, and neither shall always win.
        await asyncio.sleep(number % 9 * 0.0005)
        await lose(stage, store_lost(stage, shop))

    verified, _ = await asyncio.gather(stage.verify(shop, token, units, new_id()), recall())
    status = verified.status_code
    states, reasons = set(await stage.states(order)), await recalls(stage, order)
    if status == 201:
        assert (states, reasons) == ({"USED"}, [])
        return "redemption"
    assert (status, states, reasons) == (409, {"REFUNDING"}, ["store_closed"] * len(units))
    return "recall"


async def test_a_recall_and_a_buyers_refund_have_exactly_one_winner(stage: Stage) -> None:
    wins = {"recall": 0, "buyer": 0}

    async def race(number: int) -> None:
        shop = await stage.open_shop()
        order = await stage.pay(shop, units=2)
        request = refund_request(order)
        await store_lost(stage, shop).arrives(stage.db)

        async def ask() -> None:
            await asyncio.sleep(number % 9 * 0.0005)
            await consumers.fence_refund(request, stage.db)

        await asyncio.gather(stage.act(), ask())
        reasons = await recalls(stage, order)
        fenced = await stage.said(RefundFenced, request.refund_id)
        refused = await stage.said(RefundRefused, request.refund_id)
        assert await stage.states(order) == ["REFUNDING"] * 2
        assert (len(fenced), len(refused), len(reasons)) in {(1, 0, 0), (0, 1, 2)}
        wins["buyer" if fenced else "recall"] += 1

    for number in range(RACES):
        await race(number)
    assert min(wins.values()) > RACES // 20, wins


Lose = Callable[[Stage, Shop], Loss]
LOSSES: list[tuple[Lose, str]] = [(store_lost, "store_closed"), (suspended, "merchant_suspended")]


async def while_uncommitted(stage: Stage, loss: Loss, act: Callable[[Transaction], Awaitable[None]]) -> None:
    """Store or merchant are lost, and the recall runs, after `act` has done its work and before it commits."""
    async with stage.db.transaction() as tx:
        await act(tx)
        losing = asyncio.create_task(lose(stage, loss))

        async def waits_or_is_done() -> bool:
            async with stage.db.transaction() as asking:
                waiting: bool = await asking.value(
                    "select exists (select from pg_locks where locktype = 'advisory' and not granted)"
                )
            return waiting or losing.done()

        await eventually(waits_or_is_done, what="the loss waits for what is about to be valid")
    await losing
    await stage.act()


@pytest.mark.parametrize(("loss", "reason"), LOSSES)
async def test_certificates_that_are_being_issued_at_the_moment_of_the_loss_are_not_missed(
    stage: Stage, loss: Lose, reason: str
) -> None:
    shop = await stage.open_shop()
    order = stage.order(shop, units=2)

    async def issue(tx: Transaction) -> None:
        await use_cases.issue_certificates(tx, stage.codes, stage.world.code_timeout, order)

    await while_uncommitted(stage, loss(stage, shop), issue)
    assert await stage.states(order) == ["REFUNDING"] * 2
    assert await recalls(stage, order) == [reason] * 2


@pytest.mark.parametrize(("loss", "reason"), LOSSES)
async def test_certificates_that_are_being_given_back_at_the_moment_of_the_loss_are_not_missed(
    stage: Stage, loss: Lose, reason: str
) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop)
    request = refund_request(order)
    await consumers.fence_refund(request, stage.db)

    async def give_up(tx: Transaction) -> None:
        await use_cases.lift_fence(tx, refund_abandoned(request))

    await while_uncommitted(stage, loss(stage, shop), give_up)
    assert await stage.states(order) == ["REFUNDING"]
    assert await recalls(stage, order) == [reason]


async def test_issuing_and_closing_at_the_same_instant_always_end_recalled(stage: Stage) -> None:
    async def race(number: int) -> OrderPaid:
        shop = await stage.open_shop()
        order = stage.order(shop)

        async def issue() -> None:
            await asyncio.sleep(number % 9 * 0.0005)
            await consumers.issue_certificates(order, stage.db, stage.world)

        await asyncio.gather(lose(stage, store_lost(stage, shop)), issue())
        return order

    orders = await asyncio.gather(*(race(number) for number in range(40)))
    await stage.act()
    for order in orders:
        assert await stage.states(order) == ["REFUNDING"]
        assert len(await stage.said(CertificateRecalled, units_of(order)[0])) == 1
