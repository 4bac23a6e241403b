"""Search: deals and stores by words, city and, if the visitor agrees, around where they are."""

from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from services.web.gateways.catalog import Looking
from services.web.gateways.catalog.deals import FoundDeals, FoundStores
from services.web.rendering import is_fragment, page
from services.web.visits import Visitor
from services.web.world import Outside

router = APIRouter(include_in_schema=False)

Kind = Literal["deals", "stores"]
Words = Annotated[str, Query(max_length=60)]
# A store's name is part of its place in the list.
LongCursor = Annotated[str | None, Query(max_length=1200)]
Position = Annotated[str, Query(max_length=12)]


@router.get("/search")
async def search(
    request: Request,
    visit: Visitor,
    world: Outside,
    kind: Annotated[Kind, Query(alias="for")] = "deals",
    q: Words = "",
    city: Words = "",
    latitude: Position = "",
    longitude: Position = "",
    cursor: LongCursor = None,
) -> Response:
    """A page of what was found; the piece of a longer list where htmx asks for more."""
    point = _point(latitude, longitude)
    looking = Looking(
        q=q.strip(), city=city.strip(), latitude=point[0] if point else None, longitude=point[1] if point else None
    )
    find = world.services.catalog.find_deals if kind == "deals" else world.services.catalog.find_stores
    found: FoundDeals | FoundStores = await find(visit.asker, looking, cursor)
    facts = {
        "kind": kind,
        "looking": looking,
        "found": found.items,
        "more": _address(kind, looking, found.next_cursor) if found.next_cursor else None,
        "tabs": [(name, _address(name, looking)) for name in ("deals", "stores")],
        "anywhere": _address(kind, looking.model_copy(update={"latitude": None, "longitude": None})),
    }
    return page(request, "fragments/found.html" if is_fragment(request) else "search.html", facts)


def _point(latitude: str, longitude: str) -> tuple[float, float] | None:
    """The position in the address, or None for none in China: elsewhere there are no stores, so it only widens the
    search."""
    try:
        north, east = float(latitude), float(longitude)
    except ValueError:
        return None
    return (north, east) if 3 <= north <= 54 and 73 <= east <= 136 else None


def _address(kind: str, looking: Looking, cursor: str | None = None) -> str:
    given = {"for": kind, **looking.model_dump(), "cursor": cursor}
    return "/search?" + urlencode({name: value for name, value in given.items() if value not in (None, "")})
