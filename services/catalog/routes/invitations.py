"""Inviting people to work at a merchant, and accepting."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from services.catalog import use_cases
from services.catalog.domain.staff import Invitation, InvitationState, Offer
from services.catalog.domain.text import Line
from services.catalog.routes.staff import StaffView, staff_view
from shared.auth import Caller
from shared.contracts.catalog import StaffRole
from shared.http import Db
from shared.paging import Cursor, Limit
from shared.service import World

router = APIRouter(tags=["staff"])

Token = Annotated[str, Path(max_length=100)]


class Invite(BaseModel):
    """No stores means every store; the note is the inviter's own."""

    role: StaffRole
    store_ids: Annotated[tuple[UUID, ...], Field(max_length=500)] = ()
    note: Annotated[Line, Field(max_length=200)] = ""


class Nothing(BaseModel):
    """Nothing more to say."""


class InvitationView(BaseModel):
    invitation_id: UUID
    merchant_id: UUID
    role: StaffRole
    store_ids: list[UUID]
    note: str
    state: InvitationState
    invited_by: str
    invited_at: datetime
    expires_at: datetime
    accepted_by: str | None


class InvitedView(InvitationView):
    """`token` makes the link, `/invitations/<token>`; the same invitation always has the same one."""

    token: str


class InvitationPage(BaseModel):
    items: list[InvitationView]
    next_cursor: str | None


class OfferView(BaseModel):
    """What the invited person reads; no stores means every store."""

    merchant_id: UUID
    merchant_name: str
    role: StaffRole
    store_names: list[str]
    state: InvitationState
    expires_at: datetime


def _fields(invitation: Invitation, now: datetime) -> dict[str, object]:
    offer = invitation.offer
    return {
        "invitation_id": invitation.invitation_id,
        "merchant_id": offer.merchant_id,
        "role": offer.role,
        "store_ids": list(offer.store_ids),
        "note": offer.note,
        "state": invitation.state(now),
        "invited_by": invitation.invited_by,
        "invited_at": invitation.invited_at,
        "expires_at": invitation.expires_at,
        "accepted_by": invitation.accepted_by,
    }


@router.put("/merchants/{merchant_id}/invitations/{invitation_id}", status_code=201)
async def invite(
    merchant_id: UUID, invitation_id: UUID, body: Invite, caller: Caller, db: Db, world: World
) -> InvitedView:
    """Offer a place to whoever gets the link, for seven days. For owners."""
    offer = Offer(merchant_id, body.role, tuple(sorted(set(body.store_ids))), body.note)
    async with db.transaction() as tx:
        invited = await use_cases.invite(tx, invitation_id, caller, offer, world.seals)
    return InvitedView.model_validate({**_fields(invited.invitation, tx.now), "token": invited.token})


@router.get("/merchants/{merchant_id}/invitations")
async def list_invitations(
    merchant_id: UUID, caller: Caller, db: Db, cursor: Cursor = None, limit: Limit = 20
) -> InvitationPage:
    """A merchant's invitations, newest first. For owners."""
    async with db.transaction(read_only=True) as tx:
        page = await use_cases.list_invitations(tx, merchant_id, caller, cursor, limit)
    items = [InvitationView.model_validate(_fields(one, tx.now)) for one in page.items]
    return InvitationPage(items=items, next_cursor=page.next_cursor)


@router.put("/merchants/{merchant_id}/invitations/{invitation_id}/revocation")
async def revoke_invitation(
    merchant_id: UUID, invitation_id: UUID, _: Nothing, caller: Caller, db: Db
) -> InvitationView:
    """Withdraw a link that nobody has used. For owners."""
    async with db.transaction() as tx:
        revoked = await use_cases.revoke_invitation(tx, merchant_id, invitation_id, caller)
    return InvitationView.model_validate(_fields(revoked, tx.now))


@router.get("/invitations/{token}")
async def show_invitation(token: Token, _: Caller, db: Db, world: World) -> OfferView:
    """What a link offers, for anybody signed in who has it."""
    async with db.transaction(read_only=True) as tx:
        shown = await use_cases.show_invitation(tx, token, world.seals)
    invitation = shown.invitation
    return OfferView(
        merchant_id=invitation.offer.merchant_id,
        merchant_name=shown.names.merchant,
        role=invitation.offer.role,
        store_names=list(shown.names.stores),
        state=invitation.state(tx.now),
        expires_at=invitation.expires_at,
    )


@router.put("/invitations/{token}/acceptance")
async def accept_invitation(token: Token, _: Nothing, caller: Caller, db: Db, world: World) -> StaffView:
    """Take the place: one person, once."""
    async with db.transaction() as tx:
        placed = await use_cases.accept_invitation(tx, token, caller, world.seals)
    return staff_view(placed)
