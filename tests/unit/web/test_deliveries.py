"""One delivery at the merchant's desk: a tip, another carrier, and what leaving one costs, told before."""

import httpx
import pytest

from tests.unit.web.conftest import SignIn, csrf_of, hidden
from tests.unit.web.town import GOODS_ORDER, HOTPOT_MERCHANT, PARCEL, Refusal, Town, at
from tests.unit.web.town.carried import SECOND_TRY

PAGE = f"/m/deliveries/{GOODS_ORDER}"
DESK = f"{PAGE}?merchant={HOTPOT_MERCHANT}"


async def _form(browser: httpx.AsyncClient, path: str = PAGE) -> dict[str, str]:
    return {"csrf": csrf_of((await browser.get(path)).text), "parcel_id": PARCEL}


async def test_a_delivery_tells_who_carries_it_why_and_what_was_tried(
    browser: httpx.AsyncClient, sign_in: SignIn
) -> None:
    await sign_in("merchant-hotpot")
    page = (await browser.get(PAGE)).text
    for shown in (
        "达达",
        "等待骑手接单",
        "¥12.50",
        "综合成本最低",
        "¥16.00",
        "非所选配送方式",
        "来不及",
        "正在呼叫配送",
    ):
        assert shown in page
    for shown in ("第 1 单 · 闪送", "已取消", "未知，待核实 · 平台承担", "骑手：车坏了"):
        assert shown in page, "unknown is not zero, and somebody bears it"
    for button in ("加小费", "更换或取消配送"):
        assert button in page


async def test_riders_are_tipped_in_whole_yuan(browser: httpx.AsyncClient, sign_in: SignIn, town: Town) -> None:
    await sign_in("merchant-hotpot")
    form = {**await _form(browser), "attempt_id": SECOND_TRY, "yuan": "5"}
    back = await browser.post(f"{PAGE}/tip?merchant={HOTPOT_MERCHANT}", data=form)
    assert (back.status_code, back.headers["location"]) == (303, DESK)
    assert town.heard == [("PUT", f"/parcels/{PARCEL}/attempts/{SECOND_TRY}/tip", {"tip_fen": 500})]
    town.refusals["/tip"] = Refusal(409, "tips_not_taken", "该配送方不支持加小费")
    refused = await browser.post(f"{PAGE}/tip", data=form)
    assert refused.status_code == 409
    assert "该配送方不支持加小费" in refused.text


async def test_what_leaving_costs_is_told_before_it_is_confirmed(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("merchant-hotpot")
    page = (await browser.get(f"{PAGE}/leave")).text
    for shown in (
        "现在取消需付 ¥2.00",
        "由商家承担，不影响买家退款",
        "换一家配送",
        "闪送 ¥16.00",
        "自己配送",
        "不发货",
    ):
        assert shown in page
    assert "确认，并支付取消费 ¥2.00" in page
    assert town.heard == [], "looking changes nothing"


async def test_what_cannot_be_left_any_more_leads_back_to_the_delivery(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("merchant-hotpot")
    town.delivery |= {"state": "RECEIVED", "actions": []}
    answer = await browser.get(f"{PAGE}/leave")
    assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, PAGE)


@pytest.mark.parametrize("then", ["NEXT", "SELF"])
async def test_another_carrier_is_called_at_the_price_that_was_shown(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town, then: str
) -> None:
    await sign_in("merchant-hotpot")
    page = (await browser.get(f"{PAGE}/leave")).text
    shown = {name: hidden(page, name) for name in ("attempt_id", "most_fee_fen", "parcel_id")}
    back = await browser.post(f"{PAGE}/leave", data={**shown, "csrf": csrf_of(page), "then": then})
    assert (back.status_code, back.headers["location"]) == (303, DESK)
    (heard,) = town.heard
    assert heard == (
        "PUT",
        f"/parcels/{PARCEL}/attempts/{SECOND_TRY}/switch",
        {"to": then, "most_fee_fen": 200, "accept_unknown_fee": False},
    )


async def test_an_order_is_refused_with_its_reason_and_its_price(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("merchant-hotpot")
    form = {**await _form(browser, f"{PAGE}/leave"), "then": "REFUSE", "most_fee_fen": "200"}
    for reason, said in (("卖完了", "卖完了"), (" ", "商家拒单")):
        await browser.post(f"{PAGE}/leave", data={**form, "reason": reason})
        assert town.heard.pop() == (
            "PUT",
            f"/parcels/{PARCEL}/refusal",
            {"reason": said, "most_fee_fen": 200, "accept_unknown_fee": False},
        )


async def test_a_fee_that_nobody_knows_needs_a_yes_of_its_own(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("merchant-hotpot")
    town.cancel_terms |= {"fee_fen": None}
    page = (await browser.get(f"{PAGE}/leave")).text
    assert "取消费未知" in page
    assert 'name="unknown" value="true" required' in page
    form = {"csrf": csrf_of(page), "parcel_id": PARCEL, "attempt_id": SECOND_TRY, "most_fee_fen": "0", "then": "NEXT"}
    await browser.post(f"{PAGE}/leave", data={**form, "unknown": "true"})
    assert town.heard[-1][2] == {"to": "NEXT", "most_fee_fen": 0, "accept_unknown_fee": True}


async def test_leaving_is_free_where_it_is(browser: httpx.AsyncClient, sign_in: SignIn, town: Town) -> None:
    await sign_in("merchant-hotpot")
    town.cancel_terms |= {"fee_fen": 0}
    page = (await browser.get(f"{PAGE}/leave")).text
    assert "现在离开不收费" in page
    town.cancel_terms = {"attempt_id": None, "provider": None, "fee_fen": 0, "needs_confirmation": False}
    town.delivery |= {"actions": ["REFUSE"], "attempts": []}
    page = (await browser.get(f"{PAGE}/leave")).text
    assert "当前没有配送方承运" in page
    assert "换一家配送" not in page
    assert "不发货" in page


async def test_a_fee_that_changed_meanwhile_is_shown_again(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("merchant-hotpot")
    form = {**await _form(browser, f"{PAGE}/leave"), "attempt_id": SECOND_TRY, "most_fee_fen": "0", "then": "NEXT"}
    town.refusals["/switch"] = Refusal(409, "cancel_fee_unconfirmed", "取消该配送可能产生费用，请先确认", fee_fen=400)
    town.cancel_terms |= {"fee_fen": 400}
    again = await browser.post(f"{PAGE}/leave", data=form)
    assert again.status_code == 409
    assert "取消费已变化，请重新确认" in again.text
    assert hidden(again.text, "most_fee_fen") == "400"
    town.refusals["/switch"] = Refusal(409, "attempt_not_cancellable", "该配送单已无法取消")
    over = await browser.post(f"{PAGE}/leave", data=form)
    assert over.status_code == 409
    assert "该配送单已无法取消" in over.text


@pytest.mark.parametrize("what", ["search", "self-delivery"])
async def test_where_no_carrier_is_left_the_merchant_decides(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town, what: str
) -> None:
    await sign_in("merchant-hotpot")
    town.delivery |= {
        "dispatch_state": "MANUAL",
        "attempts": [],
        "actions": ["KEEP_WAITING", "DELIVER_OURSELVES", "REFUSE"],
    }
    page = (await browser.get(PAGE)).text
    for shown in ("暂无配送方可用", "继续等待", "自己配送", "不发货，退款"):
        assert shown in page
    back = await browser.post(f"{PAGE}/decision", data={"csrf": csrf_of(page), "parcel_id": PARCEL, "what": what})
    assert back.headers["location"] == DESK
    assert town.heard == [("PUT", f"/parcels/{PARCEL}/{what}", {})]


async def test_goods_that_came_back_are_confirmed(browser: httpx.AsyncClient, sign_in: SignIn, town: Town) -> None:
    await sign_in("merchant-hotpot")
    town.delivery |= {"state": "HANDED_OVER", "actions": ["CONFIRM_RETURN"]}
    form = {**await _form(browser), "what": "return"}
    assert "确认已退回" in (await browser.get(PAGE)).text
    assert (await browser.post(f"{PAGE}/decision", data=form)).status_code == 303
    assert town.heard == [("PUT", f"/parcels/{PARCEL}/return", {})]


@pytest.mark.parametrize("path", ["/m", "/m/orders"])
async def test_an_account_that_gets_no_orders_is_told_where_orders_are(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town, path: str
) -> None:
    await sign_in("merchant-hotpot")
    assert "暂停派单" not in (await browser.get(path)).text
    town.carrier_alerts = [
        {"provider": "dada", "account": "platform", "balance_short_since": at(hours=1), "disabled_since": None},
        {"provider": "ishansong", "account": "platform", "balance_short_since": None, "disabled_since": at(hours=1)},
    ]
    page = (await browser.get(path)).text
    for shown in ("达达 暂停派单", "余额不足", "闪送 暂停派单", "账户验证失败"):
        assert shown in page
    assert DESK in page, "and each delivery has its page"
    town.silent = {"dispatch"}
    assert (await browser.get(path)).status_code == 200
