"""Parcels, their attempts, refund fences, stored webhooks, what happened; the copies of merchants, stores and staff."""

from shared.messaging.schema import STAFF_V1, V1
from shared.migrations import apply

revision = "dispatch_0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = """
create table merchants (
    merchant_id uuid primary key,
    version bigint not null,
    name text not null,
    phone text not null,
    state text not null
);

create table stores (
    store_id uuid primary key,
    version bigint not null,
    merchant_id uuid not null,
    name text not null,
    city text not null,
    address text not null,
    latitude double precision not null,
    longitude double precision not null,
    phone text not null,
    open boolean not null
);
create index on stores (merchant_id);

create table parcels (
    parcel_id uuid primary key,
    order_id uuid not null unique,
    order_no text not null,
    buyer text not null,
    merchant_id uuid not null,
    store_id uuid not null,
    title text not null,
    unit_ids uuid[] not null check (cardinality(unit_ids) between 1 and 10),
    mode text not null check (mode in ('SELF', 'INSTANT', 'COURIER')),
    fee_fen bigint not null check (fee_fen >= 0),
    value_fen bigint not null check (value_fen >= 0),
    weight_g int not null check (weight_g > 0),
    category text not null,
    sealed_address text not null,
    sealed_receive_code text not null,
    code_tries int not null default 0 check (code_tries >= 0),
    code_locked_until timestamptz,
    state text not null default 'PLACED' check (state in ('PLACED', 'ACCEPTED', 'HANDED_OVER', 'DELIVERED', 'RECEIVED',
        'FAILED', 'RETURNED', 'LOST', 'REFUNDING', 'REFUNDED')),
    state_before text check (state_before in ('PLACED', 'ACCEPTED')),
    refund_id uuid,
    dispatch_state text not null default 'PLANNED' check (dispatch_state in ('PLANNED', 'DISPATCHING', 'ACTIVE',
        'MANUAL', 'COMPLETED', 'RETURNED', 'FAILED', 'CANCELLED')),
    stopping_for text check (stopping_for in ('NOT_HANDED_OVER', 'NO_CARRIER', 'REFUSED_BY_MERCHANT', 'REFUNDED')),
    failure text,
    version bigint not null default 1,
    placed_at timestamptz not null,
    accept_by timestamptz not null,
    hand_over_by timestamptz not null,
    accepted_at timestamptz,
    handed_over_at timestamptz,
    carried_as text check (carried_as in ('SELF', 'INSTANT', 'COURIER')),
    delivered_at timestamptz,
    receive_by timestamptz,
    received_at timestamptz,
    opened_at timestamptz not null default now(),
    changed_at timestamptz not null default now(),
    check ((state = 'REFUNDING') = (state_before is not null)),
    check (state <> 'REFUNDING' or refund_id is not null),
    check (state <> 'HANDED_OVER' or (handed_over_at is not null and carried_as is not null)),
    check (state <> 'DELIVERED' or receive_by is not null),
    check (state not in ('FAILED', 'RETURNED', 'LOST') or failure is not null)
) with (fillfactor = 80);
create index on parcels (merchant_id, placed_at desc, parcel_id desc);
create index on parcels (changed_at) where state not in ('RECEIVED', 'REFUNDED');

create table attempts (
    attempt_id uuid primary key,
    parcel_id uuid not null references parcels,
    number int not null check (number > 0),
    provider text not null,
    account text not null,
    carried_as text not null check (carried_as in ('SELF', 'INSTANT', 'COURIER')),
    token_hash bytea not null unique,
    state text not null check (state in ('CREATED', 'SUBMITTING', 'UNKNOWN', 'SEARCHING', 'ASSIGNED', 'AT_PICKUP',
        'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'CANCELLING', 'EXCEPTION', 'RETURNING',
        'DELIVERED', 'CANCELLED', 'RETURNED', 'REJECTED', 'LOST', 'FENCED')),
    watermark timestamptz,
    picked_up boolean not null default false,
    raw_status text,
    provider_id text,
    waybill text,
    sealed_rider text,
    fee_fen bigint check (fee_fen >= 0),
    cancel_fee_fen bigint check (cancel_fee_fen >= 0),
    fee_state text not null default 'NONE' check (fee_state in ('NONE', 'ESTIMATED', 'CONFIRMED', 'PENDING')),
    refusal_code text,
    cancel_reason text,
    submissions int not null default 0,
    asked int not null default 0,
    first_submitted_at timestamptz,
    last_submitted_at timestamptz,
    last_heard_at timestamptz,
    zombie_since timestamptz,
    routing jsonb not null,
    created_at timestamptz not null,
    changed_at timestamptz not null default now(),
    unique (parcel_id, number)
) with (fillfactor = 80);

-- Two live attempts would send two riders for one parcel.
create unique index one_live_attempt on attempts (parcel_id)
    where state not in ('DELIVERED', 'CANCELLED', 'RETURNED', 'REJECTED', 'LOST', 'FENCED');
create index on attempts (changed_at) where state in ('SUBMITTING', 'UNKNOWN', 'CANCELLING');
create index on attempts (zombie_since) where zombie_since is not null;

create table fences (
    refund_id uuid primary key,
    order_id uuid not null,
    unit_ids uuid[] not null check (cardinality(unit_ids) between 1 and 10),
    state text not null check (state in ('WAITING', 'FENCED', 'REFUSED', 'LIFTED', 'CLOSED')),
    code text,
    changed_at timestamptz not null default now(),
    check (state <> 'REFUSED' or code is not null)
);
create index on fences (order_id);
create index on fences (changed_at) where state = 'WAITING';

create table webhooks (
    webhook_id uuid primary key,
    attempt_id uuid not null references attempts,
    provider text not null,
    body_hash bytea not null,
    sealed_body text not null,
    content_type text not null,
    state text not null default 'STORED' check (state in ('STORED', 'APPLIED', 'REFUSED')),
    received_at timestamptz not null default now(),
    unique (attempt_id, body_hash)
);
create index on webhooks (received_at);

create table reports (
    report_id bigint generated always as identity primary key,
    attempt_id uuid not null references attempts,
    source text not null check (source in ('CREATE', 'QUERY', 'WEBHOOK', 'MERCHANT')),
    raw_status text not null,
    state text,
    occurred_at timestamptz,
    verdict text not null,
    recorded_at timestamptz not null default now()
);
create index on reports (attempt_id, report_id);

create table happenings (
    happening_id bigint generated always as identity primary key,
    parcel_id uuid not null references parcels,
    attempt_id uuid,
    at timestamptz not null,
    what text not null,
    reason text
);
create index on happenings (parcel_id, happening_id);
"""

# The statements decide; this refuses what a mistaken statement would do.
_GUARDS = """
create function touch() returns trigger language plpgsql as $$
begin
    new.changed_at := clock_timestamp();
    return new;
end $$;
create trigger parcel_touched before update on parcels for each row execute function touch();
create trigger attempt_touched before update on attempts for each row execute function touch();
create trigger fence_touched before update on fences for each row execute function touch();

create function guard_parcel() returns trigger language plpgsql as $$
begin
    if not (old.state || '>' || new.state) = any (tg_argv) then
        raise exception 'parcel: % cannot become %', old.state, new.state using errcode = 'check_violation';
    end if;
    return new;
end $$;
create trigger parcel_state before update on parcels for each row when (old.state <> new.state)
    execute function guard_parcel(
        'PLACED>ACCEPTED', 'PLACED>FAILED', 'PLACED>REFUNDING', 'PLACED>REFUNDED',
        'ACCEPTED>HANDED_OVER', 'ACCEPTED>FAILED', 'ACCEPTED>REFUNDING', 'ACCEPTED>REFUNDED',
        'REFUNDING>PLACED', 'REFUNDING>ACCEPTED', 'REFUNDING>REFUNDED',
        'HANDED_OVER>DELIVERED', 'HANDED_OVER>RETURNED', 'HANDED_OVER>LOST', 'DELIVERED>RECEIVED',
        'FAILED>REFUNDED', 'RETURNED>REFUNDED', 'LOST>REFUNDED');

create function guard_attempt() returns trigger language plpgsql as $$
begin
    raise exception 'attempt: % is over and cannot become %', old.state, new.state using errcode = 'check_violation';
end $$;
create trigger attempt_is_over before update on attempts for each row
    when (old.state <> new.state
          and old.state in ('DELIVERED', 'CANCELLED', 'RETURNED', 'REJECTED', 'LOST', 'FENCED'))
    execute function guard_attempt();
"""


def upgrade() -> None:
    """The first schema."""
    apply(V1)
    apply(STAFF_V1)
    apply(_TABLES)
    apply(_GUARDS)
