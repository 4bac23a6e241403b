"""Merchants; the whole use rules of an order; until when third-party codes may come; recall by merchant."""

from shared.migrations import apply

revision = "redemption_0003"
down_revision = "redemption_0002"
branch_labels = None
depends_on = None

_RECALL = """
create table merchants (
    merchant_id uuid primary key,
    version bigint not null,
    state text not null
);

-- A recall walks the orders of one merchant, a few at a time, and never the table.
create index on orders (merchant_id, order_id);

-- The window of use is frozen beside the rules; what older orders had of rules were the days of blackout, whose own
-- column stays, and is filled, until no process runs any more that reads it.
alter table orders add column rules jsonb;
update orders set rules = jsonb_build_object('blackout_dates', to_jsonb(blackout_dates));
alter table orders alter column rules set not null;

alter table orders add column codes_due_at timestamptz;
"""


def upgrade() -> None:
    """Add them."""
    apply(_RECALL)
