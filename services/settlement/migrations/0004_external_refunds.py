"""Refunds that only the channel knew of."""

from shared.migrations import apply

revision = "settlement_0004"
down_revision = "settlement_0003"
branch_labels = None
depends_on = None

_FOUND = """
create table external_refunds (
    refund_id uuid primary key,
    order_id uuid not null references orders,
    out_trade_no text not null,
    channel_refund_no text not null,
    amount_fen bigint not null check (amount_fen > 0),
    refunded_at timestamptz not null,
    found_by text not null,
    found_at timestamptz not null,
    unique (out_trade_no, channel_refund_no)
);
create index on external_refunds (order_id);
"""


def upgrade() -> None:
    """Add the table."""
    apply(_FOUND)
