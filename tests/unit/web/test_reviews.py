"""Refunds after use on the pages: the buyer asks and appeals, the merchant answers, the operator decides."""

from typing import Any

import httpx
import pytest

from services.web.gateways.checkout import Order
from services.web.order_status import disputable_units
from tests.unit.web.conftest import SignIn, csrf_of, hidden
from tests.unit.web.town import GOODS_ORDER, HOTPOT_MERCHANT, SECOND_UNIT, UNIT, VOUCHER_ORDER, Refusal, Town, at
from tests.unit.web.town.reviews import REFUND, refund, refused

ASK = f"/orders/{VOUCHER_ORDER}/after-use"
DESK = f"/m/reviews?merchant={HOTPOT_MERCHANT}"


def use_both(town: Town) -> None:
    """Both vouchers of the order are used."""
    units = [{**unit, "state": "USED"} for unit in town.orders[VOUCHER_ORDER]["units"]]
    town.orders[VOUCHER_ORDER] |= {"state": "FULFILLING", "units": units}


@pytest.mark.parametrize(
    ("kind", "states", "parcel", "expected"),
    [
        ("VOUCHER", ("OPEN", "OPEN"), None, 0),
        ("VOUCHER", ("USED", "OPEN"), None, 1),
        ("VOUCHER", ("USED", "FINAL"), None, 2),
        ("VOUCHER", ("REFUNDING", "REFUNDED"), None, 0),
        ("GOODS", ("OPEN",), "ACCEPTED", 0),
        ("GOODS", ("OPEN", "REFUNDING"), "HANDED_OVER", 1),
        ("GOODS", ("OPEN", "REFUNDED"), "DELIVERED", 1),
        ("GOODS", ("FINAL",), "RECEIVED", 1),
    ],
)
def test_what_was_used_or_has_left_may_be_asked_back(
    kind: str, states: tuple[str, ...], parcel: str | None, expected: int, town: Town
) -> None:
    units = [{"unit_id": UNIT, "state": state, "paid_fen": 12800} for state in states]
    order = Order.model_validate({**town.orders[VOUCHER_ORDER], "kind": kind, "units": units})
    assert len(disputable_units(order, parcel)) == expected


async def test_a_used_voucher_is_asked_back_with_a_reason_under_one_id(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("buyer-an")
    assert ASK not in (await browser.get(f"/orders/{VOUCHER_ORDER}")).text
    use_both(town)
    assert ASK in (await browser.get(f"/orders/{VOUCHER_ORDER}")).text
    page = (await browser.get(ASK)).text
    form = {"csrf": csrf_of(page), "refund_id": hidden(page, "refund_id"), "unit_ids": [UNIT, SECOND_UNIT]}
    assert (await browser.post(ASK, data=form | {"reason": " 毛肚不新鲜 "})).status_code == 303
    body = {"order_id": VOUCHER_ORDER, "unit_ids": [UNIT, SECOND_UNIT], "reason": "毛肚不新鲜"}
    assert town.heard == [("PUT", f"/refunds/{form['refund_id']}", body)]


@pytest.mark.parametrize(
    ("sent", "said"), [({"unit_ids": UNIT, "reason": "  "}, "请填写退款原因"), ({"reason": "x"}, "请至少选择一张券")]
)
async def test_a_request_without_units_or_reason_is_not_sent(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town, sent: dict[str, str], said: str
) -> None:
    await sign_in("buyer-an")
    use_both(town)
    page = (await browser.get(ASK)).text
    form = {"csrf": csrf_of(page), "refund_id": hidden(page, "refund_id"), **sent}
    again = await browser.post(ASK, data=form)
    assert said in again.text
    assert hidden(again.text, "refund_id") == form["refund_id"]
    assert town.heard == []


async def test_a_refused_request_says_why_and_keeps_what_was_written(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("buyer-an")
    use_both(town)
    town.refusals["/refunds/"] = Refusal(409, "review_period_over", "已超过使用后申请退款的期限")
    page = (await browser.get(ASK)).text
    form = {"csrf": csrf_of(page), "refund_id": hidden(page, "refund_id"), "unit_ids": UNIT, "reason": "毛肚不新鲜"}
    again = await browser.post(ASK, data=form)
    assert "已超过使用后申请退款的期限" in again.text
    assert "毛肚不新鲜" in again.text


@pytest.mark.parametrize("parcel", ["HANDED_OVER", "DELIVERED"])
async def test_goods_that_have_left_can_be_asked_back(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town, parcel: str
) -> None:
    await sign_in("buyer-an")
    town.parcel |= {"state": parcel}
    town.orders[GOODS_ORDER]["delivery"]["parcel_state"] = parcel
    assert f"/orders/{GOODS_ORDER}/after-use" in (await browser.get(f"/orders/{GOODS_ORDER}")).text
    form = (await browser.get(f"/orders/{GOODS_ORDER}/after-use")).text
    assert 'name="unit_ids"' in form
    assert "审核期间配送照常进行" in form


async def test_a_refund_that_the_hand_over_overtook_is_shown_as_with_the_merchant(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("buyer-an")
    town.parcel |= {"state": "HANDED_OVER"}
    units = [{**unit, "state": "REFUNDING"} for unit in town.orders[GOODS_ORDER]["units"]]
    asked = refund("IN_REVIEW") | {"cause": "BUYER", "order_id": GOODS_ORDER}
    town.orders[GOODS_ORDER] |= {"units": units, "refunds": [asked]}
    page = (await browser.get(f"/orders/{GOODS_ORDER}")).text
    for words in ("售后处理中", "商家审核中", "商家处理截止"):
        assert words in page
    assert "商品已发出" not in page, "no dead end"


async def test_goods_that_are_not_sent_yet_warn_that_a_rider_may_be_faster(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("buyer-an")
    town.orders[GOODS_ORDER]["delivery"]["parcel_state"] = "ACCEPTED"
    assert "退款须经商家审核" in (await browser.get(f"/orders/{GOODS_ORDER}/refund")).text
    assert "退款须经商家审核" not in (await browser.get(f"/orders/{VOUCHER_ORDER}/refund")).text


@pytest.mark.parametrize("said", [{}, refused(appeal_text="只上了一半")])
async def test_a_review_that_ended_because_the_goods_will_not_arrive_says_so(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town, said: dict[str, Any]
) -> None:
    await sign_in("buyer-an")
    town.orders[GOODS_ORDER]["refunds"] = [refund("APPROVED", **said) | {"undelivered": True}]
    page = (await browser.get(f"/orders/{GOODS_ORDER}")).text
    assert "商品未能送达，直接退款" in page
    assert "商家超时未处理，视为同意" not in page


@pytest.mark.parametrize(
    ("state", "said", "shown"),
    [
        ("IN_REVIEW", {}, ("商家审核中", "商家处理截止", "毛肚不新鲜")),
        ("CONTESTED", refused(), ("商家不同意", "已全部上齐", "申诉截止", "向平台申诉")),
        ("IN_ARBITRATION", refused(appeal_text="只上了一半"), ("平台仲裁中", "只上了一半")),
        ("APPROVED", {}, ("商家超时未处理，视为同意",)),
        ("REFUSED", refused(appeal_text="x", upheld=False, arbitration_reason="照片无关"), ("未通过", "照片无关")),
    ],
)
async def test_the_order_tells_where_its_review_stands(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town, state: str, said: dict[str, Any], shown: tuple[str, ...]
) -> None:
    await sign_in("buyer-an")
    town.orders[VOUCHER_ORDER]["refunds"] = [refund(state, **said)]
    page = (await browser.get(f"/orders/{VOUCHER_ORDER}")).text
    for words in shown:
        assert words in page
    assert ("/appeal" in page) == (state == "CONTESTED")
    assert ("不晚于" in page) == (state == "APPROVED"), "money is expected only once it goes"


async def test_the_buyer_appeals_from_the_order(browser: httpx.AsyncClient, sign_in: SignIn, town: Town) -> None:
    await sign_in("buyer-an")
    town.orders[VOUCHER_ORDER]["refunds"] = [refund("CONTESTED", **refused())]
    csrf = csrf_of((await browser.get(f"/orders/{VOUCHER_ORDER}")).text)
    path = f"/orders/{VOUCHER_ORDER}/refunds/{REFUND}/appeal"
    assert (await browser.post(path, data={"csrf": csrf, "text": "只上了一半的菜"})).status_code == 303
    assert town.heard == [("PUT", f"/refunds/{REFUND}/appeal", {"text": "只上了一半的菜"})]


@pytest.mark.parametrize(
    ("agreed", "reason", "body"),
    [
        ("yes", "", {"agreed": True, "reason": None}),
        ("no", " 已全部上齐 ", {"agreed": False, "reason": "已全部上齐"}),
    ],
)
async def test_the_merchant_answers_at_the_desk(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town, agreed: str, reason: str, body: dict[str, Any]
) -> None:
    await sign_in("merchant-hotpot")
    town.orders[VOUCHER_ORDER]["refunds"] = [refund("IN_REVIEW")]
    assert DESK in (await browser.get("/m")).text
    page = (await browser.get(DESK)).text
    for shown in ("b***an", "毛肚不新鲜", "¥128", "商家处理截止"):
        assert shown in page
    path = f"/m/reviews/{REFUND}?merchant={HOTPOT_MERCHANT}"
    done = await browser.post(path, data={"csrf": csrf_of(page), "agreed": agreed, "reason": reason})
    assert done.headers["location"] == DESK
    assert town.heard == [("PUT", f"/refunds/{REFUND}/review", body)]


async def test_a_merchant_who_was_too_late_is_told(browser: httpx.AsyncClient, sign_in: SignIn, town: Town) -> None:
    await sign_in("merchant-hotpot")
    town.orders[VOUCHER_ORDER]["refunds"] = [refund("IN_REVIEW")]
    town.refusals["/review"] = Refusal(409, "review_not_open", "该退款已处理或已超时，无法再审核", state="APPROVED")
    csrf = csrf_of((await browser.get(DESK)).text)
    path = f"/m/reviews/{REFUND}?merchant={HOTPOT_MERCHANT}"
    again = await browser.post(path, data={"csrf": csrf, "agreed": "no", "reason": "x"})
    assert (again.status_code, "已处理或已超时" in again.text) == (409, True)


async def test_reviews_are_filtered_by_state_and_only_open_ones_have_buttons(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("merchant-hotpot")
    town.orders[VOUCHER_ORDER]["refunds"] = [refund("CONTESTED", **refused())]
    page = (await browser.get(f"{DESK}&state=CONTESTED")).text
    assert 'name="agreed"' not in page
    assert "毛肚不新鲜" in page
    assert "没有售后申请" in (await browser.get(f"{DESK}&state=IN_REVIEW")).text
    assert (await browser.get(f"{DESK}&state=nonsense")).status_code == 422


@pytest.mark.parametrize("upheld", ["yes", "no"])
async def test_the_operator_decides_an_appeal(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town, upheld: str
) -> None:
    await sign_in("operator-one")
    said = refused(appeal_text="只上了一半的菜", appealed_at=at(hours=1))
    town.orders[VOUCHER_ORDER]["refunds"] = [refund("IN_ARBITRATION", **said)]
    assert "/o/arbitrations" in (await browser.get("/o")).text
    page = (await browser.get("/o/arbitrations")).text
    for shown in ("只上了一半的菜", "已全部上齐", "毛肚不新鲜", "老码头火锅", "b***an"):
        assert shown in page
    form = {"csrf": csrf_of(page), "upheld": upheld, "reason": "照片可信"}
    assert (await browser.post(f"/o/arbitrations/{REFUND}", data=form)).status_code == 303
    assert town.heard == [("PUT", f"/refunds/{REFUND}/arbitration", {"upheld": upheld == "yes", "reason": "照片可信"})]


async def test_an_operator_who_was_too_late_is_told(browser: httpx.AsyncClient, sign_in: SignIn, town: Town) -> None:
    await sign_in("operator-one")
    town.orders[VOUCHER_ORDER]["refunds"] = [refund("IN_ARBITRATION", **refused(appeal_text="x"))]
    town.refusals["/arbitration"] = Refusal(409, "arbitration_not_open", "该申诉已裁定，或尚未提出", state="REFUSED")
    csrf = csrf_of((await browser.get("/o/arbitrations")).text)
    again = await browser.post(f"/o/arbitrations/{REFUND}", data={"csrf": csrf, "upheld": "yes", "reason": "x"})
    assert (again.status_code, "该申诉已裁定" in again.text) == (409, True)


async def test_the_statement_shows_what_is_held_and_why(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("merchant-hotpot")
    town.disputed = True
    page = (await browser.get(f"/m/statement?merchant={HOTPOT_MERCHANT}")).text
    assert "售后审核中，暂缓结算" in page
    assert "另有 1 笔 ¥128.00 售后审核中" in page
