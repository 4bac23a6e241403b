"""Videos with their address, livestreams with their deals, shares, invitations."""

revision = "catalog_0006"
down_revision = "catalog_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it."""
