"""The places of people at a merchant."""

from dataclasses import dataclass
from uuid import UUID

from services.catalog.domain.refusals import RoleNotAssignable
from shared.contracts.catalog import StaffRole


@dataclass(frozen=True, slots=True)
class Place:
    """What one person is at one merchant (`merchant_id` null: at the platform). No stores means every store."""

    staff_id: UUID
    subject: str
    merchant_id: UUID | None
    role: StaffRole
    store_ids: tuple[UUID, ...]
    active: bool


def check_assignable(role: StaffRole) -> None:
    """Raise unless a merchant's owner may give this role: operators are made by the platform only."""
    if role is StaffRole.OPERATOR:
        raise RoleNotAssignable
