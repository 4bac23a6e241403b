"""The people of a merchant: who works there, and invitations for new colleagues."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from services.web.rendering import page
from services.web.routes.employers import AtDesk
from services.web.routes.feed import Cursor
from services.web.visits import Signed
from services.web.world import Outside
from shared.ids import new_id

router = APIRouter(prefix="/m/staff", include_in_schema=False)

Role = Literal["MANAGER", "CLERK", "FINANCE", "RIDER", "OWNER"]
ROLES: tuple[Role, ...] = ("CLERK", "MANAGER", "FINANCE", "RIDER", "OWNER")


@router.get("")
async def staff(request: Request, at: AtDesk, visit: Signed, world: Outside, cursor: Cursor = None) -> Response:
    """Who works here. Only owners invite."""
    merchant_id = at.here.merchant_id
    people = await world.services.desks.colleagues(visit.asker, merchant_id, cursor)
    owns = at.here.role == "OWNER"
    invitations = (await world.services.desks.invitations(visit.asker, merchant_id)).items if owns else []
    facts = {
        "here": at.here,
        "people": people.items,
        "next_cursor": people.next_cursor,
        "owns": owns,
        "invitations": invitations,
        "stores": {store.store_id: store.name for store in at.here.stores},
        "roles": ROLES,
        "invitation_id": new_id(),
    }
    return page(request, "staff.html", facts)


@router.post("/invitations/{invitation_id}")
async def invite(
    request: Request,
    invitation_id: UUID,
    at: AtDesk,
    visit: Signed,
    world: Outside,
    role: Annotated[Role, Form()],
    store_ids: Annotated[list[UUID] | None, Form(max_length=500)] = None,
    note: Annotated[str, Form(max_length=60)] = "",
) -> Response:
    """Make an invitation and show it. Its id was minted with the form, so sending it twice is one."""
    body = {"role": role, "store_ids": [str(one) for one in store_ids or ()], "note": note.strip()}
    made = await world.services.desks.invite(visit.asker, at.here.merchant_id, invitation_id, body)
    link = f"{world.settings.public_url}/i/{made.token}"
    return page(request, "invited.html", here=at.here, made=made, link=link, role=role)


@router.post("/invitations/{invitation_id}/revocation")
async def revoke(invitation_id: UUID, at: AtDesk, visit: Signed, world: Outside) -> Response:
    """Withdraw an invitation that nobody has accepted yet."""
    await world.services.desks.revoke(visit.asker, at.here.merchant_id, invitation_id)
    return RedirectResponse(f"/m/staff?merchant={at.here.merchant_id}", status_code=303)
