"""Forms of deals, category templates, review reasons, and search by title."""

from shared.migrations import apply

revision = "catalog_0005"
down_revision = "catalog_0004"
branch_labels = None
depends_on = None

# What a deal says is jsonb: forms and templates need no column, and old drafts and versions are read with defaults.
# `reason` stays the operator's own words, empty beside a template, because processes from before read it.
REVIEWS = """
alter table deals
    add column reason_template text,
    add check (draft_state <> 'REJECTED' or reason <> '' or reason_template is not null);
create index on deals (merchant_id, deal_id desc);
drop index deals_merchant_id_idx;
"""


def upgrade() -> None:
    """Add it."""
    apply(REVIEWS)
