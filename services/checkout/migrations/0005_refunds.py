"""Refunds of a whole campaign, of what expired, and those made at the channel itself."""

revision = "checkout_0005"
down_revision = "checkout_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
