"""Replays of catalog's state into the copies of one consumer, and how far each is."""

from shared.messaging.schema import REPLAYS_V1
from shared.migrations import apply

revision = "catalog_0007"
down_revision = "catalog_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    apply(REPLAYS_V1)
