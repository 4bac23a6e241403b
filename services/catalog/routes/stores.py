"""Stores: registering a place, what is said of it, giving it back, closing it."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from services.catalog import use_cases
from services.catalog.domain.claims import ClaimState
from services.catalog.domain.stores import Latitude, Longitude, Store, StoreFacts
from services.catalog.domain.text import Line, LongLine, Phone, ShortLine
from services.catalog.routes.common import Decision, Seen, etag
from services.catalog.use_cases import StoreFile
from shared.auth import Caller
from shared.contracts.hours import Hours
from shared.http import Db
from shared.paging import Cursor, Limit, page_of, read_cursor

router = APIRouter(tags=["stores"])

_FACTS = tuple(StoreFacts.__dataclass_fields__)


class ClaimStore(BaseModel):
    """Coordinates are GCJ-02 and lie in China."""

    merchant_id: UUID
    name: ShortLine
    city: ShortLine
    address: LongLine
    latitude: Latitude
    longitude: Longitude
    phone: Phone
    hours: Hours = ()
    licence_evidence: LongLine


class ChangeDetails(BaseModel):
    """What is left out stays. Phone and hours are the holder's to change, everything else the platform's."""

    phone: Phone | None = None
    hours: Hours | None = None
    name: ShortLine | None = None
    city: ShortLine | None = None
    address: LongLine | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None


class ReleaseStore(BaseModel):
    """Nothing more to say."""


class CloseStore(BaseModel):
    """`reason` is needed for closing; merchants and buyers read it."""

    closed: bool
    reason: Annotated[Line, Field(max_length=500)] | None = None


class PublicStore(BaseModel):
    """What a viewer sees of a store."""

    store_id: UUID
    name: str
    city: str
    address: str
    latitude: float
    longitude: float
    phone: str
    hours: Hours
    open: bool


class StoreView(PublicStore):
    """The whole store (`version`) for merchants and operators; `merchant_id` is who holds it. `claim_id`, `state`,
    `reason` and `claim_version` tell of the claim of the merchant in whose name one looks."""

    merchant_id: UUID | None
    version: int
    closed_reason: str | None
    claim_id: UUID | None
    claim_version: int | None
    state: ClaimState | None
    reason: str | None


class StoreList(BaseModel):
    items: list[StoreView]
    next_cursor: str | None


def public_fields(store: Store) -> dict[str, Any]:
    """What everybody may know of a store, by name."""
    facts = {name: getattr(store.facts, name) for name in _FACTS}
    return {"store_id": store.store_id, "open": store.open, **facts}


def public_store(store: Store) -> PublicStore:
    """The public side of a store."""
    return PublicStore(**public_fields(store))


def _view(file: StoreFile) -> StoreView:
    store, claim = file.store, file.claim
    return StoreView(
        **public_fields(store),
        merchant_id=store.merchant_id,
        version=store.version,
        closed_reason=store.closed_reason,
        claim_id=claim.claim_id if claim else None,
        claim_version=claim.version if claim else None,
        state=claim.state if claim else None,
        reason=claim.reason if claim else None,
    )


@router.put("/stores/{store_id}", status_code=201)
async def claim_store(store_id: UUID, body: ClaimStore, caller: Caller, db: Db) -> StoreView:
    """Register a place and claim it for one's merchant."""
    facts = StoreFacts(**{name: getattr(body, name) for name in _FACTS})
    async with db.transaction() as tx:
        file = await use_cases.claim_store(tx, store_id, caller, body.merchant_id, facts, body.licence_evidence)
    return _view(file)


@router.put("/stores/{store_id}/verification")
async def decide_store(store_id: UUID, body: Decision, caller: Caller, db: Db, seen: Seen) -> StoreView:
    """The operator decides the claim of whoever registered the place; `If-Match` quotes the claim's version."""
    async with db.transaction() as tx:
        file = await use_cases.decide_store(
            tx, store_id, caller, approve=body.approve, reason=body.reason, version=seen
        )
    return _view(file)


@router.put("/stores/{store_id}/details")
async def change_details(
    store_id: UUID, body: ChangeDetails, caller: Caller, db: Db, seen: Seen, response: Response
) -> StoreView:
    """Change phone and hours (owner, manager) or anything (operator); `If-Match` quotes the store's version."""
    changes = {name: value for name in _FACTS if (value := getattr(body, name)) is not None}
    async with db.transaction() as tx:
        file = await use_cases.change_details(tx, store_id, caller, changes, seen)
    response.headers.update(etag(file.store.version))
    return _view(file)


@router.put("/stores/{store_id}/release")
async def release_store(store_id: UUID, _: ReleaseStore, caller: Caller, db: Db, seen: Seen) -> StoreView:
    """The owner gives the store back; what was sold for it goes back too, where no other store is left."""
    async with db.transaction() as tx:
        file = await use_cases.release_store(tx, store_id, caller, seen)
    return _view(file)


@router.put("/stores/{store_id}/closing")
async def close_store(store_id: UUID, body: CloseStore, caller: Caller, db: Db, seen: Seen) -> StoreView:
    """The operator closes a store, or opens it again; `If-Match` quotes the store's version."""
    async with db.transaction() as tx:
        file = await use_cases.close_store(tx, store_id, caller, closed=body.closed, reason=body.reason, version=seen)
    return _view(file)


@router.get("/merchants/{merchant_id}/stores")
async def stores_of_merchant(
    merchant_id: UUID, caller: Caller, db: Db, cursor: Cursor = None, limit: Limit = 20
) -> StoreList:
    """The stores that a merchant holds, held or asked for; for its staff and operators."""
    after = read_cursor(cursor, UUID)
    async with db.transaction(read_only=True) as tx:
        found = await use_cases.stores_of_merchant(tx, merchant_id, caller, after[0] if after else None, limit + 1)
    page = page_of(found, limit, lambda file: (file.store.store_id,))
    return StoreList(items=[_view(file) for file in page.items], next_cursor=page.next_cursor)
