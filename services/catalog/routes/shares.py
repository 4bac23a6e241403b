"""Links by which people share a deal; what stands behind a link is public, who made it is not."""

from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel

from services.catalog import use_cases
from services.catalog.domain.attribution import Attributions, Placement, Source
from services.catalog.domain.deals import BadgeState
from services.catalog.domain.shares import OpenGraph, Share
from services.catalog.routes.badges import Tokens
from shared.auth import Caller
from shared.http import Db

router = APIRouter(tags=["shares"])


class ShareDeal(BaseModel):
    """`video_id`: the video in which the deal was seen, if it was."""

    deal_id: UUID
    video_id: UUID | None = None


class ShareView(BaseModel):
    """`path` is below the address of the pages; `token` is what an order that comes by the link gives as `source`."""

    code: str
    path: str
    token: str


class OpenGraphView(BaseModel):
    """What a chat shows of the link. `url` is a path; `image` is the name of a drawn cover, or a URL."""

    title: str
    description: str
    image: str
    url: str
    price_fen: int
    original_price_fen: int
    state: BadgeState


class SharedDealView(BaseModel):
    deal_id: UUID
    token: str
    open_graph: OpenGraphView


def _token(share: Share, tokens: Attributions) -> str:
    return tokens.token(Source(Placement.SHARED_LINK, share.share_id))


def _open_graph(preview: OpenGraph) -> OpenGraphView:
    return OpenGraphView(**{name: getattr(preview, name) for name in OpenGraphView.model_fields})


@router.put("/shares/{share_id}", status_code=201, responses={200: {"model": ShareView}})
async def share_deal(
    share_id: UUID, body: ShareDeal, caller: Caller, db: Db, tokens: Tokens, response: Response
) -> ShareView:
    """One's own link to a deal; asking again for the same deal and video gives the same link, with 200."""
    async with db.transaction() as tx:
        share, made = await use_cases.share_deal(tx, share_id, caller, body.deal_id, body.video_id)
    response.status_code = 201 if made else 200
    return ShareView(code=share.code, path=share.path, token=_token(share, tokens))


@router.get("/shares/{code}")
async def show_share(code: str, db: Db, tokens: Tokens) -> SharedDealView:
    """The deal behind a link, and its preview; public."""
    async with db.transaction(read_only=True) as tx:
        share, preview = await use_cases.shared_deal(tx, code)
    return SharedDealView(deal_id=share.deal_id, token=_token(share, tokens), open_graph=_open_graph(preview))
