"""Alipay's gateway: verifies a request, does what its method says, and answers with a signed node."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from services.sandbox.domain import rsa2
from services.sandbox.domain.money import format_yuan
from services.sandbox.domain.refusals import AlipayRefusal, invalid_parameter
from services.sandbox.domain.requests import (
    TradeKey,
    read_amount,
    read_biz_content,
    read_confirm_amount,
    read_out_request_no,
    read_query_options,
    read_trade_key,
)
from services.sandbox.domain.terms import AlipayTerms
from services.sandbox.domain.times import Instant, parse_wire_time, shanghai_day, wire_time
from services.sandbox.domain.trade import TradeState
from services.sandbox.store import trades
from services.sandbox.use_cases import alipay_bills, alipay_buyer, alipay_trades, alipay_transfers

# These two are opened by a browser; their answer is the way to the cashier.
PAGE_METHODS = frozenset({"alipay.trade.wap.pay", "alipay.trade.page.pay"})
APP_METHODS = frozenset({"alipay.trade.app.pay"})
_PRECREATE = "alipay.trade.precreate"

_HAS_CLOSE = ("ACQ.TRADE_HAS_CLOSE", "交易已经关闭")
_HAS_SUCCESS = ("ACQ.TRADE_HAS_SUCCESS", "交易已被支付")

Node = dict[str, Any]
Method = Callable[[sqlite3.Connection, AlipayTerms, dict[str, Any], Instant], Node]


def check_request(params: dict[str, str], terms: AlipayTerms, key: rsa.RSAPublicKey) -> None:
    """Refuse, in Alipay's words, what is not a well-formed request signed by the shop."""
    for name in ("app_id", "method", "sign_type", "sign", "timestamp", "version"):
        if not params.get(name):
            raise AlipayRefusal(f"isv.missing-{name.replace('_', '-')}", f"缺少{name}参数", code="40001")
    if params["app_id"] != terms.app_id:
        raise AlipayRefusal("isv.invalid-app-id", "无效的AppID参数", code="40002")
    if params["sign_type"] != "RSA2":
        raise AlipayRefusal("isv.invalid-signature-type", "无效的签名类型", code="40002")
    if params.get("charset", "utf-8").lower() != "utf-8":
        raise AlipayRefusal("isv.invalid-charset", "字符集错误", code="40002")
    if params["version"] != "1.0":
        raise AlipayRefusal("isv.invalid-version", "版本号错误", code="40002")
    try:
        parse_wire_time(params["timestamp"])
    except ValueError:
        raise AlipayRefusal("isv.invalid-timestamp", "时间戳参数无效", code="40002") from None
    if not rsa2.is_genuine(rsa2.content_to_sign(params), params["sign"], key):
        raise AlipayRefusal("isv.invalid-signature", "无效签名", code="40002")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the gateway stands: as its caller reached it, who fetches bills too, and as buyers' phones do."""

    caller: str
    public: str


def perform(
    tx: sqlite3.Connection, terms: AlipayTerms, params: dict[str, str], addresses: Addresses, at: Instant
) -> Node:
    """Do what a checked request asks."""
    method = params["method"]
    content = read_biz_content(params.get("biz_content", ""))
    if method == "alipay.data.dataservice.bill.downloadurl.query":
        return {"bill_download_url": alipay_bills.offer_bill(tx, terms, content, addresses.caller, at)}
    if method == _PRECREATE:
        return _precreate(tx, terms, params, addresses.public, at)
    if method not in _METHODS:
        raise AlipayRefusal("isv.invalid-method", "不存在的方法名", code="40002")
    return _METHODS[method](tx, terms, content, at)


def success(node: Node) -> Node:
    return {"code": "10000", "msg": "Success", **node}


def failure(refusal: AlipayRefusal) -> Node:
    return {"code": refusal.code, "msg": refusal.msg, "sub_code": refusal.sub_code, "sub_msg": refusal.sub_msg}


def envelope(method: str, node: Node, key: rsa.RSAPrivateKey, forged: bool = False) -> str:
    """The answer's text; the signature covers exactly the node's characters, slashes escaped as Alipay does."""
    name = f"{method.replace('.', '_')}_response" if method else "error_response"
    raw = json.dumps(node, ensure_ascii=False, separators=(",", ":")).replace("/", "\\/")
    signature = rsa2.sign(raw, key)
    return f'{{"{name}":{raw},"sign":"{rsa2.forge(signature) if forged else signature}"}}'


def _precreate(tx: sqlite3.Connection, terms: AlipayTerms, params: dict[str, str], links: str, at: Instant) -> Node:
    """A code to scan; the trade exists only once somebody has scanned it. Asked again, another code for the same."""
    token = alipay_buyer.keep_pay_link(tx, terms, params, at)
    number = read_trade_key(read_biz_content(params["biz_content"])).out_trade_no
    found = trades.find_trade(tx, TradeKey("", number))
    if found is not None and alipay_trades.age(tx, terms, found, at).state is not TradeState.WAIT_BUYER_PAY:
        raise AlipayRefusal(*(_HAS_CLOSE if found.paid_at is None else _HAS_SUCCESS))
    return {"out_trade_no": number, "qr_code": f"{links}/alipay/cashier/{token}"}


def _query(tx: sqlite3.Connection, terms: AlipayTerms, content: dict[str, Any], at: Instant) -> Node:
    trade = alipay_trades.find(tx, terms, read_trade_key(content), at)
    total = format_yuan(trade.total_fen)
    paid = total if trade.paid_at else "0.00"
    node: Node = {
        "trade_no": trade.trade_no,
        "out_trade_no": trade.out_trade_no,
        "buyer_logon_id": "san***@sandbox.example",
        "buyer_user_id": trade.buyer_id,
        "trade_status": trade.state.value,
        "total_amount": total,
        "receipt_amount": paid,
        "buyer_pay_amount": paid,
        "invoice_amount": paid,
        "point_amount": "0.00",
    }
    if trade.paid_at:
        node["send_pay_date"] = wire_time(trade.paid_at)
    if trade.passback_params:
        node["passback_params"] = trade.passback_params
    if "trade_settle_info" in read_query_options(content):
        details = [_settled(*confirm) for confirm in trades.confirms_of(tx, trade.trade_no)]
        node["trade_settle_info"] = {"trade_settle_detail_list": details}
    return node


def _settled(serial_no: int, amount_fen: int, at: datetime) -> Node:
    """One confirm as the query shows it: before the fee, and under Alipay's number instead of the shop's."""
    return {
        "operation_type": "settle",
        "operation_serial_no": f"{shanghai_day(at):%Y%m%d}0020{serial_no:016d}",
        "operation_dt": wire_time(at),
        "amount": format_yuan(amount_fen),
    }


def _close(tx: sqlite3.Connection, terms: AlipayTerms, content: dict[str, Any], at: Instant) -> Node:
    trade = alipay_trades.close(tx, terms, read_trade_key(content), at)
    return {"trade_no": trade.trade_no, "out_trade_no": trade.out_trade_no}


def _refund(tx: sqlite3.Connection, terms: AlipayTerms, content: dict[str, Any], at: Instant) -> Node:
    key = read_trade_key(content)
    amount_fen = read_amount(content, "refund_amount")
    trade = alipay_trades.find(tx, terms, key, at)
    # Alipay lets the number be left out when the whole sum is refunded at once; it then stands for the trade.
    if "out_request_no" not in content and amount_fen != trade.total_fen:
        raise invalid_parameter("out_request_no")
    out_request_no = read_out_request_no(content, default=trade.out_trade_no)
    trade, moved = alipay_trades.refund(tx, terms, key, amount_fen, out_request_no, at)
    refunded = trades.find_refund(tx, trade.trade_no, out_request_no)
    return {
        "trade_no": trade.trade_no,
        "out_trade_no": trade.out_trade_no,
        "buyer_logon_id": "san***@sandbox.example",
        "buyer_user_id": trade.buyer_id,
        "fund_change": "Y" if moved else "N",
        "refund_fee": format_yuan(trade.refunded_fen),
        "send_back_fee": format_yuan(amount_fen if moved else 0),
        "gmt_refund_pay": wire_time(refunded[1] if refunded else at.now),
    }


def _refund_query(tx: sqlite3.Connection, terms: AlipayTerms, content: dict[str, Any], at: Instant) -> Node:
    trade = alipay_trades.find(tx, terms, read_trade_key(content), at)
    out_request_no = read_out_request_no(content)
    refunded = trades.find_refund(tx, trade.trade_no, out_request_no)
    if refunded is None:
        return {}  # Alipay answers 10000 without any refund field: nothing was refunded under this number
    return {
        "trade_no": trade.trade_no,
        "out_trade_no": trade.out_trade_no,
        "out_request_no": out_request_no,
        "total_amount": format_yuan(trade.total_fen),
        "refund_amount": format_yuan(refunded[0]),
        "refund_status": "REFUND_SUCCESS",
        "gmt_refund_pay": wire_time(refunded[1]),
    }


def _settle_confirm(tx: sqlite3.Connection, terms: AlipayTerms, content: dict[str, Any], at: Instant) -> Node:
    key = read_trade_key(content)
    if not key.trade_no:
        raise invalid_parameter("trade_no")
    trade = alipay_trades.find(tx, terms, key, at)
    out_request_no = read_out_request_no(content)
    amount_fen = read_confirm_amount(content, trade.smid)
    alipay_trades.confirm(tx, terms, trade, amount_fen, out_request_no, at)
    return {
        "trade_no": trade.trade_no,
        "out_request_no": out_request_no,
        "settle_amount": format_yuan(amount_fen),
    }


_METHODS: dict[str, Method] = {
    "alipay.trade.query": _query,
    "alipay.trade.close": _close,
    "alipay.trade.refund": _refund,
    "alipay.trade.fastpay.refund.query": _refund_query,
    "alipay.trade.settle.confirm": _settle_confirm,
    "alipay.fund.trans.uni.transfer": alipay_transfers.transfer,
    "alipay.fund.trans.common.query": alipay_transfers.query,
}
