"""Onboarding as a checklist: evidence and fee of the verification, the opening, suspension, support, invitations."""

from shared.migrations import apply

revision = "catalog_0003"
down_revision = "catalog_0002"
branch_labels = None
depends_on = None

# `standing` is what the verification of the licence came to, whether or not an operator suspended the merchant besides.
MERCHANTS = """
alter table merchants
    add column licence_evidence text not null default '',
    add column reason_code text,
    add column opened_at timestamptz,
    add column opened_by text,
    add column suspended_from text check (suspended_from in ('APPLIED', 'VERIFIED', 'REJECTED')),
    add column suspension_reason text,
    add column suspension_by text,
    add column suspension_at timestamptz;
update merchants set suspended_from = 'VERIFIED', suspension_reason = reason where state = 'SUSPENDED';
alter table merchants
    add column standing text generated always as (coalesce(suspended_from, state)) stored,
    drop constraint merchants_check,
    drop constraint merchants_check1;
alter table merchants
    add constraint waiting_means_undecided check ((standing = 'APPLIED') = (decided_at is null)),
    add constraint rejected_with_a_reason check (standing <> 'REJECTED' or reason is not null),
    add constraint suspended_remembers_from_what check ((state = 'SUSPENDED') = (suspended_from is not null)),
    add constraint suspended_with_a_reason check (state <> 'SUSPENDED' or suspension_reason is not null),
    add constraint opened_by_somebody check ((opened_at is null) = (opened_by is null));
drop index merchants_applied_at_idx;
create index on merchants (applied_at) where standing = 'APPLIED';
alter table payout_accounts add column reason_code text;
"""

# What sells by the older rules goes on selling: it is opened, and its verification costs nothing any more.
OLDER = """
update merchants m set opened_at = coalesce(decided_at, applied_at), opened_by = applied_by
where exists (select from deals d where d.merchant_id = m.merchant_id);
insert into timers (kind, key, due_at)
select 'licence_expired', merchant_id::text, (licence_expires_on + 1)::timestamp at time zone 'Asia/Shanghai'
from merchants where standing = 'VERIFIED';
insert into merchant_fees (merchant_id, kind, amount_fen, state, reference, opened_at, settled_by, settled_at)
select merchant_id, 'VERIFICATION', 60000, 'WAIVED', 'older than the fee', applied_at, decided_by, decided_at
from merchants where decided_at is not null;
insert into merchant_fees (merchant_id, kind, amount_fen, state, opened_at)
select merchant_id, 'VERIFICATION', 60000, 'DUE', applied_at from merchants where decided_at is null;
"""

FEES = """
create table merchant_fees (
    merchant_id uuid not null references merchants,
    kind text not null check (kind in ('VERIFICATION')),
    amount_fen bigint not null check (amount_fen > 0),
    state text not null check (state in ('DUE', 'PAID', 'WAIVED')),
    reference text,
    opened_at timestamptz not null,
    settled_by text,
    settled_at timestamptz,
    primary key (merchant_id, kind),
    check ((state = 'DUE') = (settled_at is null)),
    check ((state = 'DUE') = (reference is null))
);
create index on merchant_fees (opened_at) where state = 'DUE';
"""

SUPPORT = """
create table support_enrolments (
    merchant_id uuid primary key references merchants,
    weight int not null check (weight between 1 and 10),
    starts_at timestamptz not null,
    ends_at timestamptz not null check (ends_at > starts_at),
    enrolled_by text not null,
    enrolled_at timestamptz not null
);
"""

# Only a keyed hash of the token is kept: who reads this table cannot accept what it holds.
INVITATIONS = """
create table staff_invitations (
    invitation_id uuid primary key,
    merchant_id uuid not null references merchants,
    role text not null check (role in ('OWNER', 'MANAGER', 'CLERK', 'FINANCE', 'RIDER')),
    store_ids uuid[] not null,
    note text not null,
    token_lookup bytea not null unique,
    invited_by text not null,
    invited_at timestamptz not null,
    expires_at timestamptz not null check (expires_at > invited_at),
    accepted_by text,
    accepted_at timestamptz,
    staff_id uuid,
    revoked_by text,
    revoked_at timestamptz,
    check ((accepted_at is null) = (accepted_by is null) and (accepted_at is null) = (staff_id is null)),
    check ((revoked_at is null) = (revoked_by is null)),
    check (accepted_at is null or revoked_at is null)
);
create index on staff_invitations (merchant_id, invited_at desc, invitation_id desc);
create index on staff_invitations (merchant_id, expires_at) where accepted_at is null and revoked_at is null;
drop index staff_merchant_id_idx;
create index on staff (merchant_id, staff_id);
"""


def upgrade() -> None:
    """Add it, and bring what is there up to it."""
    for script in (MERCHANTS, FEES, OLDER, SUPPORT, INVITATIONS):
        apply(script)
