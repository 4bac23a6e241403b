"""The places of people at a merchant, and the invitations to them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.catalog.domain.refusals import InvitationExpired, InvitationRevoked, InvitationUsed, RoleNotAssignable
from shared.contracts.catalog import StaffRole
from shared.errors import DomainError

INVITATION_LIFE = timedelta(days=7)
OPEN_INVITATIONS = 100
ACTIVE_STAFF = 1000
# Who prepares what a merchant sells and shows.
EDITORS = (StaffRole.OWNER, StaffRole.MANAGER)


@dataclass(frozen=True, slots=True)
class Place:
    """What one person is at one merchant (`merchant_id` null: at the platform). No stores means every store."""

    staff_id: UUID
    subject: str
    merchant_id: UUID | None
    role: StaffRole
    store_ids: tuple[UUID, ...]
    active: bool


@dataclass(frozen=True, slots=True)
class Placed:
    """A place as it is kept, with the version that everybody is told."""

    place: Place
    version: int


@dataclass(frozen=True, slots=True)
class Offer:
    """What an invitation offers to whoever accepts it first; the note is the inviter's own reminder."""

    merchant_id: UUID
    role: StaffRole
    store_ids: tuple[UUID, ...]
    note: str


class InvitationState(StrEnum):
    OPEN = "OPEN"
    ACCEPTED = "ACCEPTED"
    REVOKED = "REVOKED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True)
class Invitation:
    """An offer and what became of it. One whose inviter is no owner any more counts as revoked."""

    invitation_id: UUID
    offer: Offer
    invited_by: str
    invited_at: datetime
    expires_at: datetime
    inviter_owns: bool
    accepted_by: str | None
    staff_id: UUID | None
    revoked_at: datetime | None

    def state(self, now: datetime) -> InvitationState:
        """What it is good for at this moment."""
        if self.accepted_by is not None:
            return InvitationState.ACCEPTED
        if self.revoked_at is not None or not self.inviter_owns:
            return InvitationState.REVOKED
        return InvitationState.EXPIRED if now >= self.expires_at else InvitationState.OPEN


WHY_NOT_ACCEPTED: dict[InvitationState, type[DomainError]] = {
    InvitationState.ACCEPTED: InvitationUsed,
    InvitationState.REVOKED: InvitationRevoked,
    InvitationState.EXPIRED: InvitationExpired,
}


def check_assignable(role: StaffRole) -> None:
    """Raise unless a merchant's owner may give this role: operators are made by the platform only."""
    if role is StaffRole.OPERATOR:
        raise RoleNotAssignable
