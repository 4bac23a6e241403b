"""Lists of orders: each filter shows what it says, to those whom it concerns, by an index of its own."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest

from services.checkout.consumers import losses
from services.checkout.domain.orders import OrderState
from services.checkout.store.order_lists import Wanted, question
from shared.contracts.catalog import DealKind, StaffRole
from shared.database import Transaction
from shared.ids import new_id
from tests.integration.checkout.catalog_side import Deal
from tests.integration.checkout.channel_side import WHOLE, found
from tests.integration.checkout.redemption_side import fenced, finish, use
from tests.integration.checkout.stage import ADDRESS, Stage, a_buyer, code_of

pytestmark = pytest.mark.usefixtures("alipay_sandbox")


async def ids(stage: Stage, who: str, path: str) -> list[UUID]:
    answer = await stage.get(who, path)
    assert answer.status_code == 200, answer.text
    return [UUID(one["order_id"]) for one in answer.json()["items"]]


async def test_each_filter_of_the_buyer_shows_what_it_says(stage: Stage) -> None:
    buyer, deal, goods = a_buyer(), await stage.sell(), await stage.sell(Deal(kind=DealKind.GOODS))
    to_pay = await stage.placed(deal, buyer)
    to_use, used, refunding, back, outside, outside_used = [await stage.paid(deal, buyer) for _ in range(6)]
    parcel = await stage.paid(goods, buyer)
    await finish(stage, await use(stage, used, (await used.unit_ids())[0]))
    await refunding.refunding()
    await stage.act("send_refund", await fenced(stage, back))
    await finish(stage, await use(stage, outside_used, (await outside_used.unit_ids())[0]))
    for purchase in (outside, outside_used):
        await losses.record_external_refund(found(stage, purchase, WHOLE), stage.db)
    shown = {
        "all": [parcel, outside_used, outside, back, refunding, used, to_use, to_pay],
        "to_pay": [to_pay],
        "to_use": [to_use],
        "delivering": [parcel],
        "refund": [outside_used, outside, back, refunding],
    }
    for name, purchases in shown.items():
        assert await ids(stage, buyer, f"/orders?filter={name}") == [one.order_id for one in purchases], name
    assert await ids(stage, a_buyer(), "/orders") == []


async def test_the_merchants_staff_find_its_orders_by_state_deal_and_time(stage: Stage) -> None:
    deal = await stage.sell()
    other = await stage.sell(Deal(merchant_id=deal.merchant_id))
    clerk = await stage.staff(deal, StaffRole.CLERK)
    placed = await stage.placed(deal)
    stage.later(minutes=1)
    between = stage.now()
    paid, elsewhere = await stage.paid(deal), await stage.paid(other)
    await stage.paid()
    path = f"/merchants/{deal.merchant_id}/orders"
    moment = quote(between.isoformat())
    everything = [elsewhere.order_id, paid.order_id, placed.order_id]
    table = {
        "": everything,
        "?state=PLACED": [placed.order_id],
        "?state=PAID": [elsewhere.order_id, paid.order_id],
        "?state=CLOSED": [],
        f"?deal_id={other.deal_id}": [elsewhere.order_id],
        f"?deal_id={deal.deal_id}&state=PAID": [paid.order_id],
        f"?from={moment}": [elsewhere.order_id, paid.order_id],
        f"?until={moment}": [placed.order_id],
        f"?from={moment}&until={moment}": [],
    }
    for query, expected in table.items():
        assert await ids(stage, clerk, path + query) == expected, query

    pages, cursor = [], ""
    for _ in range(3):
        page = (await stage.get(clerk, f"{path}?limit=1{cursor}")).json()
        pages += [UUID(one["order_id"]) for one in page["items"]]
        cursor = f"&cursor={page['next_cursor']}"
    assert (pages, page["next_cursor"]) == (everything, None)


async def test_staff_see_neither_buyer_nor_phone_nor_street(stage: Stage) -> None:
    deal = await stage.sell(Deal(kind=DealKind.GOODS))
    purchase = await stage.paid(deal)
    order_no = (await purchase.view())["order_no"]
    answers = [
        await stage.get(await stage.staff(deal, StaffRole.OWNER), f"/merchants/{deal.merchant_id}/orders"),
        await stage.get(await stage.operator(), f"/admin/orders?order_no={order_no}"),
    ]
    for answer in answers:
        (order,) = answer.json()["items"]
        assert (order["delivery"]["masked_phone"], order["masked_buyer"][0]) == ("138****8000", purchase.buyer[0])
        for secret in (purchase.buyer, "13800138000", "138 0013 8000", ADDRESS["street"], ADDRESS["name"]):
            assert str(secret) not in answer.text


async def test_operators_find_an_order_by_its_number_or_by_the_channels(stage: Stage) -> None:
    purchase, operator = await stage.paid(), await stage.operator()
    order_no = (await purchase.view())["order_no"]
    for query in (
        f"order_no={order_no}",
        f"out_trade_no={purchase.out_trade_no}",
        f"order_no={order_no}&out_trade_no={purchase.out_trade_no}",
    ):
        assert await ids(stage, operator, f"/admin/orders?{query}") == [purchase.order_id], query
    assert await ids(stage, operator, "/admin/orders?order_no=1") == []
    assert await ids(stage, operator, f"/admin/orders?out_trade_no={new_id().hex}") == []


@pytest.mark.parametrize(
    ("who", "path", "refusal"),
    [
        ("buyer", "/merchants/{merchant}/orders", (403, "forbidden")),
        ("stranger", "/merchants/{merchant}/orders", (403, "forbidden")),
        ("clerk", "/merchants/{merchant}/orders?state=LOST", (422, "malformed_input")),
        ("clerk", "/merchants/{merchant}/orders?from=2026-11-22T08:00:00", (422, "malformed_input")),
        ("clerk", "/merchants/{merchant}/orders?cursor=x", (422, "cursor_invalid")),
        ("clerk", "/admin/orders?order_no=1", (403, "forbidden")),
        ("operator", "/admin/orders", (422, "search_too_wide")),
        ("operator", "/admin/orders?order_no=1%27", (422, "malformed_input")),
        ("operator", "/admin/orders?out_trade_no=zz", (422, "malformed_input")),
    ],
)
async def test_lists_are_refused(stage: Stage, who: str, path: str, refusal: tuple[int, str]) -> None:
    deal = await stage.sell()
    people = {
        "buyer": (await stage.placed(deal)).buyer,
        "stranger": await stage.staff(await stage.sell(), StaffRole.OWNER),
        "clerk": await stage.staff(deal, StaffRole.CLERK),
        "operator": await stage.operator(),
    }
    assert code_of(await stage.get(people[who], path.format(merchant=deal.merchant_id))) == refusal


class NotKept(Exception):
    pass


async def _fill(tx: Transaction, merchant_id: UUID, deal_id: UUID) -> None:
    """One merchant with half of thirty thousand orders, few of them in each state but one."""
    await tx.execute(
        """insert into orders (order_id, order_no, state, buyer, merchant_id, deal_id, deal_version, kind, title, cover,
             quantity, unit_price_fen, total_fen, rules, store_ids, request_digest, placed_at, expires_at, paid_at,
             closed_at)
           select gen_random_uuid(), 'x' || n, s.state, 'b' || n % 5000,
             case when n % 2 = 0 then $1::uuid else gen_random_uuid() end,
             case when n % 200 = 0 then $2::uuid else gen_random_uuid() end,
             1, 'VOUCHER', 't', 'c', 1, 1, 1, '{}', '{}', '', now() - n * interval '1 minute', now(),
             case when s.state = 'COMPLETED' then now() end, case when s.state = 'CLOSED' then now() end
           from generate_series(1, 30000) n,
             lateral (select case when n % 300 = 0 then 'CLOSED' else 'COMPLETED' end as state) s""",
        merchant_id,
        deal_id,
    )
    await tx.execute("analyze orders")


@pytest.mark.parametrize(
    ("facts", "index"),
    [
        ({}, "orders_merchant_id_placed_at_order_id_idx"),
        ({"state": OrderState.CLOSED}, "orders_merchant_id_state_placed_at_order_id_idx"),
        ({"deal": True}, "orders_deal_id_placed_at_order_id_idx"),
        (
            {"placed_from": datetime(2026, 1, 1, tzinfo=UTC), "placed_until": datetime(2099, 1, 1, tzinfo=UTC)},
            "orders_merchant_id_placed_at_order_id_idx",
        ),
    ],
)
@pytest.mark.parametrize("further", [False, True])
async def test_each_list_reads_its_index_and_sorts_nothing(
    stage: Stage, facts: dict[str, Any], index: str, further: bool
) -> None:
    merchant_id, deal_id = new_id(), new_id()
    more = {**facts, "deal_id": deal_id} if facts.get("deal") else dict(facts)
    more.pop("deal", None)
    before = (stage.now() - timedelta(days=1), new_id()) if further else None
    statement, values = question(Wanted(merchant_id, **more), before, 21)
    plan = await _plan(stage, merchant_id, deal_id, statement, values)
    assert index in plan
    assert "Sort" not in plan
    assert "Seq Scan" not in plan


async def _plan(stage: Stage, merchant_id: UUID, deal_id: UUID, statement: str, values: list[Any]) -> str:
    """How the database would answer among many orders, none of which stays."""
    try:
        async with stage.db.transaction() as tx:
            await _fill(tx, merchant_id, deal_id)
            rows = await tx.fetch(f"explain {statement}", *values)
            raise NotKept("\n".join(row[0] for row in rows))
    except NotKept as plan:
        return str(plan)
