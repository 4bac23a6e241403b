"""The business contents (biz_content) of Alipay requests, read as strictly as Alipay reads them."""

import json
import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from services.sandbox.domain.money import parse_yuan
from services.sandbox.domain.refusals import invalid_parameter
from services.sandbox.domain.times import parse_timeout, parse_wire_time

_OUT_NO = re.compile(r"[A-Za-z0-9_]{1,64}")
_OUT_REQUEST_NO = re.compile(r"[A-Za-z0-9_\-]{1,64}")
_SMID = re.compile(r"2088[0-9]{12}")
_DEFAULT_TIMEOUT = "15d"  # a payment without a limit stays payable for fifteen days

# Which products each way to pay may name; only a precreate may leave its product out.
PRODUCTS = {
    "alipay.trade.wap.pay": frozenset({"QUICK_WAP_PAY", "QUICK_WAP_WAY"}),
    "alipay.trade.page.pay": frozenset({"FAST_INSTANT_TRADE_PAY"}),
    "alipay.trade.app.pay": frozenset({"QUICK_MSECURITY_PAY"}),
    "alipay.trade.precreate": frozenset({"FACE_TO_FACE_PAYMENT", "OFFLINE_PAYMENT", "QR_CODE_OFFLINE", ""}),
}


@dataclass(frozen=True, slots=True)
class PayRequest:
    """A verified payment: what the cashier shows and what the trade will be."""

    out_trade_no: str
    total_fen: int
    subject: str
    expires_at: datetime
    quit_url: str
    passback_params: str
    smid: str | None
    settle_info: str


@dataclass(frozen=True, slots=True)
class TradeKey:
    """Which trade is meant; the trade_no wins when both are given."""

    trade_no: str
    out_trade_no: str


def read_biz_content(text: str) -> dict[str, Any]:
    """The JSON object of biz_content."""
    try:
        content = json.loads(text)
    except ValueError:
        raise invalid_parameter("biz_content 不是 JSON") from None
    if not isinstance(content, dict):
        raise invalid_parameter("biz_content 不是 JSON 对象")
    return content


def read_trade_key(content: dict[str, Any]) -> TradeKey:
    key = TradeKey(_text(content, "trade_no"), _text(content, "out_trade_no"))
    if not key.trade_no and not key.out_trade_no:
        raise invalid_parameter("trade_no 与 out_trade_no 不能同时为空")
    return key


def read_amount(content: dict[str, Any], name: str) -> int:
    """A positive amount in fen."""
    try:
        amount_fen = parse_yuan(content.get(name))
    except ValueError:
        raise invalid_parameter(name) from None
    if amount_fen <= 0:
        raise invalid_parameter(name)
    return amount_fen


def read_out_request_no(content: dict[str, Any], default: str = "") -> str:
    number = _text(content, "out_request_no") or default
    if not _OUT_REQUEST_NO.fullmatch(number):
        raise invalid_parameter("out_request_no")
    return number


def read_pay_request(params: dict[str, str], now: datetime, known_smids: frozenset[str]) -> PayRequest:
    """What the parameters of a wap, page, app or precreate payment ask for; relative limits count from `now`."""
    content = read_biz_content(params.get("biz_content", ""))
    out_trade_no, subject = _text(content, "out_trade_no"), _text(content, "subject")
    if not _OUT_NO.fullmatch(out_trade_no):
        raise invalid_parameter("out_trade_no")
    if not subject or len(subject) > 256:
        raise invalid_parameter("subject")
    if _text(content, "product_code") not in PRODUCTS.get(params.get("method", ""), ()):
        raise invalid_parameter("product_code")
    total_fen = read_amount(content, "total_amount")
    return PayRequest(
        out_trade_no=out_trade_no,
        total_fen=total_fen,
        subject=subject,
        expires_at=_expiry(content, now),
        quit_url=_text(content, "quit_url"),
        passback_params=_text(content, "passback_params"),
        smid=_smid(content, known_smids),
        settle_info=_settle_info(content, total_fen),
    )


def read_confirm_amount(content: dict[str, Any], smid: str | None) -> int:
    """The amount of the single settle detail, in fen; a named receiver must be the trade's own sub-merchant."""
    details = _settle_details(content)
    if len(details) != 1:
        raise invalid_parameter("settle_info.settle_detail_infos")
    receiver = _text(details[0], "trans_in")
    if receiver and receiver != smid:
        raise invalid_parameter("settle_info.settle_detail_infos.trans_in")
    return read_amount(details[0], "amount")


def read_bill_day(content: dict[str, Any]) -> tuple[str, date]:
    """Bill type and day of a bill.downloadurl.query."""
    bill_type = _text(content, "bill_type")
    try:
        day = date.fromisoformat(_text(content, "bill_date"))
    except ValueError:
        raise invalid_parameter("bill_date") from None
    if bill_type not in ("trade", "signcustomer"):
        raise invalid_parameter("bill_type")
    return bill_type, day


def read_query_options(content: dict[str, Any]) -> frozenset[str]:
    """What a query wants to know besides what it always says."""
    options = content.get("query_options", [])
    if not isinstance(options, list) or not all(isinstance(option, str) for option in options):
        raise invalid_parameter("query_options")
    return frozenset(options)


def _text(content: dict[str, Any], name: str) -> str:
    value = content.get(name, "")
    if value is None:
        return ""
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise invalid_parameter(name)
    return str(value)


def _expiry(content: dict[str, Any], now: datetime) -> datetime:
    absolute, relative = _text(content, "time_expire"), _text(content, "timeout_express")
    try:
        if absolute:
            return parse_wire_time(absolute)
        return parse_timeout(relative or _DEFAULT_TIMEOUT, now)
    except ValueError:
        raise invalid_parameter("time_expire" if absolute else "timeout_express") from None


def _smid(content: dict[str, Any], known_smids: frozenset[str]) -> str | None:
    sub_merchant = content.get("sub_merchant")
    if sub_merchant is None:
        return None
    smid = _text(sub_merchant, "merchant_id") if isinstance(sub_merchant, dict) else ""
    if not _SMID.fullmatch(smid) or (known_smids and smid not in known_smids):
        raise invalid_parameter("sub_merchant.merchant_id")
    return smid


def _settle_info(content: dict[str, Any], total_fen: int) -> str:
    if "settle_info" not in content:
        return ""
    details = _settle_details(content)
    if sum(read_amount(detail, "amount") for detail in details) != total_fen:
        raise invalid_parameter("settle_info.settle_detail_infos.amount")
    return json.dumps(content["settle_info"], ensure_ascii=False, sort_keys=True)


def _settle_details(content: dict[str, Any]) -> list[dict[str, Any]]:
    settle_info = content.get("settle_info")
    details = settle_info.get("settle_detail_infos") if isinstance(settle_info, dict) else None
    if not isinstance(details, list) or not all(isinstance(detail, dict) for detail in details) or not details:
        raise invalid_parameter("settle_info.settle_detail_infos")
    return details
