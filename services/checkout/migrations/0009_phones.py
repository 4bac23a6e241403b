"""The phone that a buyer may leave with an order: sealed, and as a keyed hash."""

from shared.migrations import apply

revision = "checkout_0009"
down_revision = "checkout_0008"
branch_labels = None
depends_on = None

_PHONES = """
alter table orders add column sealed_phone text, add column phone_lookup text;
"""


def upgrade() -> None:
    """Two columns that stay empty where no phone was left."""
    apply(_PHONES)
