"""When certificates expire, found without reading those that do not."""

from shared.migrations import apply

revision = "redemption_0005"
down_revision = "redemption_0004"
branch_labels = None
depends_on = None

# An order leaves this index once its certificates have expired, so that however many orders there were, the next that
# is due is its first entry. One row of an order stands for up to ten certificates, and for no timer at all.
_EXPIRY = """
alter table orders add column expiry_done boolean not null default false;
create index orders_to_expire on orders (until, order_id) where not expiry_done;
"""


def upgrade() -> None:
    """Add the column and its index."""
    apply(_EXPIRY)
