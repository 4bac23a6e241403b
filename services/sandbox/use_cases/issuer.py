"""What a merchant's issuer does when asked: makes codes, hands them over in its own time, takes them back."""

import secrets
import sqlite3
from collections.abc import Mapping
from typing import Any

from services.sandbox.domain.issuer import IssuerShop, MadeCode, Mode
from services.sandbox.domain.refusals import SandboxRefusal
from services.sandbox.store import issuer

_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_LENGTH = 16
_MOST_UNITS = 10


def perform(tx: sqlite3.Connection, shop: IssuerShop, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """Status and answer of one signed call."""
    unit_ids = body.get("unit_ids")
    if not isinstance(unit_ids, list) or not 0 < len(unit_ids) <= _MOST_UNITS:
        return 400, {"error": "unit_ids"}
    wanted = [str(unit_id) for unit_id in unit_ids]
    match body.get("type"):
        case "issue":
            return _issue(tx, shop, str(body.get("order_id")), str(body.get("merchant_id")), wanted)
        case "void":
            issuer.void_codes(tx, shop.name, wanted)
            return 200, {}
        case _:
            return 400, {"error": "type"}


def _issue(
    tx: sqlite3.Connection, shop: IssuerShop, order_id: str, merchant_id: str, unit_ids: list[str]
) -> tuple[int, dict[str, Any]]:
    if shop.mode is Mode.NEVER:
        return 202, {}
    same = f"SAME-{shop.name}".upper()[:64]
    for unit_id in unit_ids:
        code = same if shop.mode is Mode.DUPLICATE else "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
        issuer.add_code(tx, shop.name, MadeCode(unit_id, order_id, merchant_id, code, void=False))
    if shop.mode is Mode.LATE:
        return 202, {}
    made = [one for one in issuer.codes_of(tx, shop.name, order_id) if one.unit_id in unit_ids and not one.void]
    return 200, {"codes": [{"unit_id": one.unit_id, "code": one.code} for one in made]}


def shop_named(tx: sqlite3.Connection, name: str) -> IssuerShop:
    """The shop, or a refusal."""
    shop = issuer.find_shop(tx, name)
    if shop is None:
        raise SandboxRefusal(404, "issuer_unknown", "没有这个发码方", "There is no such issuer here.")
    return shop
