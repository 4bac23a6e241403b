"""The name of who holds a payout account, sealed, and frozen with the payee of an instruction."""

from shared.migrations import apply

revision = "settlement_0014"
down_revision = "settlement_0013"
branch_labels = None
depends_on = None

_HOLDERS = """
alter table payout_accounts add column sealed_holder text;
alter table instructions add column sealed_payee_name text;
"""


def upgrade() -> None:
    """Add the columns."""
    apply(_HOLDERS)
