"""The newest that was heard of each use, so that a use and its reversal may come in any order."""

from shared.migrations import apply

revision = "settlement_0005"
down_revision = "settlement_0004"
branch_labels = None
depends_on = None

_HEARD = """
alter table uses add column heard int not null default 0 check (heard >= 0);
"""


def upgrade() -> None:
    """Add the column."""
    apply(_HEARD)
