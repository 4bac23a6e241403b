"""What one may search by, and what is found."""

import math
from dataclasses import dataclass
from uuid import UUID

from services.catalog.domain.refusals import PositionIncomplete
from services.catalog.domain.store_page import DealCard
from services.catalog.domain.stores import Store

RADIUS_M = 5_000
RADIUS_MAX_M = 50_000
_EARTH_M = 6_371_000


@dataclass(frozen=True, slots=True)
class Around:
    """Within `radius_m` of a place (GCJ-02)."""

    latitude: float
    longitude: float
    radius_m: int

    @property
    def projected_m(self) -> float:
        """A radius on the map (Mercator, which stretches towards the poles) that misses nothing within `radius_m`."""
        farthest = abs(math.radians(self.latitude)) + self.radius_m / _EARTH_M
        return 1.01 * self.radius_m / math.cos(farthest)


def around(latitude: float | None, longitude: float | None, radius_m: int) -> Around | None:
    """The place to search around, if one was named. Raises PositionIncomplete for half a place."""
    if latitude is None and longitude is None:
        return None
    if latitude is None or longitude is None:
        raise PositionIncomplete
    return Around(latitude, longitude, radius_m)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A search: each part narrows it."""

    text: str | None
    city: str | None
    around: Around | None


@dataclass(frozen=True, slots=True)
class FoundStore:
    """A store with its distance. `measure` orders the list: metres on the map, which the answer does not show."""

    store: Store
    merchant_name: str
    distance_m: int | None
    measure: float | None


@dataclass(frozen=True, slots=True)
class FoundDeal:
    """A deal with the nearest store (or the first by name) where it is used."""

    card: DealCard
    store_id: UUID
    store_name: str
    city: str
    address: str
    distance_m: int | None
    measure: float | None
