"""Where a developer lands after `up`: people to be, addresses, commands that run. Development only."""

from fastapi import APIRouter, Request, Response

from services.web.gateways.service import Silent
from services.web.rendering import COVERS, page
from services.web.settings import Settings
from services.web.visits import Visitor
from services.web.world import Outside
from shared.errors import NotFound

router = APIRouter(include_in_schema=False)

_LANDINGS = {"operator": "/o", "merchant": "/m", "clerk": "/scan", "rider": "/m"}


@router.get("/dev")
async def developers(request: Request, _: Visitor, world: Outside) -> Response:
    """Sign in as anybody the sandbox knows."""
    settings = world.settings
    if settings.environment != "development":
        raise NotFound
    try:
        personas = await world.services.issuer.personas()
    except Silent:
        personas = None
    facts = {"links": _links(settings), "commands": _commands(settings), "landing": _landing}
    return page(request, "dev.html", facts, personas=personas)


@router.get("/styleguide")
async def styles(request: Request, world: Outside) -> Response:
    """Every token and part of the look on one page."""
    if world.settings.environment != "development":
        raise NotFound
    return page(request, "styleguide.html", covers=sorted(COVERS))


def _landing(role: str) -> str:
    return _LANDINGS.get(role, "/")


def _links(settings: Settings) -> list[tuple[str, str]]:
    services = ("catalog", "checkout", "redemption", "dispatch", "settlement")
    apis = [(name, f"{getattr(settings, f'{name}_url')}/openapi.json") for name in services]
    return [
        ("web", settings.public_url),
        ("styleguide", f"{settings.public_url}/styleguide"),
        ("sandbox", settings.issuer),
        *apis,
    ]


def _commands(settings: Settings) -> str:
    return (
        "read_token='import json,sys; print(json.load(sys.stdin)[\"access_token\"])'\n"
        f"TOKEN=$(curl -s -X POST {settings.issuer}/_sim/tokens -H 'content-type: application/json' \\\n"
        '  -d \'{"subject":"buyer-an"}\' | python3 -c "$read_token")\n'
        f"curl -s {settings.catalog_url}/feed\n"
        f'curl -s -H "authorization: Bearer $TOKEN" {settings.checkout_url}/orders'
    )
