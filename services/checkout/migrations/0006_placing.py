"""What placing many orders in one transaction needs."""

revision = "checkout_0006"
down_revision = "checkout_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
