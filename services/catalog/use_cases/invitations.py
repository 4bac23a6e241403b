"""Inviting people to work at a merchant: a link that one person may accept, once."""

import base64
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.catalog import store
from services.catalog.domain.refusals import InvitationUsed, StaffExists, StoreNotOfMerchant, TooManyInvitations
from services.catalog.domain.staff import (
    INVITATION_LIFE,
    OPEN_INVITATIONS,
    WHY_NOT_ACCEPTED,
    Invitation,
    Offer,
    Place,
    Placed,
    check_assignable,
)
from services.catalog.store.invitations import OfferNames
from services.catalog.use_cases.staff import place_person
from shared.auth import require_staff
from shared.contracts.catalog import StaffRole
from shared.database import Transaction
from shared.errors import IdTaken, NotFound
from shared.ids import derived_id
from shared.paging import Page, page_of, read_cursor
from shared.sealed import Seals

TOKEN_BYTES = 20


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation with the token of its link."""

    invitation: Invitation
    token: str


@dataclass(frozen=True, slots=True)
class Shown:
    """An invitation as the invited person reads it."""

    invitation: Invitation
    names: OfferNames


def _token(seals: Seals, invitation_id: UUID) -> str:
    """160 bits which nobody can guess without the key, and which the same invitation always has."""
    secret = seals.lookup("catalog", f"invitation:{invitation_id}")[:TOKEN_BYTES]
    return base64.urlsafe_b64encode(secret).decode().rstrip("=")


async def invite(tx: Transaction, invitation_id: UUID, caller: str, offer: Offer, seals: Seals) -> Invited:
    """Offer a place to whoever gets the link; the same invitation again is the same link."""
    check_assignable(offer.role)
    # Invitations take turns, so that their number stays below the limit.
    await store.lock_merchant(tx, offer.merchant_id)
    await require_staff(tx, caller, offer.merchant_id, StaffRole.OWNER)
    token = _token(seals, invitation_id)
    known = await store.invitation(tx, invitation_id)
    if known is None:
        return Invited(await _add(tx, invitation_id, caller, offer, seals.lookup("catalog", token)), token)
    if known.offer != offer:
        raise IdTaken
    return Invited(known, token)


async def _add(tx: Transaction, invitation_id: UUID, caller: str, offer: Offer, lookup: bytes) -> Invitation:
    await _check_stores(tx, offer)
    if await store.count_open_invitations(tx, offer.merchant_id) >= OPEN_INVITATIONS:
        raise TooManyInvitations(limit=OPEN_INVITATIONS)
    added = await store.add_invitation(tx, invitation_id, offer, lookup, caller, tx.now + INVITATION_LIFE)
    if added is None:
        raise IdTaken
    return added


async def _check_stores(tx: Transaction, offer: Offer) -> None:
    owned, _ = await store.count_stores(tx, offer.merchant_id, offer.store_ids)
    if owned != len(offer.store_ids):
        raise StoreNotOfMerchant


async def revoke_invitation(tx: Transaction, merchant_id: UUID, invitation_id: UUID, caller: str) -> Invitation:
    """Withdraw a link that nobody has used."""
    await require_staff(tx, caller, merchant_id, StaffRole.OWNER)
    revoked = await store.revoke_invitation(tx, merchant_id, invitation_id, caller)
    if revoked is not None:
        return revoked
    known = await store.invitation(tx, invitation_id)
    if known is None or known.offer.merchant_id != merchant_id:
        raise NotFound
    if known.accepted_by is not None:
        raise InvitationUsed
    return known


async def list_invitations(
    tx: Transaction, merchant_id: UUID, caller: str, cursor: str | None, limit: int
) -> Page[Invitation]:
    """A merchant's invitations, newest first, without their tokens."""
    await require_staff(tx, caller, merchant_id, StaffRole.OWNER)
    position = read_cursor(cursor, datetime, UUID)
    rows = await store.invitations(tx, merchant_id, (position[0], position[1]) if position else None, limit + 1)
    return page_of(rows, limit, lambda one: (one.invited_at, one.invitation_id))


async def show_invitation(tx: Transaction, token: str, seals: Seals) -> Shown:
    """What a link offers, to anybody who has it."""
    invitation = await _by_token(tx, token, seals)
    return Shown(invitation, await store.offer_names(tx, invitation.offer))


async def _by_token(tx: Transaction, token: str, seals: Seals) -> Invitation:
    invitation = await store.invitation_by_token(tx, seals.lookup("catalog", token))
    if invitation is None:
        raise NotFound
    return invitation


async def accept_invitation(tx: Transaction, token: str, caller: str, seals: Seals) -> Placed:
    """Take the place that a link offers. Whoever has taken it may ask again; nobody else may."""
    found = await _by_token(tx, token, seals)
    merchant_id = found.offer.merchant_id
    await store.lock_merchant(tx, merchant_id)
    known = await _must_be_there(tx, found.invitation_id)
    if known.accepted_by == caller and known.staff_id is not None:
        return await _taken(tx, known.staff_id)
    # A person who left comes back to the place that their redemptions are written under.
    former = await store.place_at(tx, merchant_id, caller)
    staff_id = former.place.staff_id if former else derived_id(known.invitation_id, "place")
    accepted = await store.accept_invitation(tx, known.invitation_id, caller, staff_id)
    if accepted is None:
        raise _why_not(tx, await _must_be_there(tx, known.invitation_id))
    if former and former.place.active:
        raise StaffExists
    await _check_stores(tx, accepted.offer)
    return await place_person(
        tx, Place(staff_id, caller, merchant_id, accepted.offer.role, accepted.offer.store_ids, active=True)
    )


async def _must_be_there(tx: Transaction, invitation_id: UUID) -> Invitation:
    invitation = await store.invitation(tx, invitation_id)
    assert invitation is not None
    return invitation


async def _taken(tx: Transaction, staff_id: UUID) -> Placed:
    place = await store.place(tx, staff_id)
    assert place is not None
    return place


def _why_not(tx: Transaction, invitation: Invitation) -> Exception:
    return WHY_NOT_ACCEPTED[invitation.state(tx.now)]()
