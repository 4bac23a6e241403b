"""Transfers from the platform's own account to another Alipay account, and what became of them."""

import secrets
import sqlite3
from typing import Any

from services.sandbox.domain.money import format_yuan
from services.sandbox.domain.refusals import AlipayRefusal
from services.sandbox.domain.terms import AlipayTerms
from services.sandbox.domain.times import Instant, shanghai_day, wire_time
from services.sandbox.domain.transfers import Transfer, check_payee, read_out_biz_no, read_transfer
from services.sandbox.store import book, transfers


def transfer(tx: sqlite3.Connection, _terms: AlipayTerms, content: dict[str, Any], at: Instant) -> dict[str, Any]:
    """Move money once per out_biz_no. The same request again answers with the first result."""
    request = read_transfer(content)
    found = transfers.find_transfer(tx, request.out_biz_no)
    if found is not None:
        if (found.amount_fen, found.identity) != (request.amount_fen, request.payee.identity):
            raise AlipayRefusal("PAYMENT_INFO_INCONSISTENCY", "两次请求商户单号一样，但是参数不一致")
        return _result(found)
    check_payee(request.payee)
    if request.amount_fen > book.own_balance(tx):
        raise AlipayRefusal("PAYER_BALANCE_NOT_ENOUGH", "付款方余额不足")
    made = Transfer(request.out_biz_no, _order_id(at), request.amount_fen, request.payee.identity, at.now)
    transfers.add_transfer(tx, made)
    book.add_entry(
        tx,
        "transfer",
        amount_fen=made.amount_fen,
        now=at.now,
        trade_no=made.order_id,
        out_request_no=made.out_biz_no,
    )
    return _result(made)


def query(tx: sqlite3.Connection, _terms: AlipayTerms, content: dict[str, Any], _at: Instant) -> dict[str, Any]:
    """What became of a transfer; refuses with ORDER_NOT_EXIST when nothing moved under this number."""
    found = transfers.find_transfer(tx, read_out_biz_no(content))
    if found is None:
        raise AlipayRefusal("ORDER_NOT_EXIST", "转账订单不存在")
    return {**_result(found), "order_fee": "0.00"}


def _result(made: Transfer) -> dict[str, Any]:
    return {
        "out_biz_no": made.out_biz_no,
        "order_id": made.order_id,
        "pay_fund_order_id": made.order_id,
        "trans_amount": format_yuan(made.amount_fen),
        "status": "SUCCESS",
        "trans_date": wire_time(made.at),
    }


def _order_id(at: Instant) -> str:
    return f"{shanghai_day(at.now):%Y%m%d}11007000{secrets.randbelow(10**16):016d}"
