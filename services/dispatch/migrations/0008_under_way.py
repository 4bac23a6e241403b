"""Requests of buyers are told apart from those that nobody reviews (a campaign that was called off)."""

from shared.migrations import apply

revision = "dispatch_0008"
down_revision = "dispatch_0007"
branch_labels = None
depends_on = None

# A process of the version before does not say who asks, and refuses whatever has left, as it always did.
_FENCES = "alter table fences add column by_buyer boolean not null default false"


def upgrade() -> None:
    """Add it."""
    apply(_FENCES)
