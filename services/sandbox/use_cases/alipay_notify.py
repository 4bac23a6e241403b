"""Telling the shop what happened to a trade: the rows that the sender later signs and posts."""

import json
import secrets
import sqlite3
from datetime import datetime, timedelta

from services.sandbox.domain.money import format_yuan
from services.sandbox.domain.scenarios import DUPLICATES, LATE_NOTIFY_S, Scenario
from services.sandbox.domain.terms import AlipayTerms
from services.sandbox.domain.times import Instant, wire_time
from services.sandbox.domain.trade import Trade
from services.sandbox.store import outgoing

CHANNEL = "alipay"
_GENUINE_AFTER_TAMPERED = timedelta(seconds=1)


def notify_paid(
    tx: sqlite3.Connection, terms: AlipayTerms, trade: Trade, scenario: Scenario, delay_s: float | None, at: Instant
) -> None:
    """Announce a payment in the way the scenario says; `delay_s` holds the first notify back."""
    if scenario is Scenario.NO_NOTIFY:
        return
    facts = _facts(terms, trade)
    facts["gmt_payment"] = wire_time(trade.paid_at or at.now)
    if scenario is Scenario.LATE and delay_s is None:
        delay_s = LATE_NOTIFY_S
    due_at = at.real + timedelta(seconds=delay_s or 0)
    notify_id = _notify_id(at)
    if scenario is Scenario.AMOUNT_MISMATCH:
        facts.update(dict.fromkeys(("total_amount", "receipt_amount", "buyer_pay_amount"), _wrong(trade.total_fen)))
    if scenario is Scenario.TAMPERED:
        # Somebody on the way changes the sum; the genuine notify, with its own id, follows.
        _enqueue(tx, trade, notify_id, facts, due_at, at, flaw="tampered")
        notify_id, due_at = _notify_id(at), due_at + _GENUINE_AFTER_TAMPERED
    for part in range(DUPLICATES if scenario is Scenario.DUPLICATED else 1):
        _enqueue(tx, trade, notify_id, facts, due_at, at, part=part)


def notify_closed(tx: sqlite3.Connection, terms: AlipayTerms, trade: Trade, at: Instant) -> None:
    """Announce that nobody paid in time, or that the refund term is over: the state speaks for itself."""
    facts = _facts(terms, trade)
    facts["gmt_close"] = wire_time(trade.closed_at or at.now)
    _enqueue(tx, trade, _notify_id(at), facts, at.real, at)


def notify_refunded(
    tx: sqlite3.Connection, terms: AlipayTerms, trade: Trade, out_request_no: str, refunded_at: datetime, at: Instant
) -> None:
    """Announce a refund; `refund_fee` is the sum of all refunds of the trade so far."""
    facts = _facts(terms, trade)
    facts["gmt_payment"] = wire_time(trade.paid_at or at.now)
    facts["gmt_refund"] = wire_time(refunded_at) + ".000"
    facts["refund_fee"] = format_yuan(trade.refunded_fen)
    facts["out_biz_no"] = out_request_no
    if trade.closed_at:
        facts["gmt_close"] = wire_time(trade.closed_at)
    _enqueue(tx, trade, _notify_id(at), facts, at.real, at)


def _facts(terms: AlipayTerms, trade: Trade) -> dict[str, str]:
    total = format_yuan(trade.total_fen)
    paid = total if trade.paid_at else "0.00"
    facts = {
        "notify_type": "trade_status_sync",
        "app_id": terms.app_id,
        "auth_app_id": terms.app_id,
        "charset": "utf-8",
        "version": "1.0",
        "trade_no": trade.trade_no,
        "out_trade_no": trade.out_trade_no,
        "trade_status": trade.state.value,
        "total_amount": total,
        "receipt_amount": paid,
        "buyer_pay_amount": paid,
        "invoice_amount": paid,
        "point_amount": "0.00",
        "subject": trade.subject,
        "seller_id": terms.seller_id,
        "seller_email": "sandbox@groupbuy.example",
        "buyer_id": trade.buyer_id,
        "buyer_logon_id": "san***@sandbox.example",
        "gmt_create": wire_time(trade.created_at),
        "passback_params": trade.passback_params,
    }
    if trade.paid_at:
        facts["fund_bill_list"] = json.dumps([{"amount": total, "fundChannel": "ALIPAYACCOUNT"}])
    return {name: value for name, value in facts.items() if value}


def _enqueue(
    tx: sqlite3.Connection,
    trade: Trade,
    notify_id: str,
    facts: dict[str, str],
    due_at: datetime,
    at: Instant,
    part: int = 0,
    flaw: str = "",
) -> None:
    if not trade.notify_url:
        return
    outgoing.enqueue(
        tx,
        id=notify_id,
        part=part,
        channel=CHANNEL,
        url=trade.notify_url,
        body=json.dumps({**facts, "notify_id": notify_id}, ensure_ascii=False),
        ref=trade.out_trade_no,
        due_at=due_at,
        created_at=at.real,
        flaw=flaw,
    )


def _notify_id(at: Instant) -> str:
    return f"{at.now:%Y%m%d}00222{secrets.randbelow(10**21):021d}"


def _wrong(total_fen: int) -> str:
    """One fen too little, or too much where there is only one."""
    return format_yuan(total_fen - 1 if total_fen > 1 else total_fen + 1)
