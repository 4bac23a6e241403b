"""Transfers from the platform's own account, asked for by an independent SDK."""

from typing import Any

import pytest

from tests.integration.sandbox.stage import ShopSide

METHOD = "alipay.fund.trans.uni.transfer"
QUERY = "alipay.fund.trans.common.query"
PAYEE = {"identity_type": "ALIPAY_USER_ID", "identity": "2088456745674567"}


def earn(alipay: ShopSide, out_no: str, amount: str = "128.00") -> None:
    """Let a buyer pay the platform itself."""
    answer = alipay.http.post(
        "/_sim/alipay/pay", json={"pay_url": alipay.pay_url(out_no, amount), "scenario": "success"}
    )
    assert answer.status_code == 200, answer.text


def content_of(number: str, amount: str = "28.00", **changes: Any) -> dict[str, Any]:
    return {
        "out_biz_no": number, "trans_amount": amount, "product_code": "TRANS_ACCOUNT_NO_PWD",
        "biz_scene": "DIRECT_TRANSFER", "order_title": "团购货款结算", "payee_info": PAYEE, **changes,
    }  # fmt: skip


def transfer(alipay: ShopSide, number: str, amount: str = "28.00", **changes: Any) -> dict[str, Any]:
    return alipay.call(METHOD, **content_of(number, amount, **changes))


def book(alipay: ShopSide) -> dict[str, Any]:
    found = alipay.http.get("/_sim/alipay/book", params={"limit": 0}).json()
    assert isinstance(found, dict)
    return found


def test_the_same_transfer_again_answers_the_same_and_moves_no_money(alipay: ShopSide, out_no: str) -> None:
    earn(alipay, out_no)
    before = book(alipay)
    first, again = transfer(alipay, f"{out_no}t"), transfer(alipay, f"{out_no}t")
    assert first == again
    assert first["status"] == "SUCCESS"
    assert alipay.call(QUERY, out_biz_no=f"{out_no}t")["order_id"] == first["order_id"]
    after = book(alipay)
    assert after["settled_fen"] - before["settled_fen"] == before["held_fen"] - after["held_fen"] == 2_800
    assert transfer(alipay, f"{out_no}t", "28.01")["sub_code"] == "PAYMENT_INFO_INCONSISTENCY"


def test_nobody_transfers_more_than_the_platform_has_nor_sub_merchants_money(alipay: ShopSide, out_no: str) -> None:
    alipay.paid(out_no, "99999.00")
    earn(alipay, f"{out_no}own", "10.00")
    assert transfer(alipay, f"{out_no}t", "99999.00")["sub_code"] == "PAYER_BALANCE_NOT_ENOUGH"
    assert alipay.call(QUERY, out_biz_no=f"{out_no}t")["sub_code"] == "ORDER_NOT_EXIST"


@pytest.mark.parametrize(
    ("changes", "sub_code"),
    [
        ({"trans_amount": "0.09"}, "EXCEED_LIMIT_SM_MIN_AMOUNT"),
        ({"trans_amount": "1e2"}, "INVALID_PARAMETER"),
        ({"product_code": "TRANS_BANKCARD_NO_PWD"}, "INVALID_PARAMETER"),
        ({"biz_scene": ""}, "INVALID_PARAMETER"),
        ({"order_title": ""}, "INVALID_PARAMETER"),
        ({"out_biz_no": "号"}, "INVALID_PARAMETER"),
        ({"payee_info": {"identity_type": "ALIPAY_LOGON_ID", "identity": "a@b.example"}}, "INVALID_PARAMETER"),
        ({"payee_info": {"identity_type": "ALIPAY_USER_ID", "identity": "2088"}}, "PAYEE_NOT_EXIST"),
        (
            {"payee_info": {"identity_type": "ALIPAY_LOGON_ID", "identity": "nobody@b.example", "name": "无"}},
            "PAYEE_NOT_EXIST",
        ),
    ],
)
def test_what_alipay_refuses_moves_nothing(
    alipay: ShopSide, out_no: str, changes: dict[str, Any], sub_code: str
) -> None:
    earn(alipay, out_no)
    before = book(alipay)
    assert transfer(alipay, f"{out_no}t", **changes)["sub_code"] == sub_code
    assert book(alipay)["settled_fen"] == before["settled_fen"]


def test_a_transfer_that_somebody_altered_is_refused(alipay: ShopSide, out_no: str) -> None:
    earn(alipay, out_no)
    form = alipay.signed_form(METHOD, **content_of(f"{out_no}t"))
    form["biz_content"] = form["biz_content"].replace("28.00", "29.00")
    node = alipay.verified(METHOD, alipay.http.post("/alipay/gateway.do", data=form))
    assert node["sub_code"] == "isv.invalid-signature"
