"""Orders and their certificates, uses, refund fences, refusals; the copies of stores and staff."""

from shared.messaging.schema import STAFF_V1, V1
from shared.migrations import apply

revision = "redemption_0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = """
create table stores (
    store_id uuid primary key,
    version bigint not null,
    merchant_id uuid not null,
    name text not null,
    open boolean not null
);

create table orders (
    order_id uuid primary key,
    order_no text not null,
    buyer text not null,
    merchant_id uuid not null,
    deal_id uuid not null,
    deal_version bigint not null,
    title text not null,
    store_ids uuid[] not null,
    starts_at timestamptz not null,
    until timestamptz not null,
    blackout_dates date[] not null,
    paid_at timestamptz not null
);

create table certificates (
    unit_id uuid primary key,
    order_id uuid not null references orders,
    position smallint not null,
    state text not null check (state in
        ('ISSUING', 'ISSUE_FAILED', 'VALID', 'USED', 'EXPIRED', 'SETTLED', 'REFUNDING', 'REFUNDED')),
    state_before text check (state_before in ('ISSUING', 'ISSUE_FAILED', 'VALID', 'EXPIRED')),
    refund_id uuid,
    use_values_fen bigint[] not null check (cardinality(use_values_fen) between 1 and 100),
    uses_left int not null,
    code_hash bytea unique,
    sealed_code text,
    changed_at timestamptz not null default now(),
    unique (order_id, position),
    check (0 <= all (use_values_fen)),
    check (uses_left between 0 and cardinality(use_values_fen)),
    check (state <> 'VALID' or uses_left > 0),
    check (state not in ('USED', 'SETTLED') or uses_left = 0),
    check ((state = 'REFUNDING') = (state_before is not null)),
    check ((state in ('REFUNDING', 'REFUNDED')) = (refund_id is not null)),
    check ((code_hash is null) = (sealed_code is null)),
    check (state <> 'VALID' or code_hash is not null)
) with (fillfactor = 80);
create index on certificates (refund_id) where refund_id is not null;

create table redemptions (
    redemption_id uuid primary key,
    order_id uuid not null references orders,
    store_id uuid not null,
    store_name text not null,
    operator text not null,
    device_id text not null,
    unit_ids uuid[] not null check (cardinality(unit_ids) between 1 and 10),
    used_at timestamptz not null,
    reversible_until timestamptz not null check (reversible_until > used_at)
);
create index on redemptions (store_id, used_at desc, redemption_id desc);

create table uses (
    use_id uuid primary key,
    unit_id uuid not null references certificates,
    use_no int not null check (use_no > 0),
    redemption_id uuid not null references redemptions,
    paid_fen bigint not null check (paid_fen >= 0),
    state text not null default 'USED' check (state in ('USED', 'FINAL', 'SETTLED')),
    changed_at timestamptz not null default now(),
    unique (unit_id, use_no)
) with (fillfactor = 80);
create index on uses (redemption_id);

create table refunds (
    refund_id uuid primary key,
    order_id uuid not null,
    unit_ids uuid[] not null check (cardinality(unit_ids) between 1 and 10),
    state text not null check (state in ('WAITING', 'FENCED', 'REFUSED', 'SUCCEEDED', 'ABANDONED')),
    code text,
    changed_at timestamptz not null default now(),
    check (state <> 'REFUSED' or code is not null)
);
create index on refunds (order_id);
create index on refunds (changed_at) where state = 'WAITING';

create table refusals (
    refusal_id bigint generated always as identity primary key,
    at timestamptz not null,
    recorded_at timestamptz not null default now(),
    step text not null check (step in ('SCANNED', 'TYPED', 'VERIFY')),
    code text not null,
    operator text not null,
    store_id uuid not null,
    unit_ids uuid[] not null,
    redemption_id uuid
);
create index on refusals (operator, recorded_at) where step = 'TYPED' and code = 'code_unknown';
create index on refusals (store_id, at);
"""

# The statements decide; this refuses what a mistaken statement would do.
_GUARDS = """
create function guard_state() returns trigger language plpgsql as $$
begin
    if not (old.state || '>' || new.state) = any (tg_argv) then
        raise exception '%: % cannot become %', tg_table_name, old.state, new.state using errcode = 'check_violation';
    end if;
    return new;
end $$;

create trigger certificate_state before update on certificates for each row when (old.state <> new.state)
    execute function guard_state(
        'ISSUING>VALID', 'ISSUING>ISSUE_FAILED', 'VALID>USED', 'VALID>EXPIRED', 'USED>SETTLED',
        'ISSUING>REFUNDING', 'ISSUE_FAILED>REFUNDING', 'VALID>REFUNDING', 'EXPIRED>REFUNDING',
        'REFUNDING>ISSUING', 'REFUNDING>ISSUE_FAILED', 'REFUNDING>VALID', 'REFUNDING>EXPIRED', 'REFUNDING>REFUNDED');

create trigger use_state before update on uses for each row when (old.state <> new.state)
    execute function guard_state('USED>FINAL', 'FINAL>SETTLED');

create trigger refund_state before update on refunds for each row when (old.state <> new.state)
    execute function guard_state(
        'WAITING>FENCED', 'WAITING>REFUSED', 'WAITING>ABANDONED', 'WAITING>SUCCEEDED',
        'FENCED>SUCCEEDED', 'FENCED>ABANDONED');
"""


def upgrade() -> None:
    """The first schema."""
    apply(V1)
    apply(STAFF_V1)
    apply(_TABLES)
    apply(_GUARDS)
