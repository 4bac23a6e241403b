"""What waits for an operator: the kinds, and where in a queue something stands."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Generic, TypeVar
from uuid import UUID

T = TypeVar("T")

Position = tuple[datetime, UUID]
"""Since when something waits, and its id."""

BEGINNING: Position = (datetime.fromtimestamp(0, UTC), UUID(int=0))


class WaitingKind(StrEnum):
    """Each kind waits in a queue of its own, the oldest first."""

    MERCHANTS = "merchants"
    FEES = "fees"
    PAYOUT_ACCOUNTS = "payout_accounts"
    STORES = "stores"
    DEALS = "deals"


@dataclass(frozen=True, slots=True)
class Queued(Generic[T]):
    """Something that waits, and where it stands."""

    position: Position
    waiting: T
