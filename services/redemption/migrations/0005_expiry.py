"""When certificates expire, found without reading those that do not."""

revision = "redemption_0005"
down_revision = "redemption_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
