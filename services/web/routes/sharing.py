"""Shared links: a visitor's own short link, where it leads, and a poster with its QR code."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Path, Request, Response

from services.web.deal_words import Words
from services.web.gateways.service import Refused, Silent
from services.web.rendering import is_fragment, page
from services.web.routes.deals import can_be_bought, deal_page, shared_preview
from services.web.visits import Signed, Visitor
from services.web.world import Outside

router = APIRouter(include_in_schema=False)

Code = Annotated[str, Path(pattern=r"^[0-9A-Za-z_-]{1,64}$")]


@router.post("/d/{deal_id}/share")
async def share(
    request: Request,
    deal_id: UUID,
    visit: Signed,
    world: Outside,
    share_id: Annotated[UUID, Form()],
    video_id: Annotated[UUID | None, Form()] = None,
) -> Response:
    """A link that remembers who shared it. Without one, the plain address does."""
    plain = f"/v/{video_id}" if video_id else f"/d/{deal_id}"
    try:
        link = await world.services.catalog.share(visit.asker, share_id, deal_id, video_id)
    except Silent:
        link = None
    except Refused as refused:
        if refused.status == 401:
            raise
        link = None
    facts = {"path": link.path if link else plain, "code": link.code if link else None, "plain": plain}
    return page(request, "fragments/share.html" if is_fragment(request) else "share.html", facts)


@router.get("/s/{code}")
async def landing(request: Request, code: Code, visit: Visitor, world: Outside) -> Response:
    """The deal behind a shared link, under the link's own address: apps that draw previews follow no redirect."""
    shared = await world.services.catalog.shared(visit.asker, code)
    deal = await world.services.catalog.deal(visit.asker, shared.deal_id)
    preview = shared_preview(shared.open_graph, deal, f"/s/{code}", visit, world)
    return await deal_page(request, visit, world, deal, source=shared.token, preview=preview)


@router.get("/s/{code}/poster")
async def poster(request: Request, code: Code, visit: Visitor, world: Outside) -> Response:
    """A picture to save or to show, with the link as a QR code."""
    shared = await world.services.catalog.shared(visit.asker, code)
    deal = await world.services.catalog.deal(visit.asker, shared.deal_id)
    facts = {
        "deal": deal,
        "words": Words(deal, visit.language),
        "sells": can_be_bought(deal),
        "link": f"{world.settings.public_url}/s/{code}",
        "code": code,
    }
    return page(request, "poster.html", facts)
