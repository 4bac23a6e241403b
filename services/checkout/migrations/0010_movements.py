"""The ways to what moved on one day, for the comparison with the channel's bill."""

from shared.migrations import apply

revision = "checkout_0010"
down_revision = "checkout_0009"
branch_labels = None
depends_on = None

_BY_DAY = """
create index on payment_attempts (captured_at) where captured_at is not null;
create index on refunds (succeeded_at) where succeeded_at is not null;
create index on external_refunds (allocated_to) where allocated_to is not null;
create index on external_refunds (channel_refund_no);
"""


def upgrade() -> None:
    """Add the indexes."""
    apply(_BY_DAY)
