"""Who holds a payout account, sealed for settlement: a transfer to an account by its logon id needs the name."""

from shared.migrations import apply

revision = "catalog_0009"
down_revision = "catalog_0008"
branch_labels = None
depends_on = None

# Null for accounts that were submitted before; they say it when they are submitted again.
_HOLDERS = """
alter table payout_accounts add column sealed_holder_for_settlement text;
"""


def upgrade() -> None:
    """Add the column."""
    apply(_HOLDERS)
