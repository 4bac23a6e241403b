"""Uses that are held back while their refund is reviewed."""

from shared.migrations import apply

revision = "settlement_0003"
down_revision = "settlement_0002"
branch_labels = None
depends_on = None

# A use that a run has claimed, or that is paid back, is never marked: there is nothing to hold any more.
_DISPUTES = """
create table disputes (
    refund_id uuid primary key,
    order_id uuid not null,
    unit_ids uuid[] not null check (cardinality(unit_ids) between 1 and 10),
    closed boolean not null default false,
    changed_at timestamptz not null default now()
);

alter table uses add column disputed_by uuid references disputes;
alter table uses add constraint held_before_it_is_claimed
    check (disputed_by is null or state in ('HELD', 'USED', 'FINAL'));
create index on uses (disputed_by) where disputed_by is not null;
"""


def upgrade() -> None:
    """Add them."""
    apply(_DISPUTES)
