"""Certificates whose use is disputed."""

revision = "redemption_0004"
down_revision = "redemption_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
