"""Refunds after use: their review, its deadlines and the arbitration."""

from shared.migrations import apply

revision = "checkout_0004"
down_revision = "checkout_0003"
branch_labels = None
depends_on = None

_STATES = """
alter table refunds drop constraint refunds_state_check;
alter table refunds add constraint refunds_state_check check (state in
    ('FENCING', 'IN_REVIEW', 'CONTESTED', 'IN_ARBITRATION', 'APPROVED', 'SENT', 'UNKNOWN', 'SUCCEEDED', 'FAILED',
     'REFUSED', 'ABANDONED'));
"""

# A row is made when the review opens. Whose turn it is stands in refunds.state alone; these are the deadlines and what
# was said, and the constraints say what belongs together.
_REVIEWS = """
create table reviews (
    refund_id uuid primary key references refunds (refund_id),
    merchant_id uuid not null,
    opened_at timestamptz not null,
    due_at timestamptz not null check (due_at > opened_at),
    agreed boolean,
    answered_by text,
    answered_at timestamptz,
    answer_reason text,
    appeal_until timestamptz,
    appeal_text text,
    appealed_at timestamptz,
    upheld boolean,
    arbitrated_by text,
    arbitrated_at timestamptz,
    arbitration_reason text,
    check ((agreed is null) = (answered_at is null) and (agreed is null) = (answered_by is null)),
    check (agreed is distinct from false or (answer_reason is not null and appeal_until is not null)),
    check ((appealed_at is null) = (appeal_text is null)),
    check (appealed_at is null or agreed = false),
    check ((upheld is null) = (arbitrated_at is null) and (upheld is null) = (arbitrated_by is null)),
    check (upheld is null or (appealed_at is not null and arbitration_reason is not null))
);
create index on reviews (merchant_id, opened_at desc, refund_id desc);
create index on reviews (appealed_at, refund_id) where appealed_at is not null and arbitrated_at is null;
"""

# How long a buyer may come back counts from the last use of a card, not from its first. Null in rows of before, and in
# those that a process of before writes: their only moment is used_at.
_LAST_USE = "alter table units add column last_used_at timestamptz"


def upgrade() -> None:
    """Add them."""
    for script in (_STATES, _REVIEWS, _LAST_USE):
        apply(script)
