"""Codes of third parties (pools, issuers, uses at a merchant's own till); who guesses codes; phones; reminders."""

from shared.migrations import apply

revision = "redemption_0007"
down_revision = "redemption_0006"
branch_labels = None
depends_on = None

# A code's hash is keyed with its merchant, so that two merchants may have the same code and neither learns of it.
_POOLS = """
create table code_imports (
    merchant_id uuid not null,
    import_id uuid not null,
    deal_id uuid not null,
    digest bytea not null,
    codes int not null check (codes between 1 and 10000),
    imported_by text not null,
    imported_at timestamptz not null,
    primary key (merchant_id, import_id)
);

create table pool_codes (
    code_hash bytea primary key,
    code_no bigint generated always as identity,
    merchant_id uuid not null,
    deal_id uuid not null,
    import_id uuid,
    sealed_code text not null,
    unit_id uuid unique references certificates,
    foreign key (merchant_id, import_id) references code_imports,
    constraint from_an_import_or_for_a_unit check (import_id is not null or unit_id is not null)
) with (fillfactor = 80);
create index pool_codes_free on pool_codes (merchant_id, deal_id, code_no) where unit_id is null;
create index pool_codes_of_deal on pool_codes (merchant_id, deal_id);

create function guard_allocation() returns trigger language plpgsql as $$
begin
    raise exception 'pool_codes: a code that was given to a certificate stays there' using errcode = 'check_violation';
end $$;
create trigger allocation_stands before update on pool_codes for each row
    when (old.unit_id is not null and old.unit_id is distinct from new.unit_id) execute function guard_allocation();

alter table orders add column code_source text check (code_source in ('POOL', 'CALLBACK'));
create index certificates_waiting on certificates (order_id) where state = 'ISSUING';
"""

_ISSUERS = """
create table code_issuers (
    merchant_id uuid primary key,
    url text not null,
    sealed_secret text not null,
    changed_by text not null,
    changed_at timestamptz not null
);

create table code_requests (
    unit_id uuid primary key references certificates,
    order_id uuid not null references orders,
    merchant_id uuid not null,
    attempts int not null default 0,
    state text not null default 'ASKING' check (state in ('ASKING', 'ISSUED', 'VOIDING', 'VOIDED')),
    changed_at timestamptz not null default now()
) with (fillfactor = 80);
create index on code_requests (order_id);
create trigger code_request_state before update on code_requests for each row when (old.state <> new.state)
    execute function guard_state(
        'ASKING>ISSUED', 'ASKING>VOIDING', 'ASKING>VOIDED', 'ISSUED>VOIDING', 'VOIDING>VOIDED', 'VOIDED>VOIDING');
"""

_EXTERNAL_USES = """
create table external_uses (
    merchant_id uuid not null,
    report_id uuid not null,
    digest bytea not null,
    reported_used_at timestamptz not null,
    redemption_id uuid references redemptions,
    refusal_code text,
    refusal_facts jsonb,
    recorded_at timestamptz not null default now(),
    primary key (merchant_id, report_id),
    constraint granted_or_refused check ((redemption_id is null) = (refusal_code is not null))
);

alter table refusals drop constraint refusals_step_check;
alter table refusals add constraint refusals_step_check
    check (step in ('SCANNED', 'TYPED', 'VERIFY', 'REVERSE', 'EXTERNAL', 'PHONE'));
"""

# What is counted of those who try codes. Yesterday's wrong codes still count.
_GUESSES = """
alter table refusals add column device_id text;
alter table refusals add column source bytea;
alter table refusals add column guess boolean not null default false;
update refusals set guess = true
where step = 'TYPED' and code = 'code_unknown' and recorded_at > now() - interval '1 day';
create index refusals_guesses_of_operator on refusals (operator, recorded_at) where guess;
create index refusals_guesses_in_store on refusals (store_id, recorded_at) where guess;
create index refusals_guesses_on_device on refusals (device_id, recorded_at) where guess and device_id is not null;
create index refusals_guesses_from_source on refusals (source, recorded_at) where guess and source is not null;
"""

_PHONES = """
alter table orders add column phone_lookup bytea;
create index orders_by_phone on orders (merchant_id, phone_lookup, paid_at desc) where phone_lookup is not null;
"""

# The moments are frozen when the order is paid. Orders that were paid before get the usual ones: what lies behind is
# told as one, and of what has expired nothing is told.
_REMINDERS = """
alter table orders add column reminders timestamptz[] not null default '{}';
alter table orders add column next_reminder_at timestamptz;
update orders set reminders = array[until - interval '3 days', until - interval '1 day'],
    next_reminder_at = until - interval '3 days'
where not expiry_done and until > now();
create index orders_to_remind on orders (next_reminder_at, order_id) where next_reminder_at is not null;
"""


def upgrade() -> None:
    """Add them."""
    for script in (_POOLS, _ISSUERS, _EXTERNAL_USES, _GUESSES, _PHONES, _REMINDERS):
        apply(script)
