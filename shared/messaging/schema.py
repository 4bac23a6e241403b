"""The tables that every service's schema has for messages and timers; migrations call these, never edit them."""

# Immutable once released: a change is V2, in a migration of every service.
V1 = """
create table outbox (
    id bigint generated always as identity primary key,
    event_id uuid not null unique,
    topic text not null,
    aggregate_id text not null,
    version bigint not null,
    payload bytea not null,
    headers jsonb not null,
    attempts int not null default 0,
    retry_at timestamptz not null default now(),
    created_at timestamptz not null default now()
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

create table history (
    event_id uuid primary key,
    topic text not null,
    aggregate_id text not null,
    version bigint not null,
    payload bytea not null,
    headers jsonb not null,
    created_at timestamptz not null default now()
);
create index on history (created_at);
create index on history (aggregate_id, created_at);

create table inbox (
    consumer text not null,
    event_id uuid not null,
    at timestamptz not null default now(),
    primary key (consumer, event_id)
) with (autovacuum_vacuum_scale_factor = 0.02);
create index on inbox (at);

create table parked (
    consumer text not null,
    event_id uuid not null,
    topic text not null,
    attempts int not null,
    first_at timestamptz not null default now(),
    next_at timestamptz,
    kind text not null check (kind in ('BUG', 'NOT_YET', 'REFUSED', 'MALFORMED', 'CRASHED')),
    error text not null,
    envelope bytea not null,
    headers jsonb not null,
    primary key (consumer, event_id)
);
create index on parked (next_at) where next_at is not null;

create table timers (
    kind text not null,
    key text not null,
    due_at timestamptz not null,
    payload jsonb not null default '{}',
    attempts int not null default 0,
    leased_until timestamptz,
    primary key (kind, key)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
create index on timers (kind, due_at);
create index on timers (due_at);
"""

STAFF_V1 = """
create table staff (
    staff_id uuid primary key,
    version bigint not null,
    subject text not null,
    merchant_id uuid,
    role text not null,
    store_ids uuid[] not null,
    active boolean not null
);
create index on staff (subject) where active;
"""

# Where a row is sent: the exchange `events` for everybody, or `replay.<service>` for the copies of one service.
V2 = """
alter table outbox add column exchange text not null default 'events';
"""

# Of a service that can say its state anew: what was asked for, and how far it is. The index holds no ordinary row.
REPLAYS_V1 = """
create table replays (
    replay_id uuid primary key,
    consumer text not null,
    reason text not null,
    started_by text not null,
    started_at timestamptz not null,
    state text not null default 'READING' check (state in ('READING', 'SENDING', 'DONE')),
    phase text,
    cursor text,
    counted jsonb not null,
    emitted jsonb not null default '{}',
    finished_at timestamptz,
    check ((state = 'READING') = (phase is not null)),
    check (phase is not null or cursor is null),
    check ((state = 'DONE') = (finished_at is not null))
);
create index on replays (started_at);
create index on outbox (exchange) where exchange <> 'events';
"""
