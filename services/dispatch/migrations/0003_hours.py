"""When stores are open: a parcel is accepted in opening hours."""

from shared.migrations import apply

revision = "dispatch_0003"
down_revision = "dispatch_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Unknown until the store is said again."""
    apply("alter table stores add column hours jsonb not null default '[]'")
