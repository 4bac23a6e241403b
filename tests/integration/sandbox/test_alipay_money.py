"""Refunds, confirms, the book and the bills: Alipay's side of every fen."""

import csv
import io
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.integration.sandbox.stage import SHANGHAI, SMID, ShopSide, until, wire


def refund(alipay: ShopSide, out_no: str, amount: str, number: str) -> dict[str, Any]:
    return alipay.call("alipay.trade.refund", out_trade_no=out_no, refund_amount=amount, out_request_no=number)


def confirm(alipay: ShopSide, trade_no: str, amount: str, number: str) -> dict[str, Any]:
    details = [{"trans_in_type": "defaultSettle", "trans_in": SMID, "amount": amount}]
    settle_info = {"settle_detail_infos": details}
    return alipay.call("alipay.trade.settle.confirm", trade_no=trade_no, out_request_no=number, settle_info=settle_info)


def test_the_same_refund_again_moves_no_money(alipay: ShopSide, out_no: str) -> None:
    alipay.paid(out_no)
    first = refund(alipay, out_no, "28.00", f"{out_no}r1")
    again = refund(alipay, out_no, "28.00", f"{out_no}r1")
    assert (first["fund_change"], again["fund_change"]) == ("Y", "N")
    assert first["refund_fee"] == again["refund_fee"] == "28.00"
    other = refund(alipay, out_no, "29.00", f"{out_no}r1")
    assert other["sub_code"] == "ACQ.DISCORDANT_REPEAT_REQUEST"


def test_a_partial_refund_leaves_the_trade_paid_and_the_last_one_closes_it(alipay: ShopSide, out_no: str) -> None:
    alipay.paid(out_no)
    refund(alipay, out_no, "100.00", f"{out_no}r1")
    assert alipay.call("alipay.trade.query", out_trade_no=out_no)["trade_status"] == "TRADE_SUCCESS"
    assert refund(alipay, out_no, "28.01", f"{out_no}r2")["sub_code"] == "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"
    assert refund(alipay, out_no, "28.00", f"{out_no}r2")["refund_fee"] == "128.00"
    assert alipay.call("alipay.trade.query", out_trade_no=out_no)["trade_status"] == "TRADE_CLOSED"
    assert refund(alipay, out_no, "1.00", f"{out_no}r3")["sub_code"] == "ACQ.TRADE_HAS_CLOSE"


def test_a_refund_is_notified_with_the_sum_refunded_so_far(alipay: ShopSide, out_no: str) -> None:
    alipay.paid(out_no, scenario="no_notify")
    refund(alipay, out_no, "100.00", f"{out_no}r1")
    partial = alipay.shop.wait_for(f"/notify/{out_no}", 1)[0]
    refund(alipay, out_no, "28.00", f"{out_no}r2")
    full = alipay.shop.wait_for(f"/notify/{out_no}", 2)[1]
    assert alipay.accepts(partial.form)
    assert alipay.accepts(full.form)
    assert (partial.form["trade_status"], partial.form["refund_fee"]) == ("TRADE_SUCCESS", "100.00")
    assert (full.form["trade_status"], full.form["refund_fee"]) == ("TRADE_CLOSED", "128.00")
    assert full.form["out_biz_no"] == f"{out_no}r2"


def test_a_refund_query_that_finds_nothing_says_ok_without_refund_fields(alipay: ShopSide, out_no: str) -> None:
    alipay.paid(out_no)
    query = {"out_trade_no": out_no, "out_request_no": f"{out_no}r1"}
    nothing = alipay.call("alipay.trade.fastpay.refund.query", **query)
    assert nothing == {"code": "10000", "msg": "Success"}
    refund(alipay, out_no, "28.00", f"{out_no}r1")
    found = alipay.call("alipay.trade.fastpay.refund.query", **query)
    assert (found["refund_status"], found["refund_amount"]) == ("REFUND_SUCCESS", "28.00")


def test_a_partial_refund_needs_a_number(alipay: ShopSide, out_no: str) -> None:
    alipay.paid(out_no)
    refused = alipay.call("alipay.trade.refund", out_trade_no=out_no, refund_amount="1.00")
    assert refused["sub_code"] == "ACQ.INVALID_PARAMETER"
    whole = alipay.call("alipay.trade.refund", out_trade_no=out_no, refund_amount="128.00")
    assert whole["fund_change"] == "Y"


def test_confirms_release_held_money_once_and_never_too_much(alipay: ShopSide, out_no: str) -> None:
    trade_no = alipay.paid(out_no)["trade_no"]
    assert confirm(alipay, trade_no, "100.00", f"{out_no}c1")["settle_amount"] == "100.00"
    assert confirm(alipay, trade_no, "100.00", f"{out_no}c1")["code"] == "10000"
    assert confirm(alipay, trade_no, "99.00", f"{out_no}c1")["sub_code"] == "ACQ.DISCORDANT_REPEAT_REQUEST"
    assert confirm(alipay, trade_no, "28.01", f"{out_no}c2")["sub_code"] == "ACQ.TRADE_SETTLE_ERROR"
    refund(alipay, out_no, "8.00", f"{out_no}r1")
    assert confirm(alipay, trade_no, "28.00", f"{out_no}c2")["sub_code"] == "ACQ.TRADE_SETTLE_ERROR"
    assert confirm(alipay, trade_no, "20.00", f"{out_no}c2")["code"] == "10000"
    trade = alipay.http.get(f"/_sim/alipay/trades/{out_no}").json()
    assert (trade["confirmed_fen"], trade["refunded_fen"], trade["held_fen"]) == (12000, 800, 0)


def test_only_the_trades_own_sub_merchant_is_paid(alipay: ShopSide, out_no: str) -> None:
    trade_no = alipay.paid(out_no)["trade_no"]
    settle_info = {"settle_detail_infos": [{"trans_in_type": "defaultSettle", "trans_in": "2088999", "amount": "1.00"}]}
    refused = alipay.call(
        "alipay.trade.settle.confirm", trade_no=trade_no, out_request_no=f"{out_no}c", settle_info=settle_info
    )
    assert refused["sub_code"] == "ACQ.INVALID_PARAMETER"


def test_the_book_balances_after_payments_refunds_confirms_and_clawbacks(travelling: ShopSide, out_no: str) -> None:
    before = travelling.http.get("/_sim/alipay/book", params={"limit": 1000}).json()
    first, second = f"{out_no}_1", f"{out_no}_2"
    trade_no = travelling.paid(first)["trade_no"]
    travelling.paid(second, "50.00")
    refund(travelling, second, "50.00", f"{second}r")
    confirm(travelling, trade_no, "128.00", f"{first}c")
    assert refund(travelling, first, "128.00", f"{first}r")["sub_code"] == "ACQ.SELLER_BALANCE_NOT_ENOUGH"
    refund(travelling, first, "27.23", f"{first}r")

    book = travelling.http.get("/_sim/alipay/book", params={"since": len(before["entries"])}).json()
    assert [entry["kind"] for entry in book["entries"]] == [
        "payment",
        "payment",
        "refund",
        "settle",
        "refund",
        "clawback",
    ]
    gained = {name: book[name] - before[name] for name in book if name.endswith("_fen")}
    assert gained == {
        "received_fen": 17800,
        "refunded_fen": 5000 + 2723,
        "clawed_back_fen": 2723,
        "settled_fen": 12800 - 77,
        "fee_fen": 77,
        "held_fen": 0,
    }


def test_a_withdrawn_balance_cannot_pay_a_refund(travelling: ShopSide, out_no: str) -> None:
    trade_no = travelling.paid(out_no)["trade_no"]
    confirm(travelling, trade_no, "128.00", f"{out_no}c")
    too_much = travelling.http.post(f"/_sim/alipay/merchants/{SMID}/withdraw", json={"amount_fen": 10**9})
    assert (too_much.status_code, too_much.json()["code"]) == (409, "balance_too_small")
    rest = travelling.http.post(f"/_sim/alipay/merchants/{SMID}/withdraw", json={"amount_fen": 12000}).json()[
        "balance_fen"
    ]
    if rest >= 100:
        travelling.http.post(f"/_sim/alipay/merchants/{SMID}/withdraw", json={"amount_fen": rest}).raise_for_status()
    assert refund(travelling, out_no, "128.00", f"{out_no}r")["sub_code"] == "ACQ.SELLER_BALANCE_NOT_ENOUGH"


def test_a_refund_made_outside_the_shop_is_not_announced(alipay: ShopSide, out_no: str) -> None:
    alipay.paid(out_no, scenario="no_notify")
    answer = alipay.http.post("/_sim/alipay/external-refund", json={"out_trade_no": out_no, "amount_fen": 800})
    assert answer.json()["refunded_fen"] == 800
    assert answer.json()["notifies"] == []


def test_a_days_bill_is_ready_at_ten_the_next_day_and_lists_every_movement(travelling: ShopSide, out_no: str) -> None:
    alipay = travelling
    noon = datetime.now(UTC).astimezone(SHANGHAI).replace(hour=12, minute=0, second=0) + timedelta(days=1)
    move_to(alipay, noon)
    trade_no = alipay.paid(out_no, time_expire=wire(days=3))["trade_no"]
    refund(alipay, out_no, "28.00", f"{out_no}r")
    confirm(alipay, trade_no, "100.00", f"{out_no}c")
    day = noon.date().isoformat()

    assert ask_bill(alipay, "trade", day)["sub_code"] == "invalid_arguments"
    move_to(alipay, noon + timedelta(hours=21))
    assert ask_bill(alipay, "trade", day)["sub_code"] == "isp.bill_not_exist"
    move_to(alipay, noon + timedelta(hours=23))
    trades = bill_lines(alipay, "trade", day)
    assert [(line["业务类型"], line["商户订单号"].strip(), line["订单金额（元）"]) for line in trades] == [
        ("交易", out_no, "128.00"),
        ("退款", out_no, "-28.00"),
    ]
    assert trades[1]["退款批次号/请求号"].strip() == f"{out_no}r"
    movements = bill_lines(alipay, "signcustomer", day)
    assert [(line["业务类型"], line["收入金额（+元）"], line["支出金额（-元）"]) for line in movements] == [
        ("在线支付", "128.00", ""),
        ("交易退款", "", "-28.00"),
        ("直付通结算", "", "-99.40"),
        ("收费", "", "-0.60"),
    ]
    assert movements[-1]["账户余额（元）"] == "0.00"
    # A shop in a network of its own reaches the sandbox by another name than buyers' phones do.
    alipay.http.headers["host"] = "gateway.test:8006"
    assert ask_bill(alipay, "trade", day)["bill_download_url"].startswith("http://gateway.test:8006/alipay/bills/")


def move_to(alipay: ShopSide, moment: datetime) -> None:
    offset_s = (moment - datetime.now(UTC)).total_seconds()
    alipay.http.put("/clock", json={"offset_s": offset_s}).raise_for_status()


def ask_bill(alipay: ShopSide, bill_type: str, day: str) -> dict[str, Any]:
    return alipay.call("alipay.data.dataservice.bill.downloadurl.query", bill_type=bill_type, bill_date=day)


def bill_lines(alipay: ShopSide, bill_type: str, day: str) -> list[dict[str, str]]:
    """The detail lines as a reconciler reads them: comments skipped, GBK decoded."""
    answer = httpx.get(ask_bill(alipay, bill_type, day)["bill_download_url"], trust_env=False)
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert len(archive.namelist()) == 2
        [details] = [name for name in archive.namelist() if "汇总" not in name]
        text = archive.read(details).decode("gbk")
    table = [line for line in text.splitlines() if not line.startswith("#")]
    return list(csv.DictReader(table))


def test_a_bill_link_that_was_changed_leads_nowhere(alipay: ShopSide) -> None:
    changed = alipay.http.get("/alipay/bills/trade-20260101-99999999999999-00000000/x.csv.zip")
    assert (changed.status_code, changed.json()["code"]) == (404, "bill_link_unknown")


def test_a_refund_term_that_is_over_finishes_the_trade(travelling: ShopSide, out_no: str) -> None:
    alipay = travelling
    alipay.paid(out_no)
    alipay.http.post("/clock/advance", json={"seconds": 366 * 86_400}).raise_for_status()
    until(
        lambda: alipay.call("alipay.trade.query", out_trade_no=out_no)["trade_status"] == "TRADE_FINISHED",
        "the trade is finished",
    )
    assert refund(alipay, out_no, "1.00", f"{out_no}r")["sub_code"] == "ACQ.TRADE_HAS_FINISHED"
