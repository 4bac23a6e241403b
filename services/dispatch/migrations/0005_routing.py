"""Why a carrier was chosen and how carriers do, what a merchant prefers, tips and penalties, own riders and proofs."""

from shared.migrations import apply

revision = "dispatch_0005"
down_revision = "dispatch_0004"
branch_labels = None
depends_on = None

_PARCELS = """
alter table parcels
    add column search_since timestamptz,
    add column then_own_rider boolean not null default false;
"""

_ATTEMPTS = """
alter table attempts
    add column quote_token text,
    add column quote_fee_fen bigint check (quote_fee_fen >= 0),
    add column quote_expires_at timestamptz,
    add column zone text not null default '',
    add column hour smallint not null default 0 check (hour between 0 and 23),
    add column assigned_at timestamptz,
    add column rider_epoch int not null default 0,
    add column tip_fen bigint not null default 0 check (tip_fen >= 0),
    add column tip_wanted_fen bigint check (tip_wanted_fen > 0),
    add column cancelled_by text check (cancelled_by in ('US', 'RIDER', 'MERCHANT', 'SYSTEM')),
    add column penalty_borne_by text check (penalty_borne_by in ('MERCHANT', 'PLATFORM')),
    add column cancel_terms_fen bigint check (cancel_terms_fen >= 0),
    add column rider_subject text,
    add column sealed_position text,
    add column position_at timestamptz;
create index on attempts (rider_subject, created_at desc) where rider_subject is not null;
"""

_TABLES = """
create table decisions (
    decision_id bigint generated always as identity primary key,
    parcel_id uuid not null references parcels,
    attempt_id uuid,
    at timestamptz not null,
    record jsonb not null
);
create index on decisions (parcel_id, decision_id);

create table carrier_accounts (
    provider text not null,
    account text not null,
    balance_short_since timestamptz,
    disabled_since timestamptz,
    reason text not null default '',
    primary key (provider, account)
);

create table scorecard (
    provider text not null,
    zone text not null,
    hour smallint not null check (hour between 0 and 23),
    day date not null,
    delivered int not null default 0,
    no_rider int not null default 0,
    provider_cancelled int not null default 0,
    called_off int not null default 0,
    refused int not null default 0,
    went_wrong int not null default 0,
    riders int not null default 0,
    rider_wait_s bigint not null default 0,
    fee_fen bigint not null default 0,
    penalty_fen bigint not null default 0,
    primary key (provider, zone, hour, day)
);
create index on scorecard (day);

create table delivery_preferences (
    merchant_id uuid primary key,
    version bigint not null default 1,
    carrier_order text[] not null check (cardinality(carrier_order) <= 20),
    own_riders boolean not null,
    own_radius_m int not null check (own_radius_m between 100 and 50000),
    most_fee_fen bigint check (most_fee_fen > 0),
    tip_fen bigint not null check (tip_fen between 0 and 10000),
    confirm_above_fen bigint not null check (confirm_above_fen >= 0),
    changed_at timestamptz not null
);

create table proofs (
    attempt_id uuid primary key references attempts,
    parcel_id uuid not null references parcels,
    kind text not null check (kind in ('CODE', 'PHOTO')),
    sealed_photo text check (length(sealed_photo) <= 900000),
    sealed_place text,
    taken_at timestamptz not null,
    check ((kind = 'PHOTO') = (sealed_photo is not null))
);
"""


def upgrade() -> None:
    """Only additions: a process of the version before writes none of it and reads none of it."""
    for script in (_PARCELS, _ATTEMPTS, _TABLES):
        apply(script)
