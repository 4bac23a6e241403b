"""Which carrier takes a parcel, which store it leaves from, and the reasons, kept so that they can be told."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
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


@dataclass(frozen=True, slots=True)
class Candidate:
    """One carrier account that could be asked."""

    provider: str
    account: str
    mode: DeliveryMode
    max_weight_g: int


@dataclass(frozen=True, slots=True)
class Routing:
    """The decision: who was chosen (None: nobody fits), and why each of the others was not."""

    chosen: Candidate | None
    refused: tuple[tuple[str, str], ...]

    def record(self) -> dict[str, Any]:
        """The decision as it is stored with the attempt."""
        return {
            "policy": "requested_mode",
            "chosen": self.chosen.provider if self.chosen else None,
            "refused": [{"provider": provider, "reason": reason} for provider, reason in self.refused],
        }


def route(mode: DeliveryMode, weight_g: int, candidates: Sequence[Candidate]) -> Routing:
    """The first candidate that carries this mode and weight, in the order given."""
    refused: list[tuple[str, str]] = []
    chosen: Candidate | None = None
    for candidate in candidates:
        if candidate.mode is not mode:
            refused.append((candidate.provider, "other_mode"))
        elif weight_g > candidate.max_weight_g:
            refused.append((candidate.provider, "overweight"))
        elif chosen is not None:
            refused.append((candidate.provider, "later_in_order"))
        else:
            chosen = candidate
    return Routing(chosen, tuple(refused))
