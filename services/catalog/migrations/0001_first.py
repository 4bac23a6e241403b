"""Merchants, payout accounts, stores, staff, deals with immutable versions, availability and videos."""

from shared.messaging.schema import STAFF_V1, V1
from shared.migrations import apply

revision = "catalog_0001"
down_revision = None
branch_labels = None
depends_on = None

STAFF_GUARDS = """
alter table staff
    add check (version >= 1),
    add check (role in ('OWNER', 'MANAGER', 'CLERK', 'FINANCE', 'RIDER', 'OPERATOR')),
    add check ((role = 'OPERATOR') = (merchant_id is null));
create unique index staff_one_place on staff (subject, merchant_id) nulls not distinct;
create index on staff (merchant_id);
"""

MERCHANTS = """
create table merchants (
    merchant_id uuid primary key,
    version bigint not null check (version >= 1),
    name text not null,
    phone text not null,
    account_kind text not null check (account_kind = 'ENTERPRISE_VERIFIED'),
    licence_kind text not null check (licence_kind in ('ENTERPRISE', 'INDIVIDUAL_BUSINESS')),
    licence_no text not null,
    subject_name text not null,
    legal_person text not null,
    licence_expires_on date not null,
    state text not null check (state in ('APPLIED', 'VERIFIED', 'REJECTED', 'SUSPENDED')),
    reason text,
    applied_by text not null,
    applied_at timestamptz not null,
    decided_by text,
    decided_at timestamptz,
    check ((state = 'APPLIED') = (decided_at is null)),
    check (state not in ('REJECTED', 'SUSPENDED') or reason is not null)
);
create index on merchants (applied_at) where state = 'APPLIED';
alter table staff add foreign key (merchant_id) references merchants;

create table payout_accounts (
    merchant_id uuid primary key references merchants,
    version bigint not null check (version >= 1),
    kind text not null check (kind in ('ENTERPRISE', 'PERSONAL')),
    holder_name text not null,
    real_name_verified boolean not null,
    sealed_account text not null,
    sealed_for_settlement text not null,
    account_lookup bytea not null,
    masked_account text not null,
    state text not null check (state in ('SUBMITTED', 'VERIFIED', 'REJECTED')),
    rail text not null check (rail in ('ZHIFUTONG', 'TRANSFER')),
    sub_merchant_id text,
    reason text,
    failure_code text,
    submitted_at timestamptz not null,
    decided_by text,
    decided_at timestamptz,
    check (kind <> 'PERSONAL' or real_name_verified),
    check (state <> 'VERIFIED' or rail <> 'ZHIFUTONG' or sub_merchant_id is not null),
    check (state <> 'REJECTED' or reason is not null or failure_code is not null),
    check ((state = 'SUBMITTED') = (decided_at is null))
);
create index on payout_accounts (submitted_at) where state = 'SUBMITTED';
"""

STORES = """
create table stores (
    store_id uuid primary key,
    version bigint not null check (version >= 1),
    merchant_id uuid not null references merchants,
    name text not null,
    city text not null,
    address text not null,
    latitude double precision not null check (latitude between -90 and 90),
    longitude double precision not null check (longitude between -180 and 180),
    phone text not null,
    hours text not null,
    licence_evidence text not null,
    state text not null check (state in ('CLAIMED', 'VERIFIED', 'REJECTED')),
    open boolean not null,
    reason text,
    claimed_at timestamptz not null,
    decided_by text,
    decided_at timestamptz,
    check (not open or state = 'VERIFIED'),
    check (state <> 'REJECTED' or reason is not null),
    check ((state = 'CLAIMED') = (decided_at is null))
);
create index on stores (merchant_id);
create index on stores (claimed_at) where state = 'CLAIMED';
"""

DEALS = """
create table deals (
    deal_id uuid primary key,
    merchant_id uuid not null references merchants,
    revision bigint not null check (revision >= 1),
    draft jsonb not null,
    draft_state text not null check (draft_state in ('DRAFT', 'IN_REVIEW', 'REJECTED', 'APPROVED')),
    reason text,
    submitted_at timestamptz,
    version bigint not null default 0,
    deal_version bigint not null default 0,
    sale_state text check (sale_state in ('APPROVED', 'ONLINE', 'OFFLINE')),
    total_quota bigint not null default 0 check (total_quota >= 0),
    store_ids uuid[] not null default '{}',
    check ((deal_version = 0) = (sale_state is null)),
    check (version >= deal_version),
    check (draft_state <> 'APPROVED' or deal_version > 0),
    check (draft_state <> 'REJECTED' or reason is not null),
    check (draft_state <> 'IN_REVIEW' or submitted_at is not null)
);
create index on deals (merchant_id);
create index on deals (submitted_at) where draft_state = 'IN_REVIEW';

create table deal_versions (
    deal_id uuid not null references deals,
    deal_version bigint not null check (deal_version >= 1),
    content jsonb not null,
    title text not null,
    price_fen bigint not null check (price_fen >= 1),
    original_price_fen bigint not null check (original_price_fen >= price_fen),
    sale_from timestamptz not null,
    sale_until timestamptz not null check (sale_until > sale_from),
    approved_by text not null,
    published_at timestamptz not null,
    primary key (deal_id, deal_version)
);

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'a published version of a deal never changes' using errcode = 'integrity_constraint_violation';
end $$;
create trigger published_versions_never_change before update or delete on deal_versions
    for each row execute function refuse_change();

create table availability (
    deal_id uuid primary key,
    version bigint not null,
    available bigint not null check (available >= 0),
    sold bigint not null check (sold >= 0)
);
"""

VIDEOS = """
create table videos (
    video_id uuid primary key,
    merchant_id uuid not null references merchants,
    platform_id text not null unique,
    author text not null,
    caption text not null,
    cover text not null,
    city text not null,
    likes bigint not null check (likes >= 0),
    comments jsonb not null,
    comment_count int not null check (comment_count >= 0),
    deal_id uuid references deals,
    posted_at timestamptz not null,
    ranked_at timestamptz not null
);
create index on videos (ranked_at desc, video_id desc);
create index on videos (city, ranked_at desc, video_id desc);
create index on videos (merchant_id);
"""


def upgrade() -> None:
    """Create everything that catalog has."""
    for script in (V1, STAFF_V1, STAFF_GUARDS, MERCHANTS, STORES, DEALS, VIDEOS):
        apply(script)
