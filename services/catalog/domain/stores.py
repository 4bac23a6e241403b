"""Stores that a merchant claims."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class StoreState(StrEnum):
    CLAIMED = "CLAIMED"
    VERIFIED = "VERIFIED"
    REJECTED = "REJECTED"


@dataclass(frozen=True, slots=True)
class StoreClaim:
    """What the merchant says about a store. Coordinates are GCJ-02; `licence_evidence` names the proof of the claim."""

    merchant_id: UUID
    name: str
    city: str
    address: str
    latitude: float
    longitude: float
    phone: str
    hours: str
    licence_evidence: str


@dataclass(frozen=True, slots=True)
class Store:
    """A claim and what became of it. `open` means: verified, and nobody closed it."""

    store_id: UUID
    version: int
    claim: StoreClaim
    state: StoreState
    open: bool
    reason: str | None
