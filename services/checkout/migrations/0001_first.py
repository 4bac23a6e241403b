"""Checkout's first schema: copies of catalog's facts, stock, orders, payments, refunds."""

from shared.messaging.schema import STAFF_V1, V1
from shared.migrations import apply

revision = "checkout_0001"
down_revision = None
branch_labels = None
depends_on = None

_COPIES = """
create table merchants (
    merchant_id uuid primary key,
    version bigint not null,
    name text not null,
    state text not null
);

create table payout_accounts (
    merchant_id uuid primary key,
    version bigint not null,
    state text not null,
    rail text not null,
    sub_merchant_id text
);

create table deals (
    deal_id uuid primary key,
    version bigint not null,
    deal_version bigint not null,
    merchant_id uuid not null,
    online boolean not null,
    total_quota bigint not null check (total_quota >= 0),
    store_ids uuid[] not null
);

create table deal_versions (
    deal_id uuid not null,
    deal_version bigint not null,
    merchant_id uuid not null,
    kind text not null check (kind in ('VOUCHER', 'GOODS')),
    title text not null,
    cover text not null,
    price_fen bigint not null check (price_fen >= 0),
    original_price_fen bigint not null check (original_price_fen >= 0),
    per_buyer_limit int not null check (per_buyer_limit >= 0),
    sale_from timestamptz not null,
    sale_until timestamptz not null,
    rules jsonb not null,
    delivery jsonb,
    primary key (deal_id, deal_version)
);
"""

# The quota is catalog's word, kept here so that one row decides a sale. It may fall below what is already sold, so no
# constraint can tie the three numbers: the guarded statement that reserves does.
_STOCK = """
create table stock (
    deal_id uuid primary key,
    quota bigint not null check (quota >= 0),
    reserved bigint not null default 0 check (reserved >= 0),
    sold bigint not null default 0 check (sold >= 0),
    version bigint not null default 1,
    said_version bigint not null default 0,
    said_at timestamptz not null default to_timestamp(0)
) with (fillfactor = 50);

create table buyer_counters (
    deal_id uuid not null,
    buyer text not null,
    units bigint not null check (units >= 0),
    primary key (deal_id, buyer)
);
"""

_ORDERS = """
create function stamp_change() returns trigger language plpgsql as $$
begin
    new.changed_at := clock_timestamp();
    return new;
end $$;

create table orders (
    order_id uuid primary key,
    order_no text not null unique,
    state text not null check (state in ('PLACED', 'PAID', 'FULFILLING', 'COMPLETED', 'CLOSED')),
    buyer text not null,
    merchant_id uuid not null,
    deal_id uuid not null,
    deal_version bigint not null,
    kind text not null check (kind in ('VOUCHER', 'GOODS')),
    title text not null,
    cover text not null,
    quantity int not null check (quantity between 1 and 10),
    unit_price_fen bigint not null check (unit_price_fen > 0),
    total_fen bigint not null,
    refunded_fen bigint not null default 0,
    rules jsonb not null,
    store_ids uuid[] not null,
    source text,
    request_digest bytea not null,
    placed_at timestamptz not null,
    expires_at timestamptz not null,
    paid_at timestamptz,
    closed_at timestamptz,
    delivery_mode text,
    delivery_fee_fen bigint not null default 0 check (delivery_fee_fen >= 0),
    weight_g int,
    category text,
    sealed_address text,
    masked_phone text,
    masked_address text,
    parcel_state text,
    changed_at timestamptz not null default clock_timestamp(),
    check (total_fen = unit_price_fen * quantity + delivery_fee_fen),
    check (refunded_fen between 0 and total_fen),
    check ((paid_at is not null) = (state in ('PAID', 'FULFILLING', 'COMPLETED'))),
    check ((closed_at is not null) = (state = 'CLOSED')),
    check ((kind = 'GOODS') = (delivery_mode is not null)),
    check ((delivery_mode is null) = (sealed_address is null))
);
create index on orders (buyer, placed_at desc, order_id desc);
create index on orders (deal_id) where state = 'PLACED';
create trigger stamp before update on orders for each row execute function stamp_change();

create table units (
    unit_id uuid primary key,
    order_id uuid not null references orders (order_id),
    position int not null,
    state text not null default 'OPEN' check (state in ('OPEN', 'USED', 'FINAL', 'REFUNDING', 'REFUNDED')),
    paid_fen bigint not null check (paid_fen > 0),
    original_price_fen bigint not null,
    uses jsonb not null,
    used_at timestamptz,
    uses_final int not null default 0,
    changed_at timestamptz not null default clock_timestamp(),
    unique (order_id, position)
);
create trigger stamp before update on units for each row execute function stamp_change();

create table order_timeline (
    order_id uuid not null references orders (order_id),
    what text not null,
    about text not null default '',
    at timestamptz not null,
    primary key (order_id, what, about)
);
"""

_PAYMENTS = """
create table payment_attempts (
    attempt_id uuid primary key,
    order_id uuid not null references orders (order_id),
    channel text not null,
    amount_fen bigint not null check (amount_fen > 0),
    rail text not null,
    sub_merchant_id text,
    state text not null check (state in ('OPEN', 'PAID', 'CLOSING', 'CLOSED')),
    opened_at timestamptz not null,
    expires_at timestamptz not null,
    trade_no text,
    captured_fen bigint,
    captured_at timestamptz,
    stray text check (stray in ('LATE_CAPTURE', 'SECOND_CAPTURE')),
    asked int not null default 0,
    closing_since timestamptz,
    changed_at timestamptz not null default clock_timestamp(),
    check ((captured_fen is null) = (trade_no is null) and (captured_fen is null) = (captured_at is null)),
    check (state <> 'PAID' or captured_fen = amount_fen),
    check (stray is null or captured_fen is not null)
);
create unique index one_live_attempt_per_order on payment_attempts (order_id) where state in ('OPEN', 'CLOSING');
create unique index one_payment_per_order on payment_attempts (order_id) where state = 'PAID' and stray is null;
create index on payment_attempts (order_id);
create index on payment_attempts (closing_since) where state = 'CLOSING';
-- A question to the channel changes nothing that the audit could date a difference by.
create trigger stamp before update of state, captured_fen on payment_attempts
    for each row execute function stamp_change();

create table payment_incidents (
    incident_id uuid primary key,
    attempt_id uuid not null references payment_attempts (attempt_id),
    kind text not null check (kind in ('AMOUNT_MISMATCH', 'REFUNDED_ELSEWHERE')),
    claimed_fen bigint,
    trade_no text not null,
    sealed_evidence text,
    opened_at timestamptz not null,
    resolved_at timestamptz,
    resolved_by text,
    resolution text,
    changed_at timestamptz not null default clock_timestamp()
);
create unique index one_open_incident on payment_incidents (attempt_id, kind) where resolved_at is null;
"""

_REFUNDS = """
create table refunds (
    refund_id uuid primary key,
    order_id uuid not null references orders (order_id),
    attempt_id uuid not null references payment_attempts (attempt_id),
    cause text not null,
    state text not null check (state in
        ('FENCING', 'APPROVED', 'SENT', 'UNKNOWN', 'SUCCEEDED', 'FAILED', 'REFUSED', 'ABANDONED')),
    amount_fen bigint not null check (amount_fen > 0),
    reason text not null,
    requested_by text,
    requested_at timestamptz not null,
    succeeded_at timestamptz,
    refused_code text,
    tries int not null default 0,
    moving_since timestamptz,
    needs_operator_since timestamptz,
    abandoned_by text,
    changed_at timestamptz not null default clock_timestamp(),
    check ((succeeded_at is not null) = (state = 'SUCCEEDED'))
);
create index on refunds (order_id);
create unique index one_return_of_stray_money on refunds (attempt_id)
    where cause in ('LATE_CAPTURE', 'SECOND_CAPTURE');
create index on refunds (moving_since) where state in ('FENCING', 'APPROVED', 'SENT', 'UNKNOWN', 'FAILED');
create trigger stamp before update of state, amount_fen on refunds for each row execute function stamp_change();

create table refund_units (
    refund_id uuid not null references refunds (refund_id),
    unit_id uuid not null references units (unit_id),
    amount_fen bigint not null check (amount_fen >= 0),
    released boolean not null default false,
    primary key (refund_id, unit_id)
);
-- A refunded unit keeps its place here for ever, so that it can never be refunded twice.
create unique index one_live_refund_per_unit on refund_units (unit_id) where not released;
"""


def upgrade() -> None:
    """Create everything."""
    for script in (V1, STAFF_V1, _COPIES, _STOCK, _ORDERS, _PAYMENTS, _REFUNDS):
        apply(script)
