"""A parcel as it is shown: buyers do not see the search for a carrier, staff do not see the receive code."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from services.dispatch.domain.attempts import Rider
from services.dispatch.domain.parcels import ParcelState
from services.dispatch.domain.refusals import NoSuchParcel, NotStaffOfStore, NotYourParcel
from services.dispatch.domain.routing import GeoPoint, distance_m
from services.dispatch.store import attempts, copies, happenings, parcels, riders
from services.dispatch.store.attempts import Attempt
from services.dispatch.store.happenings import Happening
from services.dispatch.store.parcels import Parcel
from services.dispatch.use_cases.permissions import sees_as_staff
from services.dispatch.world import DispatchWorld
from shared.contracts.address import Address
from shared.contracts.catalog import DeliveryMode
from shared.database import Transaction

_UNDER_WAY = frozenset({ParcelState.ACCEPTED, ParcelState.HANDED_OVER})


@dataclass(frozen=True, slots=True)
class Seen:
    """A parcel with all that this caller may see of it."""

    parcel: Parcel
    as_staff: bool
    carrier: str | None
    latest: Attempt | None
    rider: Rider | None
    receive_code: str | None
    receiver: Address | None
    takes_tips: bool = False
    happenings: Sequence[Happening] = ()
    attempts: Sequence[Attempt] = ()


async def see_order(tx: Transaction, world: DispatchWorld, caller: str, order_id: UUID) -> Seen:
    """The parcel of an order, for its buyer, for staff of its store, or for an operator."""
    parcel = await parcels.find_parcel_of_order(tx, order_id)
    if parcel is None:
        raise NoSuchParcel
    return await _see(tx, world, caller, parcel)


async def see_parcel(tx: Transaction, world: DispatchWorld, caller: str, parcel_id: UUID) -> Seen:
    """The parcel, likewise."""
    parcel = await parcels.find_parcel(tx, parcel_id)
    if parcel is None:
        raise NoSuchParcel
    return await _see(tx, world, caller, parcel)


async def _see(tx: Transaction, world: DispatchWorld, caller: str, parcel: Parcel) -> Seen:
    as_staff = await sees_as_staff(tx, caller, parcel)
    tried = await attempts.list_attempts(tx, parcel.parcel_id)
    seen = _shown(world, parcel, tried[-1] if tried else None, as_staff=as_staff, as_buyer=parcel.buyer == caller)
    happened = await happenings.timeline(tx, parcel.parcel_id)
    return replace(seen, happenings=happened, attempts=tried if as_staff else ())


async def require_staff(tx: Transaction, caller: str, parcel_id: UUID) -> None:
    """Raises NoSuchParcel for strangers, NotYourParcel for the buyer: how carriers are chosen is the merchant's."""
    parcel = await parcels.find_parcel(tx, parcel_id)
    if parcel is None:
        raise NoSuchParcel
    if not await sees_as_staff(tx, caller, parcel):
        raise NotYourParcel


async def proof_of(tx: Transaction, parcel_id: UUID) -> Literal["CODE", "PHOTO", "SIGNED"] | None:
    """What shows that the goods arrived; None where there is only the carrier's word."""
    proof = await riders.proof_of(tx, parcel_id)
    return proof.kind if proof else None


@dataclass(frozen=True, slots=True)
class Way:
    """Where the rider was last, when, and what is left of the way to the door."""

    place: GeoPoint
    at: datetime
    distance_m: int
    eta: timedelta


def way_to_the_door(world: DispatchWorld, parcel: Parcel, attempt: Attempt | None) -> Way | None:
    """None while nobody knows where the rider is."""
    if attempt is None or attempt.sealed_position is None or attempt.position_at is None:
        return None
    opened = json.loads(world.seals.open(attempt.sealed_position))
    place = GeoPoint(float(opened["latitude"]), float(opened["longitude"]))
    door = world.address(parcel.sealed_address)
    metres = int(distance_m(place, GeoPoint(door.latitude, door.longitude)))
    return Way(
        place, attempt.position_at, metres, timedelta(minutes=metres / world.policy.weights.assumed_m_per_minute)
    )


async def see_board(
    tx: Transaction, world: DispatchWorld, caller: str, merchant_id: UUID, state: str | None,
    before: tuple[datetime, UUID] | None, limit: int,
) -> list[Seen]:  # fmt: skip
    """The merchant's parcels at the stores where the caller works, newest first."""
    store_ids = await copies.stores_of_staff(tx, caller, merchant_id)
    if store_ids is None:
        raise NotStaffOfStore
    found = await parcels.list_board(tx, merchant_id, store_ids, state, before, limit)
    latest = await attempts.latest_attempts(tx, [parcel.parcel_id for parcel in found])
    return [_shown(world, parcel, latest.get(parcel.parcel_id), as_staff=True, as_buyer=False) for parcel in found]


def shown_to_staff(world: DispatchWorld, parcel: Parcel, latest: Attempt | None) -> Seen:
    """One line of a list for somebody who works there."""
    return _shown(world, parcel, latest, as_staff=True, as_buyer=False)


def _shown(world: DispatchWorld, parcel: Parcel, latest: Attempt | None, *, as_staff: bool, as_buyer: bool) -> Seen:
    own = parcel.mode is DeliveryMode.SELF or (latest is not None and latest.carried_as is DeliveryMode.SELF)
    sealed_code = parcel.sealed_receive_code if own else latest.sealed_code if latest else None
    code_needed = as_buyer and parcel.state in _UNDER_WAY and sealed_code is not None
    called = latest is not None and (as_staff or parcel.carried_as is not None)
    return Seen(
        parcel=parcel,
        as_staff=as_staff,
        carrier=_carrier(world, latest) if called else None,
        latest=latest,
        rider=_rider(world, latest),
        receive_code=world.seals.open(sealed_code) if code_needed and sealed_code else None,
        receiver=world.address(parcel.sealed_address) if as_staff else None,
        takes_tips=as_staff and _takes_tips(world, latest),
    )


def _carrier(world: DispatchWorld, attempt: Attempt | None) -> str | None:
    if attempt is None:
        return None
    try:
        return world.carriers.of(attempt.provider, attempt.account).label()
    except LookupError:
        # The account is no longer configured; the attempt still says whose it was.
        return attempt.provider


def _takes_tips(world: DispatchWorld, attempt: Attempt | None) -> bool:
    if attempt is None:
        return False
    try:
        return world.carriers.of(attempt.provider, attempt.account).caps.tips
    except LookupError:
        return False


def _rider(world: DispatchWorld, attempt: Attempt | None) -> Rider | None:
    if attempt is None or attempt.sealed_rider is None:
        return None
    opened = json.loads(world.seals.open(attempt.sealed_rider))
    return Rider(str(opened["name"]), str(opened["phone"]))
