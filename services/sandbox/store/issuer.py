"""SQL of the issuers and the codes that they made."""

import sqlite3

from services.sandbox.domain.issuer import IssuerShop, MadeCode, Mode


def save_shop(tx: sqlite3.Connection, shop: IssuerShop) -> None:
    """Insert or overwrite."""
    tx.execute(
        "INSERT OR REPLACE INTO issuer_shops (name, secret, mode, platform_url) VALUES (?, ?, ?, ?)",
        (shop.name, shop.secret, shop.mode.value, shop.platform_url),
    )


def find_shop(tx: sqlite3.Connection, name: str) -> IssuerShop | None:
    row = tx.execute("SELECT * FROM issuer_shops WHERE name = ?", (name,)).fetchone()
    return IssuerShop(row["name"], row["secret"], Mode(row["mode"]), row["platform_url"]) if row else None


def add_code(tx: sqlite3.Connection, shop: str, code: MadeCode) -> None:
    """Keep a code; a unit that has one keeps it."""
    tx.execute(
        "INSERT OR IGNORE INTO issuer_codes (shop, unit_id, order_id, merchant_id, code, void) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (shop, code.unit_id, code.order_id, code.merchant_id, code.code, int(code.void)),
    )


def void_codes(tx: sqlite3.Connection, shop: str, unit_ids: list[str]) -> None:
    """A unit of which nothing is known is void as well: nothing will be made for it any more."""
    for unit_id in unit_ids:
        tx.execute(
            "INSERT INTO issuer_codes (shop, unit_id, order_id, merchant_id, code, void) VALUES (?, ?, '', '', '', 1) "
            "ON CONFLICT (shop, unit_id) DO UPDATE SET void = 1",
            (shop, unit_id),
        )


def codes_of(tx: sqlite3.Connection, shop: str, order_id: str | None = None, limit: int = 1000) -> list[MadeCode]:
    """Codes of a shop, of one order or the newest of all."""
    rows = tx.execute(
        "SELECT * FROM issuer_codes WHERE shop = ?1 AND (?2 IS NULL OR order_id = ?2) ORDER BY rowid DESC LIMIT ?3",
        (shop, order_id, limit),
    )
    return [
        MadeCode(row["unit_id"], row["order_id"], row["merchant_id"], row["code"], bool(row["void"])) for row in rows
    ]
