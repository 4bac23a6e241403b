"""Placing an order: what is frozen, what is refused and why, and that nobody can oversell."""

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest

from shared.contracts.catalog import DealKind, MerchantState, PayoutAccountState, StaffRole
from shared.contracts.checkout import AvailabilityChanged
from shared.ids import new_id
from tests.integration.checkout.catalog_side import Deal
from tests.integration.checkout.stage import ADDRESS, Stage, a_buyer, code_of

pytestmark = pytest.mark.usefixtures("both_ways")


async def test_an_order_freezes_price_units_and_the_time_to_pay(stage: Stage) -> None:
    deal = await stage.sell()
    purchase = await stage.placed(deal, quantity=3)

    order = await purchase.view()

    assert (order["state"], order["total_fen"], order["kind"]) == ("PLACED", 3 * 12_800, "VOUCHER")
    assert [unit["paid_fen"] for unit in order["units"]] == [12_800] * 3
    assert len({unit["unit_id"] for unit in order["units"]}) == 3
    assert [entry["what"] for entry in order["timeline"]] == ["PLACED"]
    assert await stage.timer("order_expired", purchase.order_id) is not None
    assert await stage.stock(deal) == (3, 0)


async def test_the_delivery_fee_is_spread_over_the_units_to_the_fen(stage: Stage) -> None:
    deal = await stage.sell(Deal(kind=DealKind.GOODS, fee_fen=1_000))
    order = (await stage.place(deal, a_buyer(), quantity=3)).json()

    assert order["total_fen"] == 3 * 12_800 + 1_000
    assert [unit["paid_fen"] for unit in order["units"]] == [13_134, 13_133, 13_133]
    assert order["delivery"] == {
        "mode": "COURIER",
        "fee_fen": 1_000,
        "parcel_state": None,
        "masked_phone": "138****8000",
        "masked_address": "四川省成都市锦江区****",
    }


async def test_the_address_is_sealed_at_rest(stage: Stage) -> None:
    deal = await stage.sell(Deal(kind=DealKind.GOODS))
    purchase = await stage.placed(deal)

    sealed = await stage.value("select sealed_address from orders where order_id = $1", purchase.order_id)
    everything = await stage.value("select o::text from orders o where order_id = $1", purchase.order_id)

    assert '"+8613800138000"' in stage.world.seals.open(sealed)
    assert "春熙路" not in everything
    assert "13800138000" not in everything


async def test_the_same_request_again_finds_the_same_order(stage: Stage) -> None:
    deal, buyer, order_id = await stage.sell(), a_buyer(), new_id()

    first = await stage.place(deal, buyer, order_id=order_id)
    await stage.keep_deal(deal, version=2, online=False)
    again = await stage.place(deal, buyer, order_id=order_id)

    assert again.status_code == 201
    assert again.json()["units"] == first.json()["units"]
    assert await stage.stock(deal) == (1, 0)


async def test_the_same_request_many_times_at_once_places_one_order(stage: Stage) -> None:
    deal, buyer, order_id = await stage.sell(), a_buyer(), new_id()

    answers = await asyncio.gather(*(stage.place(deal, buyer, order_id=order_id) for _ in range(8)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["order_no"] for answer in answers}) == 1
    assert await stage.stock(deal) == (1, 0)


async def test_an_id_used_for_something_else_or_by_somebody_else_is_refused(stage: Stage) -> None:
    deal, buyer, order_id = await stage.sell(), a_buyer(), new_id()
    await stage.place(deal, buyer, order_id=order_id)

    assert code_of(await stage.place(deal, buyer, quantity=2, order_id=order_id)) == (409, "id_taken")
    assert code_of(await stage.place(deal, a_buyer(), order_id=order_id)) == (409, "id_taken")


async def test_another_version_than_the_buyer_saw_is_named(stage: Stage) -> None:
    deal = await stage.sell()
    await stage.keep_version(deal, 2, price_fen=9_900)
    await stage.keep_deal(deal, version=2, deal_version=2)

    answer = await stage.place(deal, a_buyer())

    assert code_of(answer) == (412, "deal_version_changed")
    assert (answer.json()["deal_version"], answer.json()["price_fen"]) == (2, 9_900)


async def test_a_deal_is_not_sellable_before_all_its_events_are_here(stage: Stage) -> None:
    deal = Deal()
    assert code_of(await stage.place(deal, a_buyer())) == (409, "deal_offline")
    await stage.keep_deal(deal)
    assert code_of(await stage.place(deal, a_buyer())) == (409, "deal_offline")
    await stage.keep_version(deal)
    assert code_of(await stage.place(deal, a_buyer())) == (409, "merchant_cannot_sell")
    await stage.keep_account(deal)
    assert code_of(await stage.place(deal, a_buyer())) == (409, "merchant_cannot_sell")
    await stage.keep_merchant(deal)
    assert (await stage.place(deal, a_buyer())).status_code == 201


async def test_older_news_never_overwrites_newer(stage: Stage) -> None:
    deal = await stage.sell()
    await stage.keep_deal(deal, version=3, online=False)
    await stage.keep_deal(deal, version=2, online=True)
    assert code_of(await stage.place(deal, a_buyer())) == (409, "deal_offline")

    await stage.keep_deal(deal, version=4)
    await stage.keep_merchant(deal, MerchantState.SUSPENDED, version=3)
    await stage.keep_merchant(deal, version=2)
    assert code_of(await stage.place(deal, a_buyer())) == (409, "merchant_cannot_sell")

    await stage.keep_merchant(deal, version=4)
    await stage.keep_account(deal, PayoutAccountState.SUBMITTED, version=2)
    await stage.keep_account(deal, version=1)
    assert code_of(await stage.place(deal, a_buyer())) == (409, "merchant_cannot_sell")


async def test_outside_the_sale_window_nothing_is_sold(stage: Stage) -> None:
    deal = await stage.sell()
    stage.later(days=301)
    assert code_of(await stage.place(deal, a_buyer())) == (409, "sale_ended")
    stage.later(days=-303)
    assert code_of(await stage.place(deal, a_buyer())) == (409, "sale_not_started")


async def test_delivery_must_fit_the_deal(stage: Stage) -> None:
    goods, voucher = await stage.sell(Deal(kind=DealKind.GOODS)), await stage.sell()

    def body(deal: Deal, mode: str | None, **address: str) -> dict[str, object]:
        delivery = {"mode": mode, "address": ADDRESS | address} if mode else None
        return {"deal_id": str(deal.deal_id), "deal_version": 1, "quantity": 1, "delivery": delivery}

    async def refusal(deal: Deal, mode: str | None, **address: str) -> tuple[int, str]:
        return code_of(await stage.put(a_buyer(), f"/orders/{new_id()}", body(deal, mode, **address)))

    assert await refusal(goods, None) == (422, "delivery_needed")
    assert await refusal(goods, "SELF") == (422, "delivery_mode_not_offered")
    assert await refusal(voucher, "COURIER") == (422, "delivery_mode_not_offered")
    assert await refusal(goods, "COURIER", phone="12345") == (422, "phone_invalid")
    for street in ("", "春熙路\x00", "春熙路\n1 号"):
        assert await refusal(goods, "COURIER", street=street) == (422, "malformed_input")
    wide = body(goods, "COURIER", street="春熙路　1 号")
    assert (await stage.put(a_buyer(), f"/orders/{new_id()}", wide)).status_code == 201


async def test_stock_is_never_oversold_however_many_buy_at_once(stage: Stage) -> None:
    deal = await stage.sell(Deal(quota=25))

    answers = await asyncio.gather(*(stage.place(deal, a_buyer(), quantity=1 + n % 3) for n in range(80)))

    outcomes = Counter(code_of(answer)[1] if answer.status_code != 201 else "placed" for answer in answers)
    assert set(outcomes) == {"placed", "deal_sold_out"}
    assert sum(answer.json()["quantity"] for answer in answers if answer.status_code == 201) == 25
    assert await stage.stock(deal) == (25, 0)
    refused = next(answer for answer in answers if answer.status_code == 409 and answer.json()["available"] == 0)
    assert code_of(refused) == (409, "deal_sold_out")


async def test_the_limit_per_buyer_holds_however_often_they_press_at_once(stage: Stage) -> None:
    deal, buyer = await stage.sell(Deal(limit=3)), a_buyer()

    answers = await asyncio.gather(*(stage.place(deal, buyer) for _ in range(20)))

    assert Counter(answer.status_code for answer in answers) == {201: 3, 409: 17}
    answer = await stage.place(deal, buyer)
    assert code_of(answer) == (409, "buyer_limit_reached")
    assert answer.json()["left"] == 0
    assert await stage.stock(deal) == (3, 0)


async def test_a_first_order_above_the_limit_says_how_many_are_left(stage: Stage) -> None:
    deal = await stage.sell(Deal(limit=2))

    answer = await stage.place(deal, a_buyer(), quantity=3)

    assert code_of(answer) == (409, "buyer_limit_reached")
    assert answer.json()["left"] == 2


async def test_a_quota_below_what_is_sold_shows_nothing_left(stage: Stage) -> None:
    deal = await stage.sell()
    await stage.placed(deal, quantity=5)
    await stage.keep_deal(deal, version=2, quota=3)

    assert code_of(await stage.place(deal, a_buyer())) == (409, "deal_sold_out")


async def test_what_is_left_is_said_once_a_second_however_many_orders_come(stage: Stage) -> None:
    deal = await stage.sell()
    await stage.act("say_availability", deal.deal_id)
    for _ in range(5):
        await stage.placed(deal)
    due = await stage.timer("say_availability", deal.deal_id)
    assert due is not None
    assert due > stage.now() - timedelta(seconds=2)

    stage.later(seconds=2)
    await stage.act("say_availability", deal.deal_id)

    said = await stage.said(AvailabilityChanged, deal.deal_id)
    assert [(one.available, one.sold) for one in said] == [(100, 0), (95, 0)]
    assert said[0].version < said[1].version
    assert await stage.timer("say_availability", deal.deal_id) is None


async def test_orders_are_seen_by_their_buyer_the_merchants_staff_and_operators_only(stage: Stage) -> None:
    deal = await stage.sell()
    purchase = await stage.placed(deal)
    path = f"/orders/{purchase.order_id}"

    assert (await stage.get(await stage.staff(deal, StaffRole.CLERK), path)).status_code == 200
    assert (await stage.get(await stage.operator(), path)).status_code == 200
    assert code_of(await stage.get(a_buyer(), path)) == (404, "order_not_found")
    assert code_of(await stage.get(a_buyer(), f"/orders/{new_id()}")) == (404, "order_not_found")
    assert (await stage.http.get(path)).status_code == 401


async def test_a_buyers_list_is_paged_and_filtered(stage: Stage) -> None:
    deal, buyer = await stage.sell(), a_buyer()
    placed = [(await stage.placed(deal, buyer)).order_id for _ in range(5)]

    seen: list[UUID] = []
    path = "/orders?filter=to_pay&limit=2"
    while True:
        page = (await stage.get(buyer, path)).json()
        seen += [UUID(order["order_id"]) for order in page["items"]]
        if page["next_cursor"] is None:
            break
        path = f"/orders?filter=to_pay&limit=2&cursor={page['next_cursor']}"

    assert seen == placed[::-1]
    for other in ("to_use", "delivering", "refund"):
        assert (await stage.get(buyer, f"/orders?filter={other}")).json()["items"] == []
    assert code_of(await stage.get(buyer, "/orders?cursor=nonsense")) == (422, "cursor_invalid")
