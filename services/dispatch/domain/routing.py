"""Places: which store a parcel leaves from, how far it travels, and the carriers that could be asked."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from shared.contracts.catalog import DeliveryMode

_EARTH_M = 6_371_008.8


@dataclass(frozen=True, slots=True)
class GeoPoint:
    """A place in GCJ-02; an adapter whose carrier uses another system converts at its own edge."""

    latitude: float
    longitude: float


def distance_m(one: GeoPoint, other: GeoPoint) -> float:
    """The great-circle distance."""
    lat1, lat2 = math.radians(one.latitude), math.radians(other.latitude)
    half_lat = math.sin((lat2 - lat1) / 2) ** 2
    half_lng = math.sin(math.radians(other.longitude - one.longitude) / 2) ** 2
    return 2 * _EARTH_M * math.asin(math.sqrt(half_lat + math.cos(lat1) * math.cos(lat2) * half_lng))


@dataclass(frozen=True, slots=True)
class StorePlace:
    """A store as a point of departure."""

    store_id: UUID
    place: GeoPoint
    open: bool


def departure(stores: Sequence[StorePlace], destination: GeoPoint) -> StorePlace | None:
    """The nearest open store; the nearest at all if every store is closed, since the merchant may still refuse."""
    return min(
        stores, key=lambda store: (not store.open, distance_m(store.place, destination), store.store_id), default=None
    )


_CELLS_PER_DEGREE = 20


def zone_of(place: GeoPoint) -> str:
    """The square of about five kilometres that a place lies in: carriers do well in some and badly in others."""
    south = math.floor(place.latitude * _CELLS_PER_DEGREE) / _CELLS_PER_DEGREE
    west = math.floor(place.longitude * _CELLS_PER_DEGREE) / _CELLS_PER_DEGREE
    return f"{south:.2f},{west:.2f}"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One carrier account that could be asked."""

    provider: str
    account: str
    mode: DeliveryMode
    max_weight_g: int
    quotes: bool = False
    needs_quote: bool = False
    tips: bool = False


def is_same_city(one: str, other: str) -> bool:
    """Whether two names mean one city: shops write 海口, addresses 海口市."""
    return _bare(one) == _bare(other)


def _bare(city: str) -> str:
    return city.strip().removesuffix("市")
