"""The other ways to pay with Alipay."""

revision = "checkout_0007"
down_revision = "checkout_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
