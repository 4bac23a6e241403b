"""Bills say whose trade a line is of; and days of which Alipay says that it has no bill."""

from shared.migrations import apply

revision = "settlement_0012"
down_revision = "settlement_0011"
branch_labels = None
depends_on = None

# `unfiled`: differences that a comparison found beyond the thousand that it keeps.
# `since` is real time, because what is missing for ten minutes fails the audit; `asked_at` is business time.
_EVERY_DAY = """
alter table bill_lines add column out_trade_no text not null default '';
alter table bills add column unfiled int not null default 0 check (unfiled >= 0);
create table bill_gaps (
    day date primary key,
    since timestamptz not null default now(),
    asked_at timestamptz not null
);
"""


def upgrade() -> None:
    """Add them."""
    apply(_EVERY_DAY)
