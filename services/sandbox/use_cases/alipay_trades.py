"""The life of a trade at Alipay: opened by a buyer, closed, refunded, confirmed to the sub-merchant."""

import secrets
import sqlite3
from dataclasses import replace
from datetime import datetime, timedelta

from services.sandbox.domain.refusals import AlipayRefusal, discordant_repeat, trade_not_exist
from services.sandbox.domain.requests import PayRequest, TradeKey
from services.sandbox.domain.terms import AlipayTerms
from services.sandbox.domain.times import Instant, shanghai_day
from services.sandbox.domain.trade import Trade, TradeState, aged, check_closable, fee_of_confirm, split_refund
from services.sandbox.store import book, trades
from services.sandbox.use_cases.alipay_notify import notify_closed, notify_refunded

_NOBODY_YET = "2088000000000000"


def open_trade(
    tx: sqlite3.Connection, terms: AlipayTerms, request: PayRequest, notify_url: str, return_url: str, at: Instant
) -> Trade:
    """The buyer looks at the cashier: from this moment the trade exists. Opening again finds the same trade."""
    found = trades.find_trade(tx, TradeKey("", request.out_trade_no))
    if found is not None:
        if found.total_fen != request.total_fen or found.smid != request.smid:
            raise AlipayRefusal("ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改")
        return age(tx, terms, found, at)
    if at.now >= request.expires_at:
        raise AlipayRefusal("ACQ.NOW_TIME_AFTER_EXPIRE_TIME_ERROR", "已超过最晚付款时间，交易未创建")
    trade = Trade(
        trade_no=_trade_no(at.now),
        out_trade_no=request.out_trade_no,
        subject=request.subject,
        total_fen=request.total_fen,
        state=TradeState.WAIT_BUYER_PAY,
        smid=request.smid,
        settle_info=request.settle_info,
        passback_params=request.passback_params,
        notify_url=notify_url,
        return_url=return_url,
        quit_url=request.quit_url,
        buyer_id=_NOBODY_YET,
        created_at=at.now,
        expires_at=request.expires_at,
        paid_at=None,
        closed_at=None,
        refunded_fen=0,
        clawed_back_fen=0,
        confirmed_fen=0,
    )
    trades.add_trade(tx, trade)
    return trade


def age(tx: sqlite3.Connection, terms: AlipayTerms, trade: Trade, at: Instant) -> Trade:
    """Bring a trade to the state that time alone has brought, and tell the shop if it changed."""
    state = aged(trade, at.now, terms.refund_days)
    if state is trade.state:
        return trade
    closed_at = at.now if state is TradeState.TRADE_CLOSED else trade.closed_at
    trade = replace(trade, state=state, closed_at=closed_at)
    trades.set_state(tx, trade.trade_no, state, at.now)
    notify_closed(tx, terms, trade, at)
    return trade


def age_overdue(tx: sqlite3.Connection, terms: AlipayTerms, at: Instant) -> int:
    """Age every trade whose time has come, a few hundred at once; returns how many."""
    overdue = trades.overdue_trades(tx, at.now, at.now - timedelta(days=terms.refund_days))
    for trade in overdue:
        age(tx, terms, trade, at)
    return len(overdue)


def find(tx: sqlite3.Connection, terms: AlipayTerms, key: TradeKey, at: Instant) -> Trade:
    """The trade as it is now; refuses with ACQ.TRADE_NOT_EXIST."""
    trade = trades.find_trade(tx, key)
    if trade is None:
        raise trade_not_exist()
    return age(tx, terms, trade, at)


def close(tx: sqlite3.Connection, terms: AlipayTerms, key: TradeKey, at: Instant) -> Trade:
    trade = find(tx, terms, key, at)
    check_closable(trade)
    trades.set_state(tx, trade.trade_no, TradeState.TRADE_CLOSED, at.now)
    return trade


def refund(
    tx: sqlite3.Connection,
    terms: AlipayTerms,
    key: TradeKey,
    amount_fen: int,
    out_request_no: str,
    at: Instant,
    announce: bool = True,
) -> tuple[Trade, bool]:
    """Return money to the buyer; the trade afterwards, and whether money moved (False: the same request again)."""
    trade = find(tx, terms, key, at)
    earlier = trades.find_refund(tx, trade.trade_no, out_request_no)
    if earlier is not None:
        if earlier[0] != amount_fen:
            raise discordant_repeat()
        return trade, False
    balance_fen = book.merchant_balance(tx, trade.smid) if trade.smid else 0
    split = split_refund(trade, amount_fen, balance_fen)
    _book(tx, "refund", trade, out_request_no, amount_fen, at.now)
    if split.from_merchant_fen:
        _book(tx, "clawback", trade, out_request_no, split.from_merchant_fen, at.now)
    trades.add_refund(tx, trade.trade_no, out_request_no, amount_fen, split.from_merchant_fen, at.now)
    if split.closes_trade:
        trades.set_state(tx, trade.trade_no, TradeState.TRADE_CLOSED, at.now)
    trade = find(tx, terms, TradeKey(trade.trade_no, ""), at)
    if announce:
        notify_refunded(tx, terms, trade, out_request_no, at.now, at)
    return trade, True


def confirm(
    tx: sqlite3.Connection, terms: AlipayTerms, trade: Trade, amount_fen: int, out_request_no: str, at: Instant
) -> None:
    """直付通 settle.confirm: release held money to the sub-merchant, less the fee. The same request again is ok."""
    earlier = trades.find_confirm(tx, out_request_no)
    if earlier is not None:
        if earlier != (trade.trade_no, amount_fen):
            raise discordant_repeat()
        return
    fee_fen = fee_of_confirm(trade, amount_fen, terms.fee_bp, terms.partial_confirm)
    trades.add_confirm(tx, trade.trade_no, out_request_no, amount_fen, fee_fen, at.now)
    _book(tx, "settle", trade, out_request_no, amount_fen, at.now, fee_fen)


def _book(
    tx: sqlite3.Connection,
    kind: str,
    trade: Trade,
    out_request_no: str,
    amount_fen: int,
    now: datetime,
    fee_fen: int = 0,
) -> None:
    book.add_entry(
        tx,
        kind,
        amount_fen=amount_fen,
        fee_fen=fee_fen,
        now=now,
        trade_no=trade.trade_no,
        out_trade_no=trade.out_trade_no,
        out_request_no=out_request_no,
        smid=trade.smid,
    )


def _trade_no(now: datetime) -> str:
    return f"{shanghai_day(now):%Y%m%d}22001{secrets.randbelow(10**15):015d}"
