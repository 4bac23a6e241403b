"""Refunds made at Alipay itself: the operator names the units, for several of one order at once if need be."""

import re

import httpx
import pytest

from services.web.gateways.checkout import Unit
from tests.unit.web.conftest import SignIn, csrf_of
from tests.unit.web.town import SECOND_UNIT, UNIT, VOUCHER_ORDER, Refusal, Town, known_id

DESK = "/o/external-refunds"
FIRST, SECOND = known_id("external refund first"), known_id("external refund second")


@pytest.fixture(autouse=True)
async def an_operator(sign_in: SignIn) -> None:
    await sign_in("operator-one")


async def form(browser: httpx.AsyncClient, refunds: list[str], units: list[str]) -> dict[str, list[str] | str]:
    return {"csrf": csrf_of((await browser.get(DESK)).text), "refund_ids": refunds, "unit_ids": units}


async def test_what_waits_is_shown_with_its_order_and_what_each_unit_is_worth(
    browser: httpx.AsyncClient, town: Town
) -> None:
    units = [{"unit_id": UNIT, "state": "USED", "paid_fen": 12800, "uses": 1, "uses_left": 0},
             {"unit_id": SECOND_UNIT, "state": "OPEN", "paid_fen": 12800, "uses": 4, "uses_left": 3},
             {"unit_id": known_id("back"), "state": "REFUNDED", "paid_fen": 12800}]  # fmt: skip
    town.orders[VOUCHER_ORDER] |= {"units": units}
    page = (await browser.get(DESK)).text
    for shown in (
        "20261122091800371",
        "¥50.00",
        "¥78.00",
        "HZ01RFfirst",
        "¥96.00",
        "剩余 3 次，共 4 次",
        "实付 ¥128.00",
    ):
        assert shown in page
    assert re.findall(r'name="unit_ids" value="[^"]+"( disabled)?', page) == ["", "", " disabled"]
    assert " checked" not in page, "nobody guesses which of several refunds belong together"
    assert DESK in (await browser.get("/o")).text


@pytest.mark.parametrize(
    ("unit", "worth_fen"),
    [
        ({"state": "OPEN"}, 12800),
        ({"state": "USED", "uses_left": 0}, 12800),
        ({"state": "OPEN", "uses": 4, "uses_left": 1}, 3200),
    ],
)
def test_a_unit_is_worth_what_is_left_of_it_or_once_used_all_of_it(unit: dict[str, object], worth_fen: int) -> None:
    assert Unit.model_validate({"unit_id": UNIT, "paid_fen": 12800, **unit}).worth_fen == worth_fen


async def test_several_refunds_of_one_order_are_recorded_as_one(browser: httpx.AsyncClient, town: Town) -> None:
    sent = await form(browser, [FIRST, SECOND], [UNIT])
    done = await browser.post(f"{DESK}/{VOUCHER_ORDER}", data=sent)
    assert (done.status_code, done.headers["location"]) == (303, DESK)
    body = {"unit_ids": [UNIT], "together_with": [SECOND]}
    assert town.heard == [("PUT", f"/admin/external-refunds/{FIRST}/allocation", body)]
    assert "没有待认领的退款" in (await browser.get(DESK)).text


async def test_a_refund_that_is_alone_is_already_chosen(browser: httpx.AsyncClient, town: Town) -> None:
    del town.external_refunds[1]
    assert f'name="refund_ids" value="{FIRST}" checked' in (await browser.get(DESK)).text


@pytest.mark.parametrize(("refunds", "units"), [([], [UNIT]), ([FIRST], []), ([], [])])
async def test_nothing_is_sent_without_a_refund_and_a_unit(
    browser: httpx.AsyncClient, town: Town, refunds: list[str], units: list[str]
) -> None:
    page = await browser.post(f"{DESK}/{VOUCHER_ORDER}", data=await form(browser, refunds, units))
    assert page.status_code == 409
    assert "请至少选择一笔退款和一张券" in page.text
    assert page.text.count(" checked") == len([*refunds, *units])
    assert town.heard == []


async def test_what_does_not_fit_is_told_at_the_form_with_both_sums(browser: httpx.AsyncClient, town: Town) -> None:
    town.refusals["/allocation"] = Refusal(
        409, "allocation_does_not_fit", "所选券的金额与渠道退款金额不一致", amount_fen=5000, units_fen=12800
    )
    page = (await browser.post(f"{DESK}/{VOUCHER_ORDER}", data=await form(browser, [FIRST], [UNIT]))).text
    order = page[page.index(f'id="order-{VOUCHER_ORDER}"') :]
    assert "所选券的金额与渠道退款金额不一致" in order
    assert "退款合计 ¥50.00，所选合计 ¥128.00" in order
    assert re.findall(r'value="([^"]+)" checked', order) == [FIRST, UNIT]


async def test_a_faster_colleague_is_told_where_the_form_is_gone(browser: httpx.AsyncClient, town: Town) -> None:
    sent = await form(browser, [FIRST], [UNIT])
    town.external_refunds = []
    town.refusals["/allocation"] = Refusal(409, "external_refund_allocated", "该渠道退款已分配")
    page = (await browser.post(f"{DESK}/{VOUCHER_ORDER}", data=sent)).text
    assert "该渠道退款已分配" in page
    assert "同事可能已经处理" in page


async def test_after_silence_the_form_keeps_what_was_chosen(browser: httpx.AsyncClient, town: Town) -> None:
    town.refusals["/allocation"] = Refusal(503, "unavailable", "")
    page = (await browser.post(f"{DESK}/{VOUCHER_ORDER}", data=await form(browser, [FIRST], [UNIT]))).text
    assert "订单系统暂时没有响应" in page
    assert re.findall(r'value="([^"]+)" checked', page) == [FIRST, UNIT]


async def test_who_may_not_allocate_is_told_so(browser: httpx.AsyncClient, town: Town) -> None:
    town.refusals["/allocation"] = Refusal(403, "forbidden", "没有权限")
    page = await browser.post(f"{DESK}/{VOUCHER_ORDER}", data=await form(browser, [FIRST], [UNIT]))
    assert page.status_code == 403


async def test_an_order_that_cannot_be_read_hides_no_other(browser: httpx.AsyncClient, town: Town) -> None:
    lost = {**town.external_refunds[0], "refund_id": known_id("lost"), "order_id": known_id("lost order")}
    town.external_refunds.insert(0, lost)
    page = (await browser.get(DESK)).text
    assert "订单暂时读不到" in page
    assert page.count("认领退款") == 1


async def test_many_orders_are_shown_a_few_at_a_time(browser: httpx.AsyncClient, town: Town) -> None:
    town.external_refunds = [
        {**town.external_refunds[0], "refund_id": known_id(f"refund {n}"), "order_id": known_id(f"order {n}")}
        for n in range(23)
    ]
    page = (await browser.get(DESK)).text
    assert page.count("订单暂时读不到") == 20
    assert "另有 3 个订单" in page


async def test_more_units_than_an_order_can_have_are_not_sent(browser: httpx.AsyncClient, town: Town) -> None:
    many = [known_id(f"unit {n}") for n in range(11)]
    page = await browser.post(f"{DESK}/{VOUCHER_ORDER}", data=await form(browser, [FIRST], many))
    assert page.status_code == 422
    assert town.heard == []
