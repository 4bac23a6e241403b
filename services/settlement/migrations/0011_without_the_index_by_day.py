"""Runs go along due_in_order since settlement_0006; the index by day alone only cost each use a write."""

from shared.migrations import apply

revision = "settlement_0011"
down_revision = "settlement_0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Drop it. A process of the version before looks along due_in_order, too."""
    apply("drop index uses_due_on_idx;")
