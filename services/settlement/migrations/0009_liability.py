"""The way to what is bought and not redeemed, merchant by merchant."""

from shared.migrations import apply

revision = "settlement_0009"
down_revision = "settlement_0008"
branch_labels = None
depends_on = None

_UNREDEEMED = """
create index unredeemed on uses (merchant_id, order_id) where state = 'HELD';
create index owed_by_merchant on uses (merchant_id) where owed_fen > 0;
"""


def upgrade() -> None:
    """Add the indexes."""
    apply(_UNREDEEMED)
