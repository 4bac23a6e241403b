"""Refunds after use: their review, its deadlines and the arbitration."""

revision = "checkout_0004"
down_revision = "checkout_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
