"""The counter, the merchant's desk, the statement, the operator's queue."""

from typing import Any

import httpx
import pytest
import zxingcpp

from tests.unit.web.conftest import SignIn, csrf_of, hidden
from tests.unit.web.town import CODE, HOTPOT_MERCHANT, PARCEL, SECOND_UNIT, STORE, UNIT, Refusal, Town, at, known_id


async def prepared(browser: httpx.AsyncClient, **given: str) -> str:
    csrf = csrf_of((await browser.get("/scan")).text)
    form = {"csrf": csrf, "store_id": STORE, **given}
    return (await browser.post("/scan/prepare", data=form, headers={"hx-request": "true"})).text


def verify_form(piece: str) -> dict[str, str]:
    return {name: hidden(piece, name) for name in ("csrf", "store_id", "token", "redemption_id")} | {"unit_ids": UNIT}


async def verified(browser: httpx.AsyncClient, form: dict[str, str]) -> str:
    return (await browser.post("/scan/verify", data=form, headers={"hx-request": "true"})).text


async def reversed_by(browser: httpx.AsyncClient, piece: str, reason: str = "mistake") -> str:
    form = {name: hidden(piece, name) for name in ("csrf", "redemption_id", "reversal_id")} | {"reason": reason}
    return (await browser.post("/scan/reverse", data=form, headers={"hx-request": "true"})).text


async def test_only_the_scanner_may_compile_its_decoder(browser: httpx.AsyncClient, sign_in: SignIn) -> None:
    await sign_in("clerk-hotpot")
    assert "'wasm-unsafe-eval'" in (await browser.get("/scan")).headers["content-security-policy"]
    assert "wasm" not in (await browser.get("/m")).headers["content-security-policy"]


async def test_a_typed_code_is_looked_up_before_it_is_redeemed(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("clerk-hotpot")
    piece = await prepared(browser, code="8371 4620 5519")
    assert town.heard == [("POST", "/preparations", {"store_id": STORE, "code": CODE})]
    assert "可核销" in piece
    assert "8371 **** 5519" in piece
    done = await verified(browser, verify_form(piece))
    method, path, body = town.heard[1]
    assert method == "PUT"
    assert path.startswith("/redemptions/")
    assert body["unit_ids"] == [UNIT]
    assert body["token"] == "token-1"
    assert body["device_id"]
    assert "核销成功 1 张" in done
    assert "前可撤销" in done


async def test_a_scanned_code_goes_as_it_was_read(browser: httpx.AsyncClient, sign_in: SignIn, town: Town) -> None:
    await sign_in("clerk-hotpot")
    await prepared(browser, scanned=f"GB1.{UNIT}.0f3a9c", code="1234")
    assert town.heard[0][2] == {"store_id": STORE, "scanned": f"GB1.{UNIT}.0f3a9c"}


async def test_an_unknown_code_is_refused_in_word_and_colour(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("clerk-hotpot")
    piece = await prepared(browser, code="000000000000")
    assert "券码无效" in piece
    assert 'class="verdict bad"' in piece


async def test_a_used_certificate_says_when_and_where(browser: httpx.AsyncClient, sign_in: SignIn, town: Town) -> None:
    await sign_in("clerk-hotpot")
    piece = await prepared(browser, code=CODE)
    town.refusals["/redemptions/"] = Refusal(
        409, "certificate_used", "券已核销", used_at="2026-11-22T06:02:00+00:00", store_name="海甸岛店"
    )
    refused = await verified(browser, verify_form(piece))
    assert "券已核销" in refused
    assert "11月22日 14:02 于 海甸岛店" in refused


async def test_nothing_usable_offers_no_button(browser: httpx.AsyncClient, sign_in: SignIn, town: Town) -> None:
    await sign_in("clerk-hotpot")
    for one in town.certificates:
        one |= {"state": "REFUNDED", "used_at": at(), "used_store_name": "国贸店"}
    piece = await prepared(browser, code=CODE)
    assert "不可核销" in piece
    assert "确认核销" not in piece


async def test_a_lost_answer_is_looked_up_before_a_retry_is_offered(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("clerk-hotpot")
    form = verify_form(await prepared(browser, code=CODE))
    use = {"use_id": known_id("use"), "unit_id": UNIT, "used_at": at(), "reversible_until": at(hours=-1)}
    town.redeemed[form["redemption_id"]] = {"redemption_id": form["redemption_id"], "store_id": STORE, "uses": [use]}
    town.refusals["/redemptions/"] = Refusal(502, "bad_gateway", "")
    assert "核销成功 1 张" in await verified(browser, form)


async def test_a_retry_after_silence_keeps_the_same_redemption_id(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("clerk-hotpot")
    form = verify_form(await prepared(browser, code=CODE))
    town.silent = {"redemption"}
    unknown = await verified(browser, form)
    assert "核销结果未知" in unknown
    assert hidden(unknown, "redemption_id") == form["redemption_id"]
    town.silent = set()
    town.refusals["/redemptions/"] = Refusal(502, "bad_gateway", "")
    not_done = await verified(browser, form)
    assert "未核销，可重试" in not_done
    town.refusals = {}
    assert "核销成功" in await verified(browser, verify_form(not_done))
    assert len({path for _, path, _ in town.heard if path.startswith("/redemptions/")}) == 1


async def test_a_mistake_is_undone_from_the_answer_itself(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("clerk-hotpot")
    done = await verified(browser, verify_form(await prepared(browser, code=CODE)))
    assert "撤销核销" in done
    undone = await reversed_by(browser, done, "customer")
    method, path, body = town.heard[-1]
    assert (method, path) == (
        "PUT", f"/redemptions/{hidden(done, 'redemption_id')}/reversals/{hidden(done, 'reversal_id')}",
    )  # fmt: skip
    assert body["use_ids"] is None
    assert body["reason"] == "顾客改变主意"
    assert body["device_id"]
    assert "已撤销核销 1 张" in undone
    assert "撤销核销</button>" not in undone


async def test_when_it_is_too_late_to_undo_no_button_is_offered(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("clerk-hotpot")
    form = verify_form(await prepared(browser, code=CODE))
    use = {"use_id": known_id("use"), "unit_id": UNIT, "used_at": at(hours=2), "reversible_until": at(hours=1)}
    town.redeemed[form["redemption_id"]] = {"redemption_id": form["redemption_id"], "store_id": STORE, "uses": [use]}
    town.refusals["/redemptions/"] = Refusal(502, "bad_gateway", "")
    done = await verified(browser, form)
    assert "核销成功 1 张" in done
    assert "撤销核销" not in done


@pytest.mark.parametrize(
    ("code", "title"),
    [
        ("reversed_too_late", "已超过可撤销时间（2026-11-22 15:02），不能撤销"),
        ("use_reversed", "该核销已撤销"),
        ("use_disputed", "顾客已对该券申请退款，正在审核，不能撤销"),
        ("use_final", "该核销已生效入账，不能撤销"),
        ("too_many_reversals", "该券撤销次数已达上限（10 次）"),
        ("not_staff_of_store", "您不是该门店可核销的员工"),
    ],
)
async def test_why_something_cannot_be_undone_is_said_in_its_own_words(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town, code: str, title: str
) -> None:
    await sign_in("clerk-hotpot")
    done = await verified(browser, verify_form(await prepared(browser, code=CODE)))
    town.refusals["/redemptions/"] = Refusal(409, code, title)
    refused = await reversed_by(browser, done)
    assert title in refused
    assert 'class="verdict bad"' in refused
    assert "<form" not in refused


async def test_an_undo_without_an_answer_is_tried_again_under_the_same_id(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("clerk-hotpot")
    done = await verified(browser, verify_form(await prepared(browser, code=CODE)))
    town.silent = {"redemption"}
    unknown = await reversed_by(browser, done, "other")
    assert "撤销结果未知" in unknown
    assert hidden(unknown, "reversal_id") == hidden(done, "reversal_id")
    assert '<option value="other" selected>' in unknown
    town.silent = set()
    assert "已撤销核销" in await reversed_by(browser, unknown)


async def test_the_stores_redemptions_can_be_undone_from_their_list(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("clerk-hotpot")
    assert "还没有核销记录" in (await browser.get("/scan/redemptions")).text
    for _ in range(2):
        await verified(browser, verify_form(await prepared(browser, code=CODE)))
    first, second = town.redeemed
    page = (await browser.get(f"/scan/redemptions?store_id={STORE}")).text
    assert page.count("撤销核销</button>") == 2
    assert hidden(page, "redemption_id") == second
    assert "********5519" in page
    assert f"/scan/redemptions?store_id={STORE}&amp;cursor=c2" in page
    await reversed_by(browser, page)
    town.redeemed[first]["uses"][0]["reversible_until"] = at(hours=1)
    page = (await browser.get("/scan/redemptions")).text
    assert "撤销核销</button>" not in page
    assert "已撤销" in page
    assert "已过可撤销时间" in page


async def test_a_photo_is_read_by_the_server(browser: httpx.AsyncClient, sign_in: SignIn) -> None:
    await sign_in("clerk-hotpot")
    csrf = csrf_of((await browser.get("/scan")).text)
    picture: Any = zxingcpp.create_barcode(CODE, zxingcpp.BarcodeFormat.Code128).to_image(scale=3)
    height, width = picture.shape
    answer = await browser.post(
        f"/scan/photo?width={width}&height={height}", content=bytes(picture), headers={"x-csrf-token": csrf}
    )
    assert answer.json() == {"text": CODE}
    blank = await browser.post("/scan/photo?width=64&height=64", content=b"\xff" * 4096, headers={"x-csrf-token": csrf})
    assert blank.json() == {"text": None}
    wrong = await browser.post("/scan/photo?width=64&height=64", content=b"\xff", headers={"x-csrf-token": csrf})
    assert wrong.status_code == 422


async def test_who_has_no_store_cannot_scan(browser: httpx.AsyncClient, sign_in: SignIn) -> None:
    await sign_in("buyer-an")
    assert "你还没有可核销的门店" in (await browser.get("/scan")).text
    nobody = await browser.get("/m")
    assert nobody.status_code == 403
    assert "你还不是任何商家的成员" in nobody.text


async def test_the_board_offers_what_each_parcel_needs_next(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("merchant-hotpot")
    page = (await browser.get("/m")).text
    for shown in ("待接单", "接单", "交给骑手", "确认送达", "异常", "支付宝主体与认证主体不一致"):
        assert shown in page
    csrf = csrf_of(page)
    desk = {"csrf": csrf, "merchant": HOTPOT_MERCHANT}
    await browser.post(f"/m/parcels/{PARCEL}/acceptance", data=desk)
    await browser.post(f"/m/parcels/{PARCEL}/handover", data={**desk, "rider": "阿强"})
    await browser.post(f"/m/parcels/{PARCEL}/delivery", data={**desk, "receive_code": "402817"})
    back = await browser.post(f"/m/parcels/{PARCEL}/refusal", data=desk)
    assert back.headers["location"] == f"/m?merchant={HOTPOT_MERCHANT}#board"
    assert [(path.rsplit("/", 1)[1], body) for _, path, body in town.heard] == [
        ("acceptance", {}),
        ("handover", {"rider": "阿强"}),
        ("delivery", {"receive_code": "402817"}),
        ("refusal", {"reason": "商家拒单"}),
    ]


async def test_a_desk_without_dispatch_still_opens(browser: httpx.AsyncClient, sign_in: SignIn, town: Town) -> None:
    await sign_in("merchant-hotpot")
    town.silent = {"dispatch"}
    page = await browser.get("/m")
    assert page.status_code == 200
    assert "配送系统暂时没有响应" in page.text


async def test_the_statement_shows_fee_commission_and_tomorrows_payout(
    browser: httpx.AsyncClient, sign_in: SignIn
) -> None:
    await sign_in("merchant-hotpot")
    page = (await browser.get("/m/statement", params={"day": "2026-11-20"})).text
    for shown in ("¥508.92", "T+1", "0.6%", "平台佣金", "-¥0.77", "¥127.23", 'value="2026-11-20"', "合计 4 笔"):
        assert shown in page
    assert (await browser.get("/m/statement", params={"day": "soon"})).status_code == 422


async def test_the_operator_decides_on_what_was_seen(browser: httpx.AsyncClient, sign_in: SignIn, town: Town) -> None:
    await sign_in("operator-one")
    page = (await browser.get("/o")).text
    assert "91460000MA5T" in page
    form = {"csrf": csrf_of(page), "seen": hidden(page, "seen"), "approve": "yes"}
    assert (await browser.post(f"/o/merchants/{HOTPOT_MERCHANT}", data=form)).status_code == 303
    assert town.heard[-1][1:] == (f"/merchants/{HOTPOT_MERCHANT}/verification", {"approve": True, "reason": None})


async def test_a_refusal_needs_a_reason(browser: httpx.AsyncClient, sign_in: SignIn, town: Town) -> None:
    await sign_in("operator-one")
    form = {"csrf": csrf_of((await browser.get("/o")).text), "approve": "no"}
    refused = await browser.post(f"/o/merchants/{HOTPOT_MERCHANT}", data=form)
    assert refused.status_code == 422
    assert "驳回时请填写理由" in refused.text
    assert town.heard == []


async def test_the_queue_is_for_operators_only(browser: httpx.AsyncClient, sign_in: SignIn) -> None:
    await sign_in("buyer-an")
    assert (await browser.get("/o")).status_code == 403
    assert SECOND_UNIT not in (await browser.get("/me")).text
    assert "审核中心" not in (await browser.get("/me")).text


async def test_a_phone_tells_what_there_is_and_offers_nothing_to_redeem_with(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("clerk-hotpot")
    csrf = csrf_of((await browser.get("/scan")).text)

    async def found(phone: str) -> str:
        form = {"csrf": csrf, "store_id": STORE, "phone": phone}
        return (await browser.post("/scan/phone", data=form, headers={"hx-request": "true"})).text

    piece = await found("13800138000")
    assert town.heard[-1] == ("POST", "/preparations/by-phone", {"store_id": STORE, "phone": "13800138000"})
    assert "********5519" in piece
    assert "<form" not in piece
    assert "没有本商家的可用券" in await found("13900139999")
