"""Parcels whose delivery is disputed."""

revision = "dispatch_0004"
down_revision = "dispatch_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
