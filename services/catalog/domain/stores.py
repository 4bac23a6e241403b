"""Stores: places where deals are used. Who may sell for one is decided apart from them, in the claims."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from shared.contracts.hours import WeeklyHours, within

# The platform sells in China, where maps are drawn in GCJ-02; anything outside is a mistake (often: swapped numbers).
Latitude = Annotated[float, Field(ge=3, le=54, allow_inf_nan=False)]
Longitude = Annotated[float, Field(ge=73, le=136, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """What everybody may know of a place. Coordinates are GCJ-02; no hours means that nobody has said them."""

    name: str
    city: str
    address: str
    latitude: float
    longitude: float
    phone: str
    hours: tuple[WeeklyHours, ...]


@dataclass(frozen=True, slots=True)
class Store:
    """A place. `merchant_id` holds it now, `last_held_by` did so last; `registered_for` was the first to claim it.

    `open` means: somebody holds it, and no operator has closed it.
    """

    store_id: UUID
    version: int
    facts: StoreFacts
    merchant_id: UUID | None
    last_held_by: UUID | None
    registered_for: UUID
    closed_reason: str | None
    open: bool

    @property
    def last_merchant_id(self) -> UUID:
        """Whose store the other services take it for: who holds it, held it last, or asked for it first."""
        return self.merchant_id or self.last_held_by or self.registered_for


def open_now(store: Store, now: datetime) -> bool | None:
    """Whether one could walk in at `now`; None when nobody has said the hours."""
    if not store.open:
        return False
    return within(store.facts.hours, now) if store.facts.hours else None
