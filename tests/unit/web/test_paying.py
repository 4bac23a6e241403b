"""Ways to pay: the cashier that fits the device, the code for another phone, and what is said when one is refused."""

import re

import httpx
import pytest

from services.web.devices import is_phone
from tests.unit.web.conftest import SignIn, csrf_of, hidden
from tests.unit.web.test_buying import form_of
from tests.unit.web.town import HOTPOT, VOUCHER_ORDER, Refusal, Town

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1 Version/18.1 Mobile/15E148 Safari/604.1"
)
ANDROID = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Chrome/131.0.0.0 Mobile Safari/537.36"
IN_AN_APP = (
    "Mozilla/5.0 (Linux; Android 14; V2309A; wv) AppleWebKit/537.36 Version/4.0 Chrome/118.0 Mobile Safari/537.36 aweme"
)
HARMONY = "Mozilla/5.0 (Phone; OpenHarmony 5.0) AppleWebKit/537.36 Chrome/114.0.0.0 Safari/537.36 ArkWeb/4.1"
FIREFOX_PHONE = "Mozilla/5.0 (Android 14; Mobile; rv:132.0) Gecko/132.0 Firefox/132.0"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.1 Safari/605.1.15"
ANDROID_TABLET = "Mozilla/5.0 (Linux; Android 13; SM-X710) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36"

SCAN = f"/orders/{VOUCHER_ORDER}/scan-to-pay"


@pytest.fixture(autouse=True)
async def an_unpaid_order(town: Town, sign_in: SignIn) -> None:
    town.orders[VOUCHER_ORDER] |= {"state": "PLACED", "paid_at": None}
    await sign_in("buyer-an")


async def show_code(browser: httpx.AsyncClient, **headers: str) -> httpx.Response:
    """Press the button of the second way on the order's page."""
    order = (await browser.get(f"/orders/{VOUCHER_ORDER}")).text
    form = {"csrf": csrf_of(order), "scan_attempt_id": hidden(order, "scan_attempt_id")}
    return await browser.post(SCAN, data=form, headers=headers)


def opened(town: Town) -> list[tuple[str, str]]:
    """The attempts that were opened, each with its way."""
    return [(path.rsplit("/", 1)[1], body["channel"]) for _, path, body in town.heard if "/payments/" in path]


@pytest.mark.parametrize(
    ("user_agent", "hint", "phone"),
    [
        (IPHONE, "", True),
        (ANDROID, "?1", True),
        (ANDROID, "", True),
        (IN_AN_APP, "", True),
        (HARMONY, "", True),
        (FIREFOX_PHONE, "", True),
        (WINDOWS, "?1", True),
        (WINDOWS, "?0", False),
        (MAC, "", False),
        (ANDROID_TABLET, "?0", False),
        ("", "", False),
        ("curl/8.5.0", "true", False),
    ],
)
def test_a_phone_is_known_by_its_browser(user_agent: str, hint: str, *, phone: bool) -> None:
    assert is_phone(user_agent, hint) is phone


@pytest.mark.parametrize(
    ("headers", "way"),
    [
        ({"user-agent": MAC}, "ALIPAY_PAGE"),
        ({"user-agent": IPHONE}, "ALIPAY_WAP"),
        ({"user-agent": WINDOWS, "sec-ch-ua-mobile": "?1"}, "ALIPAY_WAP"),
    ],
)
async def test_the_buy_button_opens_the_cashier_for_the_device(
    browser: httpx.AsyncClient, town: Town, headers: dict[str, str], way: str
) -> None:
    form = form_of((await browser.get(f"/d/{HOTPOT}/buy")).text)
    going = await browser.post(f"/d/{HOTPOT}/buy", data=form, headers=headers)
    assert opened(town) == [(form["attempt_id"], way)]
    assert "https://pay.example/cashier" in going.text


async def test_buying_by_scan_sends_the_same_form_on_to_the_page_with_the_code(
    browser: httpx.AsyncClient, town: Town
) -> None:
    page = (await browser.get(f"/d/{HOTPOT}/buy")).text
    form = form_of(page, way="scan", scan_attempt_id=hidden(page, "scan_attempt_id"))
    for _ in range(2):
        shown = await browser.post(f"/d/{HOTPOT}/buy", data=form, follow_redirects=True)
        assert shown.url.path == f"/orders/{form['order_id']}/scan-to-pay"
    assert opened(town) == [(form["scan_attempt_id"], "ALIPAY_QR")] * 2
    assert form["scan_attempt_id"] != form["attempt_id"]
    assert 'class="qr pay-code"' in shown.text


async def test_what_was_chosen_stays_chosen_after_a_refusal(browser: httpx.AsyncClient, town: Town) -> None:
    page = (await browser.get(f"/d/{HOTPOT}/buy")).text
    assert re.findall(r'name="way" value="(\w+)" checked', page) == ["cashier"]
    town.refusals["/orders/"] = Refusal(409, "deal_sold_out", "库存不足")
    again = (await browser.post(f"/d/{HOTPOT}/buy", data=form_of(page, way="scan"))).text
    assert re.findall(r'name="way" value="(\w+)" checked', again) == ["scan"]


async def test_the_code_is_shown_with_amount_time_and_what_to_do(browser: httpx.AsyncClient, town: Town) -> None:
    page = (await show_code(browser)).text
    assert 'src="data:image/svg+xml;base64,' in page
    assert "¥256.00" in page
    assert "打开支付宝扫一扫" in page
    assert re.search(r'剩余支付时间 <b data-until="[^"]+" data-day="天">00:1[45]:\d\d</b>', page)
    assert f'hx-get="{SCAN}/status?asked=1" hx-trigger="load delay:3s, seen-again from:body"' in page
    assert f'action="/orders/{VOUCHER_ORDER}/pay"' in page
    english = (await show_code(browser, **{"accept-language": "en"})).text
    assert "Open Alipay on another phone" in english


async def test_looking_at_the_ways_to_pay_opens_nothing(browser: httpx.AsyncClient, town: Town) -> None:
    page = (await browser.get(SCAN)).text
    assert f'action="{SCAN}"' in page
    assert f'action="/orders/{VOUCHER_ORDER}/pay"' in page
    assert town.heard == []


async def test_the_page_follows_as_soon_as_the_other_phone_has_paid(browser: httpx.AsyncClient, town: Town) -> None:
    waiting = await browser.get(f"{SCAN}/status?asked=4", headers={"hx-request": "true"})
    assert "等待付款" in waiting.text
    assert f'hx-get="{SCAN}/status?asked=5"' in waiting.text
    town.silent = {"checkout"}
    assert f'hx-get="{SCAN}/status?asked=6"' in (await browser.get(f"{SCAN}/status?asked=5")).text
    town.silent = set()
    town.orders[VOUCHER_ORDER] |= {"state": "PAID"}
    paid = await browser.get(f"{SCAN}/status?asked=6", headers={"hx-request": "true"})
    assert (paid.status_code, paid.headers["hx-redirect"]) == (204, f"/orders/{VOUCHER_ORDER}/result")


async def test_the_page_stops_asking_when_the_time_to_pay_is_long_over(browser: httpx.AsyncClient) -> None:
    over = (await browser.get(f"{SCAN}/status?asked=170")).text
    assert "hx-get" not in over
    assert 'role="status"' in over
    assert (await browser.get(f"{SCAN}/status?asked=1001")).status_code == 422


@pytest.mark.parametrize("state", ["PAID", "CLOSED"])
async def test_an_order_that_needs_no_payment_leads_to_its_result(
    browser: httpx.AsyncClient, town: Town, state: str
) -> None:
    form = {"csrf": csrf_of((await browser.get(SCAN)).text), "scan_attempt_id": VOUCHER_ORDER}
    town.orders[VOUCHER_ORDER] |= {"state": state}
    for answer in (await browser.get(SCAN), await browser.post(SCAN, data=form)):
        assert (answer.status_code, answer.headers["location"]) == (303, f"/orders/{VOUCHER_ORDER}/result")
    assert town.heard == []


async def test_a_code_that_is_not_there_yet_is_asked_for_again_under_the_same_id(
    browser: httpx.AsyncClient, town: Town
) -> None:
    town.codes_to_wait_for = 1
    page = (await show_code(browser)).text
    assert "正在获取付款码" in page
    assert f'hx-post="{SCAN}?asked=1" hx-trigger="load delay:2s"' in page
    assert f'action="/orders/{VOUCHER_ORDER}/pay"' in page
    form = {"csrf": csrf_of(page), "scan_attempt_id": hidden(page, "scan_attempt_id")}
    piece = (await browser.post(f"{SCAN}?asked=1", data=form, headers={"hx-request": "true"})).text
    assert "<html" not in piece
    assert 'class="qr pay-code"' in piece
    assert opened(town) == [(form["scan_attempt_id"], "ALIPAY_QR")] * 2


async def test_after_ten_times_the_page_asks_no_more_and_offers_the_cashier(
    browser: httpx.AsyncClient, town: Town
) -> None:
    town.codes_to_wait_for = 2
    form = {"csrf": csrf_of((await browser.get(SCAN)).text), "scan_attempt_id": VOUCHER_ORDER}
    asking = (await browser.post(f"{SCAN}?asked=9", data=form)).text
    assert f'hx-post="{SCAN}?asked=10"' in asking
    page = (await browser.post(f"{SCAN}?asked=10", data=form)).text
    assert "hx-post" not in page
    assert "暂时取不到付款码" in page
    assert f'action="/orders/{VOUCHER_ORDER}/pay"' in page


async def test_silence_is_no_refusal_and_the_same_attempt_is_asked_for(browser: httpx.AsyncClient, town: Town) -> None:
    form = {"csrf": csrf_of((await browser.get(SCAN)).text), "scan_attempt_id": VOUCHER_ORDER}
    town.silent = {"checkout"}
    page = await browser.post(SCAN, data=form)
    assert page.status_code == 200
    assert "正在获取付款码" in page.text
    assert hidden(page.text, "scan_attempt_id") == VOUCHER_ORDER


@pytest.mark.parametrize(
    ("code", "said", "payable"),
    [
        ("payment_not_offered", "请换用下面的另一种方式付款", True),
        ("previous_payment_open", "几秒后再试", True),
        ("order_not_payable", "支付时间已过", False),
        ("merchant_cannot_sell", "refused", False),
    ],
)
async def test_a_refused_code_is_told_beside_the_other_way_if_that_helps(
    browser: httpx.AsyncClient, town: Town, code: str, said: str, *, payable: bool
) -> None:
    town.refusals["/payments/"] = Refusal(409, code, "refused", reason="ACQ.ACCESS_FORBIDDEN")
    page = await show_code(browser)
    assert page.status_code == 409
    assert "ACQ." not in page.text
    assert said in page.text
    ways = re.findall(r'action="([^"]+)".*?class="button( main)?"', page.text)
    assert ways == ([(f"/orders/{VOUCHER_ORDER}/pay", " main"), (SCAN, "")] if payable else [])
    if payable:
        refused_id = opened(town)[0][0]
        assert hidden(page.text, "scan_attempt_id") != refused_id


async def test_a_refused_cashier_is_told_beside_the_code(browser: httpx.AsyncClient, town: Town) -> None:
    town.refusals["/payments/"] = Refusal(409, "payment_not_offered", "该支付方式暂不可用")
    bought = await browser.post(f"/d/{HOTPOT}/buy", data=form_of((await browser.get(f"/d/{HOTPOT}/buy")).text))
    order = (await browser.get(f"/orders/{VOUCHER_ORDER}")).text
    form = {"csrf": csrf_of(order), "attempt_id": hidden(order, "attempt_id")}
    english = {"accept-language": "en"}
    paid = await browser.post(f"/orders/{VOUCHER_ORDER}/pay", data=form, headers=english)
    assert "请换用下面的另一种方式付款" in bought.text
    assert "Please pay the other way below" in paid.text
    for page in (bought.text, paid.text):
        assert re.findall(r'<button class="button main">([^<]+)</button>', page)[0] in {"扫码支付", "Scan to pay"}


@pytest.mark.parametrize(("state", "minutes_to_pay"), [("CLOSING", 15), ("CLOSED", 15), ("OPEN", 0)])
async def test_an_attempt_that_gave_way_or_came_to_its_end_is_not_waited_for(
    browser: httpx.AsyncClient, town: Town, state: str, minutes_to_pay: int
) -> None:
    town.codes_to_wait_for, town.attempt_state, town.minutes_to_pay = 9, state, minutes_to_pay
    page = (await show_code(browser)).text
    assert "这个付款码已失效" in page
    assert "hx-post" not in page
    piece = await show_code(browser, **{"hx-request": "true"})
    assert piece.status_code == 200, "htmx shows only what went well"
    assert '<div id="paying">' in piece.text


async def test_an_attempt_that_has_paid_leads_to_the_result(browser: httpx.AsyncClient, town: Town) -> None:
    town.codes_to_wait_for, town.attempt_state = 9, "PAID"
    assert (await show_code(browser)).headers["location"] == f"/orders/{VOUCHER_ORDER}/result"


async def test_a_sign_in_that_ended_is_asked_for_rather_than_another_way(
    browser: httpx.AsyncClient, town: Town
) -> None:
    form = {"csrf": csrf_of((await browser.get(SCAN)).text), "scan_attempt_id": VOUCHER_ORDER}
    town.tokens_refused = True
    page = await browser.post(SCAN, data=form, headers={"hx-request": "true"})
    assert page.headers["hx-redirect"].startswith("/login?next=")


async def test_somebody_elses_order_is_not_there(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/orders/0192f000-0000-7000-8000-000000000001/scan-to-pay")).status_code == 404
