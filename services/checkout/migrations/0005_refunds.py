"""Refunds of a whole campaign, of what expired, and those made at the channel itself."""

from shared.migrations import apply

revision = "checkout_0005"
down_revision = "checkout_0004"
branch_labels = None
depends_on = None

# `walked_…` is the last order that a mass refund has looked at; the walk goes from the oldest order to the newest.
_MASS_REFUNDS = """
create table mass_refunds (
    mass_refund_id uuid primary key,
    deal_id uuid not null,
    reason text not null,
    requested_by text not null,
    started_at timestamptz not null,
    state text not null default 'RUNNING' check (state in ('RUNNING', 'DONE', 'STOPPED')),
    walked_placed_at timestamptz,
    walked_order_id uuid,
    orders_walked bigint not null default 0,
    ended_at timestamptz,
    stopped_by text,
    check ((walked_placed_at is null) = (walked_order_id is null)),
    check ((ended_at is null) = (state = 'RUNNING'))
);
create index on mass_refunds (deal_id, started_at);
create index on mass_refunds (started_at desc, mass_refund_id desc);

create table mass_refund_refunds (
    mass_refund_id uuid not null references mass_refunds,
    refund_id uuid not null references refunds,
    units int not null check (units > 0),
    primary key (mass_refund_id, refund_id)
);
"""

# An external refund that is allocated to no refund of ours waits for the operator of its incident. Each has an incident
# of its own, under its own id; the other kinds stay at one open incident per attempt.
_EXTERNAL = """
create table external_refunds (
    refund_id uuid primary key,
    order_id uuid not null references orders,
    attempt_id uuid not null references payment_attempts,
    channel_refund_no text not null,
    amount_fen bigint not null check (amount_fen > 0),
    refunded_at timestamptz not null,
    found_at timestamptz not null,
    allocated_to uuid references refunds,
    allocated_at timestamptz,
    allocated_by text,
    check ((allocated_to is null) = (allocated_at is null))
);
create index on external_refunds (order_id);

alter table payment_incidents drop constraint payment_incidents_kind_check;
alter table payment_incidents add constraint payment_incidents_kind_check
    check (kind in ('AMOUNT_MISMATCH', 'REFUNDED_ELSEWHERE', 'EXTERNAL_REFUND'));
drop index one_open_incident;
create unique index one_open_incident on payment_incidents (attempt_id, kind)
    where resolved_at is null and kind <> 'EXTERNAL_REFUND';
"""

_APPROVED = """
alter table refunds add column approved_at timestamptz;
alter table refund_units add column stays_sold boolean not null default false;
"""

# For the lists of staff: a merchant's orders, those of one state, those of one deal (also the way of a mass refund).
_LISTS = """
create index on orders (merchant_id, placed_at desc, order_id desc);
create index on orders (merchant_id, state, placed_at desc, order_id desc);
create index on orders (deal_id, placed_at desc, order_id desc);
"""


def upgrade() -> None:
    """Add the tables, the column and the indexes."""
    for script in (_MASS_REFUNDS, _EXTERNAL, _APPROVED, _LISTS):
        apply(script)
