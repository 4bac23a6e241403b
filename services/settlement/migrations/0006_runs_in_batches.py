"""A run is made in batches: where its pass stands, and the index along which it goes."""

from shared.migrations import apply

revision = "settlement_0006"
down_revision = "settlement_0005"
branch_labels = None
depends_on = None

# An old process beside new ones makes its runs as before, in one statement and without a pass: its rows keep null.
_BATCHES = """
alter table runs
    add column pass_no int not null default 0 check (pass_no >= 0),
    add column is_open boolean not null default false,
    add column after_merchant uuid,
    add column after_order uuid,
    add constraint position_is_whole check ((after_merchant is null) = (after_order is null));
alter table payouts add column pass_no int check (pass_no >= 1);
create unique index one_payout_per_pass on payouts (merchant_id, run_date, pass_no);
create index due_in_order on uses (merchant_id, order_id, due_on) where state = 'FINAL' and disputed_by is null;
"""


def upgrade() -> None:
    """Add them."""
    apply(_BATCHES)
