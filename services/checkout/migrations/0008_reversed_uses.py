"""What was heard of each use of a unit, so that a use and its reversal may come in any order."""

from shared.migrations import apply

revision = "checkout_0008"
down_revision = "checkout_0007"
branch_labels = None
depends_on = None

# The moment is null when the newest that was heard is that the use was reversed.
_HEARD = """
create table heard_uses (
    unit_id uuid not null references units (unit_id),
    use_no int not null check (use_no >= 1),
    version int not null check (version >= 1),
    used_at timestamptz,
    is_final boolean not null default false,
    primary key (unit_id, use_no),
    check (used_at is not null or not is_final)
);

alter table refund_units add column use_nos int[];
"""


def upgrade() -> None:
    """Add the table, and the numbers of the uses that a refund is for."""
    apply(_HEARD)
