"""The deal's page: everything before buying."""

import asyncio
import re
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import AfterValidator

from services.web.deal_words import Words
from services.web.formats import count, price
from services.web.gateways.catalog.content import Badge, OpenGraph
from services.web.gateways.catalog.deals import Deal
from services.web.gateways.service import Refused, Silent
from services.web.rendering import page, preview_url
from services.web.texts import Speech
from services.web.visits import Visit, Visitor
from services.web.world import Outside, World

router = APIRouter(include_in_schema=False)

_TOKEN = re.compile(r"[0-9A-Za-z_-]{1,100}")


def token_or_nothing(text: str) -> str:
    """An attribution token as it is; anything else that a link carries is nothing, and stops no purchase."""
    return text if _TOKEN.fullmatch(text) else ""


Source = Annotated[str, Query(), AfterValidator(token_or_nothing)]
"""Where the visitor comes from: the token of a badge, a livestream or a shared link. It goes along to the order."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What other sites show beside a link to this page."""

    title: str
    description: str
    image: str
    path: str


@router.get("/d/{deal_id}")
async def deal(request: Request, deal_id: UUID, visit: Visitor, world: Outside, source: Source = "") -> Response:
    """A deal that cannot be bought names another that can."""
    shown = await world.services.catalog.deal(visit.asker, deal_id)
    return await deal_page(request, visit, world, shown, source=source)


async def deal_page(
    request: Request,
    visit: Visit,
    world: World,
    deal: Deal,
    *,
    source: str,
    preview: Preview | None = None,
) -> Response:
    """The page of a deal, under its own address or that of a shared link."""
    sells = can_be_bought(deal)
    facts = {
        "deal": deal,
        "words": Words(deal, visit.language),
        "sells": sells,
        "other": None if sells else await _another(visit, world, deal.deal_id),
        "source": source,
        "preview": preview or own_preview(deal, visit, world),
    }
    return page(request, "deal.html", facts)


def own_preview(deal: Deal, visit: Visit, world: World) -> Preview:
    """How a deal introduces itself on other sites."""
    t = Speech(visit.language)
    was = t("deal.was", price=price(deal.original_price_fen))
    sold = t("deal.sold", n=count(deal.sold, visit.language))
    return Preview(
        f"{deal.title} {price(deal.price_fen)}",
        " · ".join((deal.merchant.name, was, sold)),
        preview_url(deal.cover, world.settings.public_url),
        f"/d/{deal.deal_id}",
    )


def shared_preview(graph: OpenGraph, deal: Deal, path: str, visit: Visit, world: World) -> Preview:
    """How a shared link introduces its deal: in catalog's words, which name the price of this moment."""
    own = own_preview(deal, visit, world)
    image = preview_url(graph.image or deal.cover, world.settings.public_url)
    return Preview(graph.title or own.title, graph.description or own.description, image, path)


def can_be_bought(deal: Deal) -> bool:
    return deal.state == "ON_SALE" and deal.available > 0


async def _another(visit: Visit, world: World, deal_id: UUID) -> Badge | None:
    try:
        async with asyncio.timeout(2):
            found = await world.services.catalog.feed(visit.asker)
    except (Refused, Silent, TimeoutError):
        return None
    badges = (clip.badge for clip in found.items)
    return next((one for one in badges if one and one.deal_id != deal_id and one.state == "ON_SALE"), None)
