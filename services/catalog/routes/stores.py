"""Claiming stores."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.catalog import use_cases
from services.catalog.domain.stores import Store, StoreClaim, StoreState
from services.catalog.domain.text import LongLine, Phone, ShortLine
from services.catalog.routes.common import Decision, Seen
from shared.auth import Caller
from shared.http import Db

router = APIRouter(tags=["stores"])


class ClaimStore(BaseModel):
    """Coordinates are GCJ-02."""

    merchant_id: UUID
    name: ShortLine
    city: ShortLine
    address: LongLine
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    phone: Phone
    hours: LongLine
    licence_evidence: LongLine


class PublicStore(BaseModel):
    """What a viewer sees of a store."""

    store_id: UUID
    name: str
    city: str
    address: str
    latitude: float
    longitude: float
    phone: str
    hours: str
    open: bool


class StoreView(PublicStore):
    merchant_id: UUID
    version: int
    state: StoreState
    reason: str | None


def public_store(store: Store) -> PublicStore:
    """The public side of a store."""
    return PublicStore(**_public_fields(store))


def store_view(store: Store) -> StoreView:
    """The whole store, for its merchant and operators."""
    return StoreView(
        **_public_fields(store),
        merchant_id=store.claim.merchant_id,
        version=store.version,
        state=store.state,
        reason=store.reason,
    )


def _public_fields(store: Store) -> dict[str, object]:
    claimed = ("name", "city", "address", "latitude", "longitude", "phone", "hours")
    return {
        "store_id": store.store_id,
        "open": store.open,
        **{name: getattr(store.claim, name) for name in claimed},
    }


@router.put("/stores/{store_id}", status_code=201)
async def claim_store(store_id: UUID, body: ClaimStore, caller: Caller, db: Db) -> StoreView:
    """Claim a store for one's merchant."""
    async with db.transaction() as tx:
        store = await use_cases.claim_store(tx, store_id, caller, StoreClaim(**dict(body)))
    return store_view(store)


@router.put("/stores/{store_id}/verification")
async def decide_store(store_id: UUID, body: Decision, caller: Caller, db: Db, seen: Seen) -> StoreView:
    """The operator verifies or rejects a claim."""
    async with db.transaction() as tx:
        store = await use_cases.decide_store(
            tx, store_id, caller, approve=body.approve, reason=body.reason, version=seen
        )
    return store_view(store)
