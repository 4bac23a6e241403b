"""Alipay's bills of a day: offered by a link that lives 30 seconds, packed as a zip of GBK tables."""

import hashlib
import hmac
import io
import sqlite3
import zipfile
from datetime import date, datetime, timedelta
from typing import Any

from services.sandbox.domain.bills import customer_bill, trade_bill
from services.sandbox.domain.refusals import AlipayRefusal, SandboxRefusal
from services.sandbox.domain.requests import TradeKey, read_bill_day
from services.sandbox.domain.terms import AlipayTerms
from services.sandbox.domain.times import SHANGHAI, Instant, day_bounds, from_ms, to_ms
from services.sandbox.domain.trade import Trade
from services.sandbox.store import book, meta, trades

LINK_LIFE = timedelta(seconds=30)


def offer_bill(tx: sqlite3.Connection, terms: AlipayTerms, content: dict[str, Any], links: str, at: Instant) -> str:
    """The address of a finished day's bill; refuses what is not over, not ready or empty."""
    bill_type, day = read_bill_day(content)
    start, end = day_bounds(day)
    if end > at.now:
        raise AlipayRefusal("invalid_arguments", "入参不合法：账单日期必须早于今天")
    if at.now < end + timedelta(hours=terms.bill_hour) or not book.entries_between(tx, start, end):
        raise AlipayRefusal("isp.bill_not_exist", "账单不存在")
    expires_ms = to_ms(at.real + LINK_LIFE)
    token = f"{bill_type}-{day:%Y%m%d}-{expires_ms}"
    return f"{links}/alipay/bills/{token}-{_seal(tx, token)}/{terms.seller_id}_{day:%Y%m%d}.csv.zip"


def fetch_bill(tx: sqlite3.Connection, terms: AlipayTerms, sealed_token: str, at: Instant) -> bytes:
    """The zip behind an offered address."""
    token, _, seal = sealed_token.rpartition("-")
    parts = token.split("-")
    if len(parts) != 3 or not hmac.compare_digest(seal, _seal(tx, token)):
        raise SandboxRefusal(404, "bill_link_unknown", "账单链接无效", "This bill link is unknown.")
    if at.real > from_ms(int(parts[2])):
        raise SandboxRefusal(410, "bill_link_expired", "账单链接已失效", "This bill link lived 30 seconds and is gone.")
    return _pack(tx, terms, parts[0], datetime.strptime(parts[1], "%Y%m%d").replace(tzinfo=SHANGHAI).date(), at.now)


def _pack(tx: sqlite3.Connection, terms: AlipayTerms, bill_type: str, day: date, now: datetime) -> bytes:
    start, end = day_bounds(day)
    entries = book.entries_between(tx, start, end)
    by_no: dict[str, Trade] = {}
    for entry in entries:
        if entry.trade_no and entry.trade_no not in by_no:
            found = trades.find_trade(tx, TradeKey(entry.trade_no, ""))
            if found is not None:
                by_no[entry.trade_no] = found
    if bill_type == "trade":
        sheets = trade_bill(terms.seller_id, day, entries, by_no, now)
    else:
        sheets = customer_bill(terms.seller_id, day, entries, by_no, book.balance_before(tx, start), now)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in sheets.items():
            packed.writestr(name, text.encode("gbk", errors="replace"))
    return archive.getvalue()


def _seal(tx: sqlite3.Connection, token: str) -> str:
    return hmac.new(meta.link_secret(tx).encode(), token.encode(), hashlib.sha256).hexdigest()[:32]
