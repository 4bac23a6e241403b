"""A transfer from the platform's own account, read as strictly as Alipay reads it (alipay.fund.trans.uni.transfer)."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.sandbox.domain.money import parse_yuan
from services.sandbox.domain.refusals import AlipayRefusal

MINIMUM_FEN = 10
MAXIMUM_FEN = 10_000_000_000
_OUT_BIZ_NO = re.compile(r"[A-Za-z0-9_\-]{1,64}")
_USER_ID = re.compile(r"2088[0-9]{12}")
_LOGON_ID = re.compile(r"1[0-9]{10}|[^@\s]{1,64}@[^@\s]{1,60}")
_NOBODY = "nobody"
"""An account of this sandbox that begins like this does not exist."""


@dataclass(frozen=True, slots=True)
class Payee:
    identity_type: str
    identity: str
    name: str


@dataclass(frozen=True, slots=True)
class TransferRequest:
    out_biz_no: str
    amount_fen: int
    payee: Payee
    title: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """Money that has moved."""

    out_biz_no: str
    order_id: str
    amount_fen: int
    identity: str
    at: datetime


def read_transfer(content: dict[str, Any]) -> TransferRequest:
    """The business content of a transfer; refuses what Alipay refuses before it looks at any account."""
    if content.get("product_code") != "TRANS_ACCOUNT_NO_PWD":
        raise _invalid("product_code")
    if content.get("biz_scene") != "DIRECT_TRANSFER":
        raise _invalid("biz_scene")
    title = content.get("order_title")
    if not isinstance(title, str) or not 1 <= len(title) <= 128:
        raise _invalid("order_title")
    return TransferRequest(read_out_biz_no(content), _amount(content), _payee(content.get("payee_info")), title)


def read_out_biz_no(content: dict[str, Any]) -> str:
    number = content.get("out_biz_no")
    if not isinstance(number, str) or not _OUT_BIZ_NO.fullmatch(number):
        raise _invalid("out_biz_no")
    return number


def check_payee(payee: Payee) -> None:
    """Refuse a payee of whom there is no account."""
    pattern = _USER_ID if payee.identity_type == "ALIPAY_USER_ID" else _LOGON_ID
    if payee.identity.startswith(_NOBODY) or not pattern.fullmatch(payee.identity):
        raise AlipayRefusal("PAYEE_NOT_EXIST", "收款账号不存在")


def _amount(content: dict[str, Any]) -> int:
    try:
        amount_fen = parse_yuan(content.get("trans_amount"))
    except ValueError:
        raise _invalid("trans_amount") from None
    if amount_fen < MINIMUM_FEN:
        raise AlipayRefusal("EXCEED_LIMIT_SM_MIN_AMOUNT", "单笔最低转账金额0.1元")
    if amount_fen > MAXIMUM_FEN:
        raise AlipayRefusal("EXCEED_LIMIT_SM_AMOUNT", "单笔额度超限")
    return amount_fen


def _payee(info: Any) -> Payee:
    if not isinstance(info, dict):
        raise _invalid("payee_info")
    kind, identity, name = info.get("identity_type"), info.get("identity"), info.get("name") or ""
    if kind not in ("ALIPAY_USER_ID", "ALIPAY_LOGON_ID") or not isinstance(identity, str) or not identity:
        raise _invalid("payee_info.identity")
    if not isinstance(name, str) or (kind == "ALIPAY_LOGON_ID" and not name):
        raise _invalid("payee_info.name")
    return Payee(kind, identity, name)


def _invalid(detail: str) -> AlipayRefusal:
    return AlipayRefusal("INVALID_PARAMETER", f"参数有误：{detail}")
