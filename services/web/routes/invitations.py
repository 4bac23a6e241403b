"""What an invited person sees: where, as what, and a button to accept."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse

from services.web.rendering import page
from services.web.visits import Signed
from services.web.world import Outside

router = APIRouter(prefix="/i", include_in_schema=False)

Token = Annotated[str, Path(pattern=r"^[0-9A-Za-z._~-]{8,300}$")]
_FIRST_PLACE = {"CLERK": "/scan", "FINANCE": "/m/statement"}


@router.get("/{token}")
async def invitation(request: Request, token: Token, visit: Signed, world: Outside) -> Response:
    """The offer, or what became of it."""
    offer = await world.services.desks.offer(visit.asker, token)
    return page(request, "invitation.html", offer=offer, token=token)


@router.post("/{token}/acceptance")
async def accept(token: Token, visit: Signed, world: Outside) -> Response:
    """Become a colleague, and go to where the work is."""
    offer = await world.services.desks.offer(visit.asker, token)
    await world.services.desks.accept(visit.asker, token)
    return RedirectResponse(_FIRST_PLACE.get(offer.role, "/m"), status_code=303)
