"""What an operator has to look at: payouts that stay denied or refused, and differences to the channel's bill."""

from shared.migrations import apply

revision = "settlement_0007"
down_revision = "settlement_0006"
branch_labels = None
depends_on = None

_LOOKED_AT = """
create table incidents (
    incident_id uuid primary key,
    kind text not null check (kind in ('PAYOUT_DENIED', 'PAYOUT_REFUSED', 'MISSING_HERE', 'MISSING_THERE',
        'AMOUNT_DIFFERS', 'STATE_DIFFERS')),
    subject text not null,
    day date,
    detail text not null,
    amount_fen bigint not null check (amount_fen >= 0),
    opened_at timestamptz not null,
    owner text,
    resolution text,
    resolved_by text,
    resolved_at timestamptz,
    check ((resolved_at is null) = (resolution is null) and (resolved_at is null) = (resolved_by is null)),
    check ((day is null) = (kind in ('PAYOUT_DENIED', 'PAYOUT_REFUSED')))
);
create index on incidents (incident_id) where resolved_at is null;
create index on incidents (day) where day is not null;

create table bills (
    day date primary key,
    downloaded_at timestamptz not null,
    downloaded_by text not null,
    matched int check (matched >= 0),
    compared_at timestamptz
);
create table bill_lines (
    day date not null references bills,
    line_no int not null,
    movement text not null check (movement in ('PAYMENT', 'REFUND', 'PAYOUT', 'TRANSFER', 'CLAWBACK')),
    number text not null,
    trade_no text not null,
    amount_fen bigint not null check (amount_fen >= 0),
    fee_fen bigint not null check (fee_fen between 0 and amount_fen),
    moved_at timestamptz not null,
    primary key (day, line_no)
);

alter table instructions add column denials int not null default 0 check (denials >= 0);
create index on instructions (paid_at, instruction_id) where state = 'PAID';
"""


def upgrade() -> None:
    """Add them."""
    apply(_LOOKED_AT)
