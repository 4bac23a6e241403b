"""Stores apart from the claims to them, opening hours, closing, and search by name and place."""

revision = "catalog_0004"
down_revision = "catalog_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it."""
