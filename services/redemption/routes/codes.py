"""How a merchant supplies codes of its own: pools that it fills, and the issuer that it names."""

import asyncio
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, Field, SecretStr

from services.redemption import use_cases
from services.redemption.domain.third_party import MOST_CODES
from shared.auth import Caller
from shared.http import Db
from shared.service import World

router = APIRouter(prefix="/merchants/{merchant_id}")


class ImportCodes(BaseModel):
    """Codes as their issuer wrote them: 1 to 64 printable characters each. Two that differ only in case, spaces,
    hyphens or the width of their letters are the same code."""

    codes: Annotated[list[Annotated[str, Field(max_length=200)]], Field(min_length=1, max_length=MOST_CODES)]


class ImportView(BaseModel):
    import_id: UUID
    deal_id: UUID
    codes: int
    imported_at: datetime


@router.put("/code-pools/{deal_id}/imports/{import_id}", status_code=201)
async def import_codes(
    merchant_id: UUID, deal_id: UUID, import_id: UUID, body: ImportCodes, caller: Caller, db: Db, world: World
) -> ImportView:
    """Add codes to the pool of a deal, all or none; for the merchant's owner and managers."""
    batch = await asyncio.to_thread(
        use_cases.make_batch, world.codes, merchant_id, deal_id, import_id, tuple(body.codes)
    )
    async with db.transaction() as tx:
        done = await use_cases.import_codes(tx, batch, caller)
    return ImportView(import_id=import_id, deal_id=done.deal_id, codes=done.codes, imported_at=done.imported_at)


class PoolView(BaseModel):
    """How many codes of the deal are in which state; `waiting` certificates have none yet."""

    deal_id: UUID
    free: int
    allocated: int
    used: int
    void: int
    waiting: int


@router.get("/code-pools/{deal_id}")
async def pool(merchant_id: UUID, deal_id: UUID, caller: Caller, db: Db) -> PoolView:
    """The pool of a deal; for the merchant's owner, managers and finance."""
    async with db.transaction(read_only=True) as tx:
        state = await use_cases.pool_state(tx, merchant_id, deal_id, caller)
    return PoolView(
        deal_id=deal_id,
        free=state.free,
        allocated=state.allocated,
        used=state.used,
        void=state.void,
        waiting=state.waiting,
    )


def _is_printable(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if not (text.isascii() and text.isprintable()):
        raise ValueError("printable ASCII only")
    return secret


class SetIssuer(BaseModel):
    """`secret` signs in both directions; it can be replaced and never read."""

    url: Annotated[str, Field(min_length=1, max_length=500)]
    secret: Annotated[SecretStr, Field(min_length=32, max_length=200), AfterValidator(_is_printable)]


class IssuerView(BaseModel):
    url: str
    changed_at: datetime


@router.put("/code-issuer")
async def set_issuer(merchant_id: UUID, body: SetIssuer, caller: Caller, db: Db, world: World) -> IssuerView:
    """Name the merchant's issuer: an https address of the public Internet; for its owner."""
    async with db.transaction() as tx:
        issuer = await use_cases.set_issuer(
            tx,
            world.codes,
            merchant_id,
            caller,
            body.url,
            body.secret.get_secret_value(),
            allow_loopback=world.allow_loopback,
        )
    return IssuerView(url=issuer.url, changed_at=issuer.changed_at)


@router.get("/code-issuer")
async def issuer(merchant_id: UUID, caller: Caller, db: Db) -> IssuerView:
    """The merchant's issuer, for its owner."""
    async with db.transaction(read_only=True) as tx:
        found = await use_cases.issuer_of(tx, merchant_id, caller)
    return IssuerView(url=found.url, changed_at=found.changed_at)
