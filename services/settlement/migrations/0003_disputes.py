"""Uses that are held back while their refund is reviewed."""

revision = "settlement_0003"
down_revision = "settlement_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
