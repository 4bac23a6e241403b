"""Carriers at the operators' desk: accounts that get no orders, and cancel fees that nobody named."""

import httpx
import pytest

from tests.unit.web.conftest import SignIn, csrf_of
from tests.unit.web.town import Refusal, Town, at, known_id

DESK = "/o/carriers"
FIRST = known_id("first fee")


@pytest.fixture(autouse=True)
async def an_operator(sign_in: SignIn) -> None:
    await sign_in("operator-one")


async def test_an_account_that_was_put_right_gets_orders_again(browser: httpx.AsyncClient, town: Town) -> None:
    assert "全部账户正常" in (await browser.get(DESK)).text
    short = {"provider": "dada", "account": "platform", "balance_short_since": at(hours=1), "disabled_since": None}
    town.carrier_alerts = [short]
    page = (await browser.get(DESK)).text
    for shown in ("达达 · platform", "余额不足", "恢复派单"):
        assert shown in page
    form = {"csrf": csrf_of(page), "provider": "dada", "account": "platform"}
    assert (await browser.post(f"{DESK}/lifted", data=form)).headers["location"] == DESK
    assert town.heard == [("DELETE", "/admin/carrier-accounts/dada/platform", None)]
    elsewhere = await browser.post(f"{DESK}/lifted", data={**form, "account": "../merchants"})
    assert elsewhere.status_code == 422
    assert len(town.heard) == 1, "an account is a name and no path"


@pytest.mark.parametrize(("yuan", "fee_fen"), [("2", 200), ("0", 0), ("2.5", 250), ("12.05", 1205)])
async def test_a_fee_is_entered_in_yuan_as_the_bill_has_it(
    browser: httpx.AsyncClient, town: Town, yuan: str, fee_fen: int
) -> None:
    page = (await browser.get(DESK)).text
    for shown in ("TDH2026112200371", "未告知", "¥2.00", "平台承担", f"{DESK}?cursor=c2"):
        assert shown in page
    await browser.post(f"{DESK}/fees/{FIRST}", data={"csrf": csrf_of(page), "yuan": yuan})
    assert town.heard == [("PUT", f"/admin/attempts/{FIRST}/cancel-fee", {"fee_fen": fee_fen})]


@pytest.mark.parametrize("yuan", ["", "-1", "1.234", "1e3", "99999", "２"])
async def test_what_is_no_amount_is_not_entered(browser: httpx.AsyncClient, town: Town, yuan: str) -> None:
    csrf = csrf_of((await browser.get(DESK)).text)
    assert (await browser.post(f"{DESK}/fees/{FIRST}", data={"csrf": csrf, "yuan": yuan})).status_code == 422
    assert town.heard == []


async def test_a_fee_that_a_colleague_entered_is_told(browser: httpx.AsyncClient, town: Town) -> None:
    csrf = csrf_of((await browser.get(DESK)).text)
    town.refusals["/cancel-fee"] = Refusal(409, "cancel_fee_known", "该配送单的取消费已确认")
    again = await browser.post(f"{DESK}/fees/{FIRST}", data={"csrf": csrf, "yuan": "3"})
    assert again.status_code == 409
    assert "该配送单的取消费已确认" in again.text
