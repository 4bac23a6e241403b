"""A campaign called off on the operator's pages, the merchant's list of orders, and the date of a refund."""

import httpx
import pytest

from tests.unit.web.conftest import SignIn, csrf_of, hidden
from tests.unit.web.town import HOTPOT, HOTPOT_MERCHANT, VOUCHER_ORDER, Town
from tests.unit.web.town.things import known_id

MASS = known_id("mass refund")


async def test_an_operator_calls_a_deal_off_once_however_often_the_form_is_sent(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("operator-one")
    page = (await browser.get(f"/o/mass-refunds?deal={HOTPOT}")).text
    assert "商家无法履约" in page
    form = {"csrf": csrf_of(page), "deal_id": HOTPOT, "reason": "门店失火"}
    form["mass_refund_id"] = hidden(page, "mass_refund_id")
    for _ in range(2):
        done = await browser.post("/o/mass-refunds", data=form)
        assert done.headers["location"] == f"/o/mass-refunds/{form['mass_refund_id']}"
    body = {"deal_id": HOTPOT, "reason": "门店失火", "units": "OPEN"}
    assert town.heard == [("PUT", f"/admin/mass-refunds/{form['mass_refund_id']}", body)] * 2
    assert (await browser.post("/o/mass-refunds", data={**form, "reason": ""})).status_code == 422


async def test_its_progress_is_shown_and_it_can_be_stopped(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("operator-one")
    page = (await browser.get(f"/o/mass-refunds/{MASS}")).text
    for shown in ("<dd>31</dd>", "<dd>18</dd>", "进行中"):
        assert shown in page
    done = await browser.post(f"/o/mass-refunds/{MASS}/stop", data={"csrf": csrf_of(page), "reason": "商家恢复营业"})
    assert done.status_code == 303
    assert town.heard == [("PUT", f"/admin/mass-refunds/{MASS}/stop", {"reason": "商家恢复营业"})]


@pytest.mark.parametrize(("query", "shown"), [("", True), ("&state=PAID", False), ("&state=CLOSED", False)])
async def test_the_merchant_lists_its_orders_without_the_buyers_account(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town, query: str, shown: bool
) -> None:
    await sign_in("merchant-hotpot")
    page = (await browser.get(f"/m/orders?merchant={HOTPOT_MERCHANT}{query}")).text
    order = town.orders[VOUCHER_ORDER]
    assert (order["order_no"] in page) == (shown or f"state={order['state']}" in query)
    assert "buyer-an" not in page
    assert ("b***an" in page) == (order["order_no"] in page)
    assert (await browser.get(f"/m/orders?merchant={HOTPOT_MERCHANT}&state=LOST")).status_code == 422


@pytest.mark.parametrize(
    ("refund", "day"),
    [
        (
            {"state": "SUCCEEDED", "succeeded_at": "2025-09-30T04:00:00Z", "money_back_by": "2025-10-11"},
            "2025-10-11",
        ),
        ({"state": "SENT", "expected_by": "2025-10-09", "money_back_by": "2025-10-10"}, "2025-10-10"),
        ({"state": "FENCING", "expected_by": "2025-10-09", "money_back_by": None}, "2025-10-09"),
    ],
)
async def test_an_order_says_by_when_the_money_is_back(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town, refund: dict[str, str], day: str
) -> None:
    facts = {"refund_id": known_id("refund"), "order_id": VOUCHER_ORDER, "cause": "CAMPAIGN", "amount_fen": 12800}
    town.orders[VOUCHER_ORDER]["refunds"] = [{**facts, **refund}]
    await sign_in("buyer-an")
    page = (await browser.get(f"/orders/{VOUCHER_ORDER}")).text
    assert f"不晚于 {day}" in page
    assert "活动取消" in page
    english = (await browser.get(f"/orders/{VOUCHER_ORDER}", headers={"accept-language": "en"})).text
    assert f"by {day}" in english


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("", {}),
        ("&from=&until=", {}),
        ("&from=2026-11-20", {"from": "2026-11-19T16:00:00+00:00"}),
        ("&until=2026-11-20", {"until": "2026-11-20T16:00:00+00:00"}),
        (
            "&from=2026-11-20&until=2026-11-20&state=PAID",
            {"from": "2026-11-19T16:00:00+00:00", "until": "2026-11-20T16:00:00+00:00", "state": "PAID"},
        ),
    ],
)
async def test_the_merchants_orders_are_listed_by_whole_days_in_shanghai(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town, query: str, asked: dict[str, str]
) -> None:
    await sign_in("merchant-hotpot")
    await browser.get(f"/m/orders?merchant={HOTPOT_MERCHANT}{query}")
    assert town.searched == [{**asked, "limit": "20"}]


async def test_days_states_and_deal_are_kept_when_one_of_them_changes(
    browser: httpx.AsyncClient, sign_in: SignIn
) -> None:
    await sign_in("merchant-hotpot")
    days = f"merchant={HOTPOT_MERCHANT}&deal={HOTPOT}&from=2026-11-20&until=2026-11-21"
    page = (await browser.get(f"/m/orders?{days}&state=PAID")).text
    assert f"/m/orders?{days}&amp;state=CLOSED" in page.replace("&amp;deal", "&deal").replace(
        "&amp;from", "&from"
    ).replace("&amp;until", "&until")
    assert 'name="from" value="2026-11-20"' in page
    assert 'name="until" value="2026-11-21"' in page
    assert [hidden(page, name) for name in ("state", "deal")] == ["PAID", HOTPOT]


@pytest.mark.parametrize("wrong", ["from=yesterday", "until=9999-12-31", "from=0001-01-01"])
async def test_a_day_that_is_none_is_refused(browser: httpx.AsyncClient, sign_in: SignIn, wrong: str) -> None:
    await sign_in("merchant-hotpot")
    assert (await browser.get(f"/m/orders?merchant={HOTPOT_MERCHANT}&{wrong}")).status_code == 422
