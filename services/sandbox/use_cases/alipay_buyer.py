"""What the buyer does: opens a pay link, and finishes at the cashier in one of several ways."""

import hashlib
import hmac
import json
import secrets
import sqlite3
from urllib.parse import urlencode

from cryptography.hazmat.primitives.asymmetric import rsa

from services.sandbox.domain import rsa2
from services.sandbox.domain.money import format_yuan
from services.sandbox.domain.refusals import AlipayRefusal, SandboxRefusal
from services.sandbox.domain.requests import TradeKey, read_pay_request
from services.sandbox.domain.scenarios import Scenario
from services.sandbox.domain.terms import AlipayTerms
from services.sandbox.domain.times import Instant, wire_time
from services.sandbox.domain.trade import Trade, TradeState
from services.sandbox.store import book, meta, trades
from services.sandbox.use_cases.alipay_notify import notify_paid
from services.sandbox.use_cases.alipay_trades import find, open_trade

_SYNC_RETURN_UNSIGNED = frozenset({"sign", "sign_type"})


def keep_pay_link(tx: sqlite3.Connection, terms: AlipayTerms, params: dict[str, str], at: Instant) -> str:
    """Remember a verified payment and return the cashier's token; no trade exists yet."""
    request = read_pay_request(params, at.now, terms.known_smids)
    canonical = json.dumps(params, sort_keys=True, ensure_ascii=False)
    token = hmac.new(meta.link_secret(tx).encode(), canonical.encode(), hashlib.sha256).hexdigest()[:40]
    trades.add_link(tx, token, request.out_trade_no, canonical, at.real)
    return token


def open_cashier(tx: sqlite3.Connection, terms: AlipayTerms, token: str, at: Instant) -> Trade:
    """The buyer sees the cashier page: the trade exists from now on."""
    link = trades.find_link(tx, token)
    if link is None:
        raise SandboxRefusal(
            404, "pay_link_not_found", "支付链接不存在或已过期", "This pay link is unknown or too old."
        )
    params = json.loads(link)
    request = read_pay_request(params, at.now, terms.known_smids)
    return open_trade(tx, terms, request, params.get("notify_url", ""), params.get("return_url", ""), at)


def open_by_number(tx: sqlite3.Connection, terms: AlipayTerms, out_trade_no: str, at: Instant) -> Trade:
    """The trade of an out_trade_no, opened now if only its pay link has been seen so far."""
    token = trades.latest_link(tx, out_trade_no)
    if token is not None:
        return open_cashier(tx, terms, token, at)
    return find(tx, terms, TradeKey("", out_trade_no), at)


def finish(
    tx: sqlite3.Connection, terms: AlipayTerms, trade: Trade, scenario: Scenario, delay_s: float | None, at: Instant
) -> Trade:
    """The buyer presses a button of the cashier; the trade afterwards."""
    if trade.state is TradeState.TRADE_CLOSED:
        raise AlipayRefusal("ACQ.TRADE_HAS_CLOSE", "交易已经关闭")
    if trade.state is not TradeState.WAIT_BUYER_PAY:
        raise AlipayRefusal("ACQ.TRADE_HAS_SUCCESS", "交易已被支付")
    if not scenario.pays:
        return trade
    trades.set_paid(tx, trade.trade_no, f"2088{secrets.randbelow(10**12):012d}", at.now)
    book.add_entry(
        tx,
        "payment",
        amount_fen=trade.total_fen,
        now=at.now,
        trade_no=trade.trade_no,
        out_trade_no=trade.out_trade_no,
        smid=trade.smid,
    )
    trade = find(tx, terms, TradeKey(trade.trade_no, ""), at)
    notify_paid(tx, terms, trade, scenario, delay_s, at)
    return trade


def pay_method(tx: sqlite3.Connection, trade: Trade) -> str:
    """By which method the shop asked for this trade; links are forgotten in time, and most are of phones."""
    token = trades.latest_link(tx, trade.out_trade_no)
    link = trades.find_link(tx, token) if token else None
    return str(json.loads(link)["method"]) if link else "alipay.trade.wap.pay"


def return_link(terms: AlipayTerms, trade: Trade, method: str, key: rsa.RSAPrivateKey, at: Instant) -> str:
    """The shop's return_url with Alipay's signed parameters; empty if the shop gave none."""
    if not trade.return_url:
        return ""
    params = {
        "app_id": terms.app_id,
        "auth_app_id": terms.app_id,
        "charset": "utf-8",
        "method": f"{method}.return",
        "out_trade_no": trade.out_trade_no,
        "seller_id": terms.seller_id,
        "timestamp": wire_time(at.now),
        "total_amount": format_yuan(trade.total_fen),
        "trade_no": trade.trade_no,
        "version": "1.0",
    }
    params["sign"] = rsa2.sign(rsa2.content_to_sign(params, _SYNC_RETURN_UNSIGNED), key)
    params["sign_type"] = "RSA2"
    return f"{trade.return_url}{'&' if '?' in trade.return_url else '?'}{urlencode(params)}"
