"""Refunds that only the channel knew of."""

revision = "settlement_0004"
down_revision = "settlement_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
