"""A mass refund: a campaign is called off, and everything of it that is still open goes back."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class MassRefundState(StrEnum):
    """`RUNNING → DONE` once every order has been looked at; either `→ STOPPED` by an operator.

    One that is DONE still covers the orders placed before it that are paid only now; one that was stopped does not.
    """

    RUNNING = "RUNNING"
    DONE = "DONE"
    STOPPED = "STOPPED"


@dataclass(frozen=True, slots=True)
class MassRefund:
    """What an operator asked for. It covers the orders placed until `started_at`; `walked` is the last one looked
    at: when it was placed, and its id."""

    mass_refund_id: UUID
    deal_id: UUID
    reason: str
    requested_by: str
    started_at: datetime
    state: MassRefundState
    walked: tuple[datetime, UUID] | None
    orders_walked: int
    ended_at: datetime | None
    stopped_by: str | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a mass refund is: units found open, refunds opened for them, and what became of these; `unpaid` are the
    orders placed before it that may still be paid."""

    found: int
    opened: int
    refunded: int
    refused: int
    failed: int
    unpaid: int

    @property
    def under_way(self) -> int:
        """Refunds whose end is still to come."""
        return self.opened - self.refunded - self.refused - self.failed
