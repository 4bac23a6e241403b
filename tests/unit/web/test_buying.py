"""From the deal to the money: checkout, refusals, the cashier, the result."""

import re

import httpx
import pytest

from tests.unit.web.conftest import SignIn, csrf_of, hidden
from tests.unit.web.town import CARD, FRUIT, HOTPOT, VOUCHER, VOUCHER_ORDER, Refusal, Town

ADDRESS = {
    "name": "陈小姐",
    "phone": "13800138000",
    "province": "海南省",
    "city": "海口市",
    "district": "美兰区",
    "street": "海府路 1 号",
}


def form_of(page: str, **filled: str) -> dict[str, str]:
    fields = {name: hidden(page, name) for name in ("order_id", "attempt_id", "deal_version", "source")}
    return {"csrf": csrf_of(page), "quantity": "1", **fields, **filled}


async def test_buying_places_the_order_and_goes_to_the_cashier(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("buyer-an")
    form = form_of((await browser.get(f"/d/{HOTPOT}/buy?source=v1")).text, quantity="2")
    going = await browser.post(f"/d/{HOTPOT}/buy", data=form)
    assert [path for _, path, _ in town.heard] == [
        f"/orders/{form['order_id']}",
        f"/orders/{form['order_id']}/payments/{form['attempt_id']}",
    ]
    wanted = town.heard[0][2]
    assert wanted == {"deal_id": HOTPOT, "deal_version": 1, "quantity": 2, "delivery": None, "source": "v1"}
    assert f'content="0;url=https://pay.example/cashier?n={form["attempt_id"]}&amp;x=1"' in going.text


async def test_sending_the_form_twice_names_the_same_order(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("buyer-an")
    form = form_of((await browser.get(f"/d/{HOTPOT}/buy")).text)
    for _ in range(2):
        await browser.post(f"/d/{HOTPOT}/buy", data=form)
    assert len({path for _, path, _ in town.heard}) == 2


async def test_a_changed_price_is_shown_before_it_is_paid(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("buyer-an")
    form = form_of((await browser.get(f"/d/{HOTPOT}/buy")).text)
    town.deals[HOTPOT] |= {"price_fen": 13800, "deal_version": 2}
    town.refusals["/orders/"] = Refusal(412, "deal_version_changed", "团购已更新", deal_version=2, price_fen=13800)
    page = await browser.post(f"/d/{HOTPOT}/buy", data=form)
    assert "团购已更新" in page.text
    assert "请核对新的价格" in page.text
    assert "¥138.00" in page.text
    assert hidden(page.text, "deal_version") == "2"
    assert hidden(page.text, "order_id") != form["order_id"]


async def test_a_refusal_keeps_what_the_buyer_typed(browser: httpx.AsyncClient, sign_in: SignIn, town: Town) -> None:
    await sign_in("buyer-an")
    town.refusals["/orders/"] = Refusal(422, "phone_invalid", "手机号无效")
    form = form_of((await browser.get(f"/d/{FRUIT}/buy")).text, mode="COURIER", **ADDRESS)
    page = await browser.post(f"/d/{FRUIT}/buy", data=form)
    assert "手机号无效" in page.text
    assert 'value="海府路 1 号"' in page.text


async def test_goods_travel_to_the_address_with_an_international_phone(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("buyer-an")
    form = form_of((await browser.get(f"/d/{FRUIT}/buy")).text, mode="COURIER", **ADDRESS)
    await browser.post(f"/d/{FRUIT}/buy", data=form)
    delivery = town.heard[0][2]["delivery"]
    assert delivery["mode"] == "COURIER"
    assert delivery["address"]["phone"] == "+8613800138000"
    assert delivery["address"]["street"] == "海府路 1 号"


@pytest.mark.parametrize(
    ("mode", "quantity", "fee", "total"),
    [
        ("COURIER", "1", "¥6.00", "¥45.90"),
        ("INSTANT", "1", "¥12.00", "¥51.90"),
        ("INSTANT", "2", "¥12.00", "¥91.80"),
        ("INSTANT", "3", "免配送费", "¥119.70"),
        ("BALLOON", "1", "免配送费", "¥39.90"),
    ],
)
async def test_the_delivery_fee_follows_mode_and_threshold(
    browser: httpx.AsyncClient, sign_in: SignIn, mode: str, quantity: str, fee: str, total: str
) -> None:
    await sign_in("buyer-an")
    form = form_of((await browser.get(f"/d/{FRUIT}/buy")).text, mode=mode, quantity=quantity)
    page = (await browser.post(f"/d/{FRUIT}/buy", data=form)).text
    assert f">{fee}</span></li>" in page[page.index("data-fee-shown") :][:80]
    assert set(re.findall(r"data-total>([^<]+)<", page)) == {total}


async def test_the_page_knows_every_fee_and_the_threshold(browser: httpx.AsyncClient, sign_in: SignIn) -> None:
    await sign_in("buyer-an")
    page = (await browser.get(f"/d/{FRUIT}/buy")).text
    assert re.findall(r'value="(\w+)" data-fee="(\d+)"', page) == [
        ("COURIER", "600"),
        ("INSTANT", "1200"),
        ("SELF", "600"),
    ]
    assert 'data-free-from="9900"' in page
    assert "满 ¥99 免运费" in page


async def test_what_is_bought_is_named_in_the_words_of_its_form(browser: httpx.AsyncClient, sign_in: SignIn) -> None:
    await sign_in("buyer-an")
    card = (await browser.get(f"/d/{CARD}/buy")).text
    assert "共 5 次 · 合每次 ¥19.80" in card
    assert "每份 5 次" in card
    voucher = (await browser.get(f"/d/{VOUCHER}/buy")).text
    assert "面值 ¥100 · 满 ¥200 可用" in voucher
    assert "购买后不支持主动退款" in voucher


async def test_a_deal_without_a_limit_can_be_bought_up_to_ten_at_once(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    town.deals[HOTPOT]["per_buyer_limit"] = 0
    await sign_in("buyer-an")
    assert 'max="10"' in (await browser.get(f"/d/{HOTPOT}/buy")).text
    assert "不限购" in (await browser.get(f"/d/{HOTPOT}")).text


async def test_an_instant_courier_needs_the_buyers_position(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("buyer-an")
    form = form_of((await browser.get(f"/d/{FRUIT}/buy")).text, mode="INSTANT", **ADDRESS)
    assert "需要准确位置" in (await browser.post(f"/d/{FRUIT}/buy", data=form)).text
    for wrong in ("x", "91", "nan"):
        assert (
            "坐标有误"
            in (await browser.post(f"/d/{FRUIT}/buy", data={**form, "latitude": wrong, "longitude": "110"})).text
        )
    assert town.heard == []
    await browser.post(f"/d/{FRUIT}/buy", data={**form, "latitude": "20.02", "longitude": "110.35"})
    assert town.heard[0][2]["delivery"]["address"]["latitude"] == 20.02


async def test_an_incomplete_address_is_asked_for_again(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("buyer-an")
    form = form_of(
        (await browser.get(f"/d/{FRUIT}/buy")).text,
        mode="COURIER",
        **ADDRESS,
    )
    page = await browser.post(f"/d/{FRUIT}/buy", data={**form, "street": "  "})
    assert "请检查收货信息" in page.text
    assert town.heard == []


async def test_after_silence_the_same_form_is_the_same_order(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("buyer-an")
    form = form_of((await browser.get(f"/d/{HOTPOT}/buy")).text)
    town.silent = {"checkout"}
    page = await browser.post(f"/d/{HOTPOT}/buy", data=form)
    assert "订单系统暂时没有响应" in page.text
    assert "不会重复扣款" in page.text
    assert hidden(page.text, "order_id") == form["order_id"]
    assert hidden(page.text, "attempt_id") == form["attempt_id"]


async def test_more_than_ten_at_once_cannot_be_sent(browser: httpx.AsyncClient, sign_in: SignIn, town: Town) -> None:
    await sign_in("buyer-an")
    form = form_of((await browser.get(f"/d/{HOTPOT}/buy")).text, quantity="11")
    assert (await browser.post(f"/d/{HOTPOT}/buy", data=form)).status_code == 422
    assert town.heard == []


async def test_the_result_asks_again_until_the_order_knows(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("buyer-an")
    town.orders[VOUCHER_ORDER] |= {"state": "PLACED", "paid_at": None}
    waiting = (await browser.get(f"/orders/{VOUCHER_ORDER}/result")).text
    assert "正在确认支付" in waiting
    assert f'hx-get="/orders/{VOUCHER_ORDER}/result/status?asked=1" hx-trigger="load delay:2s"' in waiting
    town.orders[VOUCHER_ORDER] |= {"state": "PAID"}
    paid = (await browser.get(f"/orders/{VOUCHER_ORDER}/result/status?asked=1")).text
    assert "支付成功" in paid
    assert "hx-get" not in paid


async def test_after_a_minute_the_result_stops_asking_and_promises_no_double_charge(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("buyer-an")
    town.orders[VOUCHER_ORDER] |= {"state": "PLACED"}
    unsure = (await browser.get(f"/orders/{VOUCHER_ORDER}/result/status?asked=30")).text
    assert "不会重复扣款" in unsure
    assert "hx-get" not in unsure


async def test_a_silent_order_desk_leaves_the_result_waiting_instead_of_frightening(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("buyer-an")
    town.silent = {"checkout"}
    page = await browser.get(f"/orders/{VOUCHER_ORDER}/result")
    assert page.status_code == 200
    assert "正在确认支付" in page.text


async def test_an_order_that_was_closed_unpaid_says_that_nothing_was_charged(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("buyer-an")
    town.orders[VOUCHER_ORDER] |= {"state": "CLOSED"}
    assert "没有扣款" in (await browser.get(f"/orders/{VOUCHER_ORDER}/result")).text


async def test_a_buyer_of_a_voucher_may_leave_a_phone(browser: httpx.AsyncClient, sign_in: SignIn, town: Town) -> None:
    await sign_in("buyer-an")
    page = (await browser.get(f"/d/{HOTPOT}/buy")).text
    assert "手机号（选填）" in page
    await browser.post(f"/d/{HOTPOT}/buy", data=form_of(page, phone="138 0013 8000"))
    assert town.heard[0][2]["phone"] == "+8613800138000"
