"""The merchant's own riders: they take a parcel, leave with it, say where they are, and prove that they came."""

import base64
import binascii
import json
from datetime import datetime
from uuid import UUID

from services.dispatch.domain.attempts import AttemptState, Snapshot
from services.dispatch.domain.parcels import ParcelState
from services.dispatch.domain.refusals import (
    NoOwnRider,
    NoPhoto,
    NotHandedOver,
    NotStaffOfStore,
    ParcelClosed,
    PhotoNotEnough,
    PhotoUnreadable,
    RiderTaken,
)
from services.dispatch.domain.routing import GeoPoint
from services.dispatch.store import attempts, copies, parcels, riders
from services.dispatch.store.attempts import Attempt
from services.dispatch.store.parcels import Parcel
from services.dispatch.use_cases import reading
from services.dispatch.use_cases.following import MERCHANT, sealed_place, take_report
from services.dispatch.use_cases.permissions import CARRIES, held_for_staff, sees_as_staff
from services.dispatch.use_cases.reading import Seen
from services.dispatch.world import OWNER, DispatchWorld
from shared.contracts.catalog import DeliveryMode
from shared.database import Transaction

LARGEST_PHOTO = 400_000
_STARTS = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}


async def list_work(
    tx: Transaction, world: DispatchWorld, caller: str, merchant_id: UUID, after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Seen]:  # fmt: skip
    """What this rider may take, and what they carry."""
    store_ids = await copies.stores_of_staff(tx, caller, merchant_id)
    if store_ids is None:
        raise NotStaffOfStore
    found = await riders.parcels_for(tx, merchant_id, store_ids, caller, after, limit)
    latest = await attempts.latest_attempts(tx, [parcel.parcel_id for parcel in found])
    return [reading.shown_to_staff(world, parcel, latest.get(parcel.parcel_id)) for parcel in found]


async def take_parcel(
    tx: Transaction, world: DispatchWorld, caller: str, parcel_id: UUID, name: str, phone: str
) -> None:
    """The caller will carry it. Taking what one has changes nothing."""
    _, attempt = await _own_attempt(tx, caller, parcel_id)
    sealed = world.seals.seal(OWNER, json.dumps({"name": name, "phone": phone}, ensure_ascii=False))
    if not await riders.take(tx, attempt.attempt_id, caller, sealed):
        if attempt.rider_subject == caller:
            return
        raise RiderTaken


async def give_back(tx: Transaction, caller: str, parcel_id: UUID) -> None:
    """The caller cannot carry it after all: another rider may."""
    _, attempt = await _own_attempt(tx, caller, parcel_id)
    if attempt.rider_subject is not None and not await riders.give_back(tx, attempt.attempt_id, caller):
        raise RiderTaken


async def say_where(tx: Transaction, world: DispatchWorld, caller: str, parcel_id: UUID, place: GeoPoint) -> None:
    """The buyer sees it until the goods have arrived, and nobody afterwards."""
    _, attempt = await _own_attempt(tx, caller, parcel_id)
    if attempt.rider_subject not in (None, caller):
        raise RiderTaken
    sealed = sealed_place(world, place)
    assert sealed is not None, "a place was given"
    await riders.move_to(tx, attempt.attempt_id, sealed)


async def deliver_with_photo(
    tx: Transaction, world: DispatchWorld, caller: str, parcel_id: UUID, photo: str, place: GeoPoint
) -> None:
    """Nobody was there to tell a code: a photo and the place stand for it, unless the goods are worth too much."""
    parcel = await held_for_staff(tx, caller, parcel_id, CARRIES)
    if parcel.delivered_at is not None:
        return
    if parcel.state in (ParcelState.PLACED, ParcelState.ACCEPTED):
        raise NotHandedOver
    _, attempt = await _own_attempt(tx, caller, parcel_id)
    if attempt.rider_subject not in (None, caller):
        raise RiderTaken
    if parcel.value_fen > world.policy.photo_up_to_fen:
        raise PhotoNotEnough
    read_photo(photo)
    sealed = world.seals.seal(OWNER, photo)
    await riders.keep_proof(tx, attempt.attempt_id, parcel_id, "PHOTO", sealed, sealed_place(world, place))
    snapshot = Snapshot("photo", AttemptState.DELIVERED, picked_up=True)
    await take_report(tx, world, attempt.attempt_id, snapshot, MERCHANT, asked=True)


async def see_photo(tx: Transaction, world: DispatchWorld, caller: str, parcel_id: UUID) -> tuple[bytes, str]:
    """The photo and its kind, for the buyer, for staff of the store and for operators."""
    parcel = await parcels.find_parcel(tx, parcel_id)
    if parcel is None:
        raise NoPhoto
    await sees_as_staff(tx, caller, parcel)
    proof = await riders.proof_of(tx, parcel_id)
    if proof is None or proof.sealed_photo is None:
        raise NoPhoto
    return read_photo(world.seals.open(proof.sealed_photo))


def read_photo(photo: str) -> tuple[bytes, str]:
    """The bytes of a photo in base64, and their type. Raises PhotoUnreadable for anything else."""
    try:
        content = base64.b64decode(photo, validate=True)
    except (binascii.Error, ValueError):
        raise PhotoUnreadable from None
    if len(content) > LARGEST_PHOTO:
        raise PhotoUnreadable
    for start, kind in _STARTS.items():
        if content.startswith(start):
            return content, kind
    raise PhotoUnreadable


async def _own_attempt(tx: Transaction, caller: str, parcel_id: UUID) -> tuple[Parcel, Attempt]:
    parcel = await held_for_staff(tx, caller, parcel_id, CARRIES)
    if parcel.state not in (ParcelState.ACCEPTED, ParcelState.HANDED_OVER):
        raise ParcelClosed
    live = await attempts.live_attempt(tx, parcel_id)
    if live is None or live.carried_as is not DeliveryMode.SELF:
        raise NoOwnRider
    return parcel, live
