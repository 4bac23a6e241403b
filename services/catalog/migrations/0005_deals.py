"""Forms of deals, category templates, review reasons, and search by title."""

revision = "catalog_0005"
down_revision = "catalog_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it."""
