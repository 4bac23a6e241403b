"""Operators work through incidents: see them, take them, say what came of them."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.settlement.domain.incidents import IncidentKind
from services.settlement.store import incidents as store
from services.settlement.use_cases import incidents
from shared.auth import Caller, require_operator
from shared.http import Db
from shared.paging import Cursor, Limit, page_of, read_cursor

router = APIRouter(prefix="/admin/incidents")

Words = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]


class IncidentView(BaseModel):
    incident_id: UUID
    kind: IncidentKind
    subject: str = Field(description="An instruction's id, or a number in the channel's bill")
    day: date | None = Field(description="The day of the bill, where it is a difference to one")
    detail: str
    amount_fen: int
    opened_at: datetime
    owner: str | None
    resolution: str | None
    resolved_by: str | None
    resolved_at: datetime | None


class IncidentList(BaseModel):
    items: list[IncidentView]
    next_cursor: str | None


class Resolution(BaseModel):
    resolution: Words


@router.get("")
async def list_incidents(
    caller: Caller,
    db: Db,
    day: date | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
    *,
    resolved: bool = False,
) -> IncidentList:
    """What is still to be looked at (or, asked for, what is not any more), of all or of one day's bill."""
    after = read_cursor(cursor, UUID)
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
        rows = await store.page(tx, day, after[0] if after else None, limit + 1, resolved=resolved)
    page = page_of(rows, limit, lambda row: (row["incident_id"],))
    return IncidentList(items=[IncidentView(**row) for row in page.items], next_cursor=page.next_cursor)


@router.put("/{incident_id}/owner")
async def take(incident_id: UUID, caller: Caller, db: Db) -> IncidentView:
    """From now on the caller looks at it."""
    async with db.transaction() as tx:
        await require_operator(tx, caller)
        found = await incidents.take(tx, incident_id, caller)
    return IncidentView(**found)


@router.put("/{incident_id}/resolution")
async def resolve(incident_id: UUID, body: Resolution, caller: Caller, db: Db) -> IncidentView:
    """What came of it, in a sentence for whoever asks later."""
    async with db.transaction() as tx:
        await require_operator(tx, caller)
        found = await incidents.resolve(tx, incident_id, body.resolution, caller)
    return IncidentView(**found)
