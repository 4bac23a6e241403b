"""The outbox can also send to the replay exchange of one service."""

from shared.messaging.schema import V2
from shared.migrations import apply

revision = "dispatch_0002"
down_revision = "dispatch_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    apply(V2)
