"""The tables; times are milliseconds since the epoch, amounts fen. Each carrier's own stand in its own file here."""

from services.sandbox import store
from services.sandbox.found import offered

SCHEMA_VERSION = 1

_COMMON = (
    "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    """
    CREATE TABLE IF NOT EXISTS pay_links (
        token TEXT PRIMARY KEY, out_trade_no TEXT NOT NULL, params TEXT NOT NULL, seen_ms INTEGER NOT NULL
    ) STRICT
    """,
    "CREATE INDEX IF NOT EXISTS pay_links_by_trade ON pay_links (out_trade_no, seen_ms)",
    """
    CREATE TABLE IF NOT EXISTS trades (
        trade_no TEXT PRIMARY KEY, out_trade_no TEXT NOT NULL UNIQUE, subject TEXT NOT NULL,
        total_fen INTEGER NOT NULL CHECK (total_fen > 0), state TEXT NOT NULL, smid TEXT, settle_info TEXT NOT NULL,
        passback_params TEXT NOT NULL, notify_url TEXT NOT NULL, return_url TEXT NOT NULL, quit_url TEXT NOT NULL,
        buyer_id TEXT NOT NULL, created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL, paid_ms INTEGER,
        closed_ms INTEGER, refunded_fen INTEGER NOT NULL DEFAULT 0, clawed_back_fen INTEGER NOT NULL DEFAULT 0,
        confirmed_fen INTEGER NOT NULL DEFAULT 0,
        CHECK (refunded_fen <= total_fen),
        CHECK (confirmed_fen + refunded_fen - clawed_back_fen <= total_fen)
    ) STRICT
    """,
    "CREATE INDEX IF NOT EXISTS trades_unpaid ON trades (expires_ms) WHERE state = 'WAIT_BUYER_PAY'",
    "CREATE INDEX IF NOT EXISTS trades_paid ON trades (paid_ms) WHERE state = 'TRADE_SUCCESS'",
    """
    CREATE TABLE IF NOT EXISTS refunds (
        trade_no TEXT NOT NULL, out_request_no TEXT NOT NULL, amount_fen INTEGER NOT NULL CHECK (amount_fen > 0),
        at_ms INTEGER NOT NULL, PRIMARY KEY (trade_no, out_request_no)
    ) STRICT
    """,
    """
    CREATE TABLE IF NOT EXISTS confirms (
        out_request_no TEXT PRIMARY KEY, trade_no TEXT NOT NULL, amount_fen INTEGER NOT NULL CHECK (amount_fen > 0),
        fee_fen INTEGER NOT NULL, at_ms INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE IF NOT EXISTS transfers (
        out_biz_no TEXT PRIMARY KEY, order_id TEXT NOT NULL, amount_fen INTEGER NOT NULL CHECK (amount_fen > 0),
        identity TEXT NOT NULL, at_ms INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE IF NOT EXISTS book (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, trade_no TEXT NOT NULL, out_trade_no TEXT NOT NULL,
        out_request_no TEXT NOT NULL, amount_fen INTEGER NOT NULL, fee_fen INTEGER NOT NULL, smid TEXT,
        at_ms INTEGER NOT NULL
    ) STRICT
    """,
    "CREATE INDEX IF NOT EXISTS book_by_time ON book (at_ms)",
    "CREATE INDEX IF NOT EXISTS book_by_smid ON book (smid, kind)",
    """
    CREATE TABLE IF NOT EXISTS outgoing (
        id TEXT NOT NULL, part INTEGER NOT NULL, channel TEXT NOT NULL, url TEXT NOT NULL, body TEXT NOT NULL,
        ref TEXT NOT NULL, flaw TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'pending',
        attempts INTEGER NOT NULL DEFAULT 0, due_ms INTEGER NOT NULL, last_answer TEXT NOT NULL DEFAULT '',
        created_ms INTEGER NOT NULL, PRIMARY KEY (id, part)
    ) STRICT
    """,
    "CREATE INDEX IF NOT EXISTS outgoing_due ON outgoing (due_ms) WHERE state = 'pending'",
    "CREATE INDEX IF NOT EXISTS outgoing_finished ON outgoing (created_ms) WHERE state <> 'pending'",
    "CREATE INDEX IF NOT EXISTS outgoing_by_ref ON outgoing (ref)",
    """
    CREATE TABLE IF NOT EXISTS faults (
        id INTEGER PRIMARY KEY AUTOINCREMENT, provider TEXT NOT NULL, operation TEXT NOT NULL, fault TEXT NOT NULL,
        remaining INTEGER NOT NULL, probability REAL NOT NULL, seconds REAL NOT NULL, code TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE IF NOT EXISTS auth_codes (
        code_hash TEXT PRIMARY KEY, client_id TEXT NOT NULL, redirect_uri TEXT NOT NULL, challenge TEXT NOT NULL,
        subject TEXT NOT NULL, expires_ms INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE IF NOT EXISTS refresh_tokens (
        token_hash TEXT PRIMARY KEY, family TEXT NOT NULL, client_id TEXT NOT NULL, subject TEXT NOT NULL,
        used INTEGER NOT NULL DEFAULT 0, expires_ms INTEGER NOT NULL
    ) STRICT
    """,
    "CREATE INDEX IF NOT EXISTS refresh_tokens_by_family ON refresh_tokens (family)",
    """
    CREATE TABLE IF NOT EXISTS issuer_shops (
        name TEXT PRIMARY KEY, secret TEXT NOT NULL, mode TEXT NOT NULL, platform_url TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE IF NOT EXISTS issuer_codes (
        shop TEXT NOT NULL, unit_id TEXT NOT NULL, order_id TEXT NOT NULL, merchant_id TEXT NOT NULL,
        code TEXT NOT NULL, void INTEGER NOT NULL, PRIMARY KEY (shop, unit_id)
    ) STRICT
    """,
    "CREATE INDEX IF NOT EXISTS issuer_codes_by_order ON issuer_codes (shop, order_id)",
)


def statements() -> tuple[str, ...]:
    """What makes every table that is missing."""
    return (*_COMMON, *(statement for tables in offered(store, "TABLES").values() for statement in tables))
