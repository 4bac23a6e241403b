"""What an attribution token stands for; for operators."""

from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from services.catalog import use_cases
from services.catalog.domain.attribution import Placement, SourceKind
from services.catalog.routes.badges import Tokens
from shared.auth import Caller
from shared.http import Db

router = APIRouter(tags=["operators"])


class AttributionView(BaseModel):
    """`id` is that of the video, livestream or share; `sharer` is who shared."""

    kind: SourceKind
    id: UUID
    placement: Placement
    sharer: str | None
    merchant_id: UUID


@router.get("/attributions/{token}")
async def attribution(token: str, caller: Caller, db: Db, tokens: Tokens) -> AttributionView:
    """The placement by which an order came, and who is behind it."""
    async with db.transaction(read_only=True) as tx:
        source, credited = await use_cases.attribution(tx, token, caller, tokens)
    return AttributionView(
        kind=source.kind,
        id=source.content_id,
        placement=source.placement,
        sharer=credited.sharer,
        merchant_id=credited.merchant_id,
    )
