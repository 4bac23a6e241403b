"""Orders, the ticket, the parcel, the refund."""

import base64
import re

import httpx
import pytest

from services.web.gateways.checkout import Order
from services.web.order_status import refundable_units, status_of
from tests.unit.web.conftest import SignIn, csrf_of, hidden
from tests.unit.web.town import CODE, GOODS_ORDER, PARCEL, SECOND_UNIT, UNIT, VOUCHER_ORDER, Refusal, Town, at


async def test_the_ticket_shows_qr_barcode_and_code(browser: httpx.AsyncClient, sign_in: SignIn) -> None:
    await sign_in("buyer-an")
    page = (await browser.get(f"/orders/{VOUCHER_ORDER}")).text
    assert "8371 4620 5519" in page
    assert f'data-copy="{CODE}"' in page
    assert "请在 2027-02-20 前到店出示券码" in page
    images = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', page)
    assert len(images) == 2
    assert all(base64.b64decode(image).startswith(b"<svg") for image in images)
    assert 'hx-trigger="every 50s, seen-again from:body"' in page


async def test_another_voucher_of_the_order_can_be_shown(browser: httpx.AsyncClient, sign_in: SignIn) -> None:
    await sign_in("buyer-an")
    piece = (await browser.get(f"/orders/{VOUCHER_ORDER}/ticket", params={"unit": SECOND_UNIT})).text
    assert "9055 1234 0087" in piece
    assert "8371 4620 5519" not in piece


async def test_a_used_voucher_shows_when_and_where_instead_of_its_code(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("buyer-an")
    spent = {
        "state": "USED",
        "code": None,
        "qr_svg": None,
        "barcode_svg": None,
        "used_at": at(),
        "used_store_name": "国贸店",
    }
    town.certificates = [town.certificates[0] | spent]
    page = (await browser.get(f"/orders/{VOUCHER_ORDER}")).text
    assert "国贸店" in page
    assert "已使用" in page
    assert "8371 4620 5519" not in page


async def test_a_voucher_desk_that_is_silent_leaves_the_old_ticket_on_the_screen(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("buyer-an")
    town.silent = {"redemption"}
    assert (await browser.get(f"/orders/{VOUCHER_ORDER}/ticket")).status_code == 204
    assert "券码生成中" in (await browser.get(f"/orders/{VOUCHER_ORDER}")).text


async def test_a_ticket_that_is_not_issued_yet_asks_again(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("buyer-an")
    town.certificates = []
    assert 'hx-trigger="load delay:2s"' in (await browser.get(f"/orders/{VOUCHER_ORDER}")).text


async def test_goods_show_their_way_and_the_receive_code(browser: httpx.AsyncClient, sign_in: SignIn) -> None:
    await sign_in("buyer-an")
    page = (await browser.get(f"/orders/{GOODS_ORDER}")).text
    for shown in ("402 817", "阿强", "骑手已取件", "配送中", "138****8000"):
        assert shown in page
    assert f"/orders/{GOODS_ORDER}/refund" not in page, "goods under way are not refunded by a button"


async def test_goods_under_way_show_where_they_are_and_nothing_else_does(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("buyer-an")
    page = (await browser.get(f"/orders/{GOODS_ORDER}")).text
    for shown in ("商品配送中", "距您 约 1.2 km", "约 5 分钟送达", "139****0001"):
        assert shown in page
    town.parcel |= {"position": None, "phase": "FINDING_RIDER", "text_zh": "正在安排配送员", "rider": None}
    page = (await browser.get(f"/orders/{GOODS_ORDER}")).text
    assert "正在安排配送员" in page
    assert "距您" not in page
    town.parcel |= {"phase": "PROBLEM", "text_zh": "配送遇到问题，正在处理"}
    assert "配送遇到问题，正在处理" in (await browser.get(f"/orders/{GOODS_ORDER}")).text


async def test_the_photo_at_the_door_is_the_buyers_to_see(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("buyer-an")
    photo = f"/orders/{GOODS_ORDER}/delivery-photo"
    assert photo not in (await browser.get(f"/orders/{GOODS_ORDER}")).text
    town.parcel |= {"state": "DELIVERED", "phase": "DELIVERED", "has_photo": True, "proof": "PHOTO", "position": None}
    page = (await browser.get(f"/orders/{GOODS_ORDER}")).text
    assert photo in page
    assert "商品配送中" not in page
    shown = await browser.get(photo)
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/png")
    assert "no-store" in shown.headers["cache-control"]
    town.photo_type = "text/html"
    assert (await browser.get(photo)).status_code == 404, "nothing but a picture is passed on"


async def test_goods_handed_over_for_a_code_say_so(browser: httpx.AsyncClient, sign_in: SignIn, town: Town) -> None:
    await sign_in("buyer-an")
    town.parcel |= {"state": "DELIVERED", "phase": "DELIVERED", "proof": "CODE", "position": None}
    assert "凭收货码签收" in (await browser.get(f"/orders/{GOODS_ORDER}")).text


async def test_delivered_goods_are_received_by_a_button(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("buyer-an")
    town.parcel |= {"state": "DELIVERED"}
    page = (await browser.get(f"/orders/{GOODS_ORDER}")).text
    assert "确认收货" in page
    form = {"csrf": csrf_of(page), "parcel_id": hidden(page, "parcel_id")}
    assert (await browser.post(f"/orders/{GOODS_ORDER}/receipt", data=form)).status_code == 303
    assert town.heard == [("PUT", f"/parcels/{PARCEL}/receipt", {})]


async def test_an_unpaid_order_can_still_be_paid(browser: httpx.AsyncClient, sign_in: SignIn, town: Town) -> None:
    await sign_in("buyer-an")
    town.orders[VOUCHER_ORDER] |= {"state": "PLACED", "paid_at": None}
    page = (await browser.get(f"/orders/{VOUCHER_ORDER}")).text
    assert "待付款" in page
    form = {"csrf": csrf_of(page), "attempt_id": hidden(page, "attempt_id")}
    assert "pay.example" in (await browser.post(f"/orders/{VOUCHER_ORDER}/pay", data=form)).text


async def test_a_refund_of_one_voucher_is_asked_for_under_one_id(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("buyer-an")
    page = (await browser.get(f"/orders/{VOUCHER_ORDER}/refund")).text
    assert "1–3 个工作日" in page
    form = {"csrf": csrf_of(page), "refund_id": hidden(page, "refund_id"), "unit_ids": UNIT, "reason": "plans_changed"}
    assert (await browser.post(f"/orders/{VOUCHER_ORDER}/refund", data=form)).status_code == 303
    method, path, body = town.heard[0]
    assert (method, path) == ("PUT", f"/refunds/{form['refund_id']}")
    assert body == {"order_id": VOUCHER_ORDER, "unit_ids": [UNIT], "reason": "计划有变"}
    assert "已申请" in (await browser.get(f"/orders/{VOUCHER_ORDER}")).text


async def test_a_refund_of_nothing_is_not_sent(browser: httpx.AsyncClient, sign_in: SignIn, town: Town) -> None:
    await sign_in("buyer-an")
    page = (await browser.get(f"/orders/{VOUCHER_ORDER}/refund")).text
    form = {"csrf": csrf_of(page), "refund_id": hidden(page, "refund_id"), "reason": "other"}
    assert "请至少选择一张券" in (await browser.post(f"/orders/{VOUCHER_ORDER}/refund", data=form)).text
    assert town.heard == []


async def test_a_refused_refund_says_why(browser: httpx.AsyncClient, sign_in: SignIn, town: Town) -> None:
    await sign_in("buyer-an")
    town.refusals["/refunds/"] = Refusal(409, "certificate_used", "券已使用")
    page = (await browser.get(f"/orders/{VOUCHER_ORDER}/refund")).text
    form = {"csrf": csrf_of(page), "refund_id": hidden(page, "refund_id"), "unit_ids": UNIT, "reason": "other"}
    assert "券已使用" in (await browser.post(f"/orders/{VOUCHER_ORDER}/refund", data=form)).text


async def test_an_order_desk_that_is_silent_shows_a_page_and_no_refund_is_asked_twice(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("buyer-an")
    page = (await browser.get(f"/orders/{VOUCHER_ORDER}/refund")).text
    form = {"csrf": csrf_of(page), "refund_id": hidden(page, "refund_id"), "unit_ids": UNIT, "reason": "other"}
    town.refusals["/refunds/"] = Refusal(502, "bad_gateway", "")
    again = await browser.post(f"/orders/{VOUCHER_ORDER}/refund", data=form)
    assert "订单系统暂时没有响应" in again.text
    assert hidden(again.text, "refund_id") == form["refund_id"]


async def test_orders_are_listed_by_what_they_wait_for(browser: httpx.AsyncClient, sign_in: SignIn) -> None:
    await sign_in("buyer-an")
    page = (await browser.get("/orders", params={"filter": "to_use"})).text
    assert 'href="/orders?filter=to_use" aria-current="page"' in page
    assert "待使用" in page
    assert (await browser.get("/orders", params={"filter": "nonsense"})).status_code == 422


REVIEWED = {"refund_id": UNIT, "order_id": VOUCHER_ORDER, "state": "IN_REVIEW"}


@pytest.mark.parametrize(
    ("changes", "units", "parcel", "status", "refundable"),
    [
        ({"state": "PLACED"}, ("OPEN", "OPEN"), None, "to_pay", 0),
        ({"state": "PAID"}, ("OPEN", "OPEN"), None, "to_use", 2),
        ({"state": "FULFILLING"}, ("USED", "OPEN"), None, "to_use", 1),
        ({"state": "FULFILLING"}, ("REFUNDING", "OPEN"), None, "to_use", 1),
        ({"state": "PAID"}, ("REFUNDING", "REFUNDING"), None, "refunding", 0),
        ({"state": "PAID", "refunds": [REVIEWED]}, ("REFUNDING",), None, "reviewing", 0),
        ({"state": "PAID"}, ("REFUNDED", "REFUNDED"), None, "refunded", 0),
        ({"state": "COMPLETED"}, ("FINAL", "REFUNDED"), None, "used", 0),
        ({"state": "CLOSED"}, ("OPEN", "OPEN"), None, "closed", 0),
        ({"state": "CLOSED", "refunded_fen": 25600}, ("OPEN", "OPEN"), None, "refunded", 0),
        ({"state": "PAID", "kind": "GOODS"}, ("OPEN",), "PLACED", "preparing", 1),
        ({"state": "PAID", "kind": "GOODS"}, ("OPEN",), "ACCEPTED", "preparing", 1),
        ({"state": "FULFILLING", "kind": "GOODS"}, ("OPEN",), "HANDED_OVER", "delivering", 0),
        ({"state": "FULFILLING", "kind": "GOODS"}, ("OPEN",), "DELIVERED", "delivered", 0),
        ({"state": "FULFILLING", "kind": "GOODS"}, ("OPEN", "REFUNDING"), "DISPUTED", "reviewing", 0),
        ({"state": "COMPLETED", "kind": "GOODS"}, ("FINAL",), "RECEIVED", "done", 0),
    ],
)
def test_one_word_tells_the_buyer_where_the_order_stands(
    changes: dict[str, object], units: tuple[str, ...], parcel: str | None, status: str, refundable: int, town: Town
) -> None:
    bought = [{"unit_id": UNIT, "state": state, "paid_fen": 12800} for state in units]
    order = Order.model_validate({**town.orders[VOUCHER_ORDER], "units": bought, **changes})
    assert status_of(order, parcel) == status
    assert len(refundable_units(order, parcel)) == refundable


async def test_a_card_says_how_many_uses_are_left_and_what_they_are_worth(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("buyer-an")
    unit = {**town.orders[VOUCHER_ORDER]["units"][0], "paid_fen": 1000, "uses": 3, "uses_left": 2}
    town.orders[VOUCHER_ORDER] |= {"form": "TIMES_CARD", "units": [unit]}
    assert "剩余 2 次，共 3 次" in (await browser.get(f"/orders/{VOUCHER_ORDER}")).text
    refund = (await browser.get(f"/orders/{VOUCHER_ORDER}/refund")).text
    # 3.34 + 3.33 + 3.33 were paid for the uses, and the first is used.
    assert 'data-fen="666"' in refund
    assert "¥6.66 · 剩余 2 次，共 3 次" in refund


async def test_a_cash_voucher_says_its_worth_in_the_order(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("buyer-an")
    town.orders[VOUCHER_ORDER] |= {"form": "CASH_VOUCHER", "cash": {"face_value_fen": 10000, "threshold_fen": 20000}}
    assert "面值 ¥100 · 满 ¥200 可用" in (await browser.get(f"/orders/{VOUCHER_ORDER}")).text


async def test_what_is_refunded_on_expiry_only_offers_no_refund(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("buyer-an")
    assert "申请退款" in (await browser.get(f"/orders/{VOUCHER_ORDER}")).text
    town.orders[VOUCHER_ORDER] |= {"refund_policy": "ON_EXPIRY"}
    page = (await browser.get(f"/orders/{VOUCHER_ORDER}")).text
    assert "申请退款" not in page
    assert "过期自动退" in page


@pytest.mark.parametrize("form", ["SET", "CASH_VOUCHER", "TIMES_CARD", "THIRD_PARTY_CODE"])
async def test_the_ticket_is_shown_for_every_form_that_is_used_in_a_store(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town, form: str
) -> None:
    await sign_in("buyer-an")
    town.orders[VOUCHER_ORDER] |= {"form": form}
    assert "8371 4620 5519" in (await browser.get(f"/orders/{VOUCHER_ORDER}")).text


async def test_a_refund_that_nobody_asked_for_says_why(browser: httpx.AsyncClient, sign_in: SignIn, town: Town) -> None:
    await sign_in("buyer-an")
    refund = {"refund_id": UNIT, "order_id": VOUCHER_ORDER, "state": "SENT", "cause": "RECALLED", "amount_fen": 12800}
    town.orders[VOUCHER_ORDER]["refunds"] = [refund]
    assert "门店或商家停业，自动退款" in (await browser.get(f"/orders/{VOUCHER_ORDER}")).text
