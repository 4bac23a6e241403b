"""Orders and uses, the ledger with its guards, payouts and their instructions, and the copies of catalog's facts."""

from shared.messaging.schema import STAFF_V1, V1
from shared.migrations import apply

revision = "settlement_0001"
down_revision = None
branch_labels = None
depends_on = None

COPIES = """
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
    sub_merchant_id text,
    sealed_account text not null
);
"""

USES = """
create table orders (
    order_id uuid primary key,
    order_no text not null,
    merchant_id uuid not null,
    deal_id uuid not null,
    kind text not null check (kind in ('VOUCHER', 'GOODS')),
    title text not null,
    rail text not null,
    sub_merchant_id text,
    trade_no text not null,
    out_trade_no text not null unique,
    paid_fen bigint not null check (paid_fen >= 0),
    paid_at timestamptz not null
);

create table runs (
    day date primary key,
    last_run_at timestamptz not null
);

create table payouts (
    payout_id uuid primary key,
    merchant_id uuid not null,
    run_date date not null references runs (day),
    sequence int not null check (sequence >= 1),
    unique (merchant_id, run_date, sequence)
);
create index on payouts (run_date);

create table instructions (
    instruction_id uuid primary key,
    payout_id uuid not null references payouts,
    order_id uuid not null references orders,
    merchant_id uuid not null,
    rail text not null,
    sub_merchant_id text,
    trade_no text not null,
    out_trade_no text not null,
    gross_fen bigint not null check (gross_fen >= 0),
    fee_bp int not null,
    fee_fen bigint not null check (fee_fen between 0 and gross_fen),
    taken_fee_fen bigint check (taken_fee_fen between 0 and gross_fen),
    state text not null check (state in ('DUE', 'SENT', 'UNKNOWN', 'PAID', 'FAILED', 'WITHDRAWN')),
    attempts int not null default 0,
    answer_code text,
    answer_text text,
    sent_at timestamptz,
    paid_at timestamptz,
    retry_of uuid unique references instructions,
    changed_at timestamptz not null default now(),
    check ((gross_fen = 0) = (state = 'WITHDRAWN')),
    check ((paid_at is not null) = (state = 'PAID'))
);
create index on instructions (payout_id);
create index on instructions (order_id);
create index on instructions (changed_at) where state in ('SENT', 'UNKNOWN', 'FAILED');

create table uses (
    unit_id uuid not null,
    use_no int not null check (use_no >= 1),
    order_id uuid not null references orders,
    merchant_id uuid not null,
    state text not null check (state in ('HELD', 'USED', 'FINAL', 'CLAIMED', 'PAID', 'REFUNDED')),
    paid_fen bigint not null check (paid_fen >= 0),
    merchant_fen bigint not null check (merchant_fen >= 0),
    commission_fen bigint not null check (commission_fen >= 0),
    creator_fen bigint not null check (creator_fen >= 0),
    agency_fen bigint not null check (agency_fen >= 0),
    subsidy_fen bigint not null check (subsidy_fen >= 0),
    use_id uuid unique,
    store_id uuid,
    used_at timestamptz,
    used_on date,
    due_on date,
    instruction_id uuid references instructions,
    fee_fen bigint,
    settled_at timestamptz,
    refund_id uuid,
    refunded_at timestamptz,
    owed_fen bigint not null default 0 check (owed_fen in (0, merchant_fen)),
    changed_at timestamptz not null default now(),
    primary key (unit_id, use_no),
    check (paid_fen = merchant_fen + commission_fen + creator_fen + agency_fen),
    check (state in ('HELD', 'REFUNDED') or (used_at is not null and used_on is not null and due_on is not null)),
    check (state not in ('CLAIMED', 'PAID') or (instruction_id is not null and fee_fen is not null)),
    check (state not in ('HELD', 'USED', 'FINAL') or instruction_id is null),
    check (state = 'REFUNDED' or (settled_at is not null) = (state = 'PAID')),
    check ((state = 'REFUNDED') = (refund_id is not null)),
    check (owed_fen = 0 or (state = 'REFUNDED' and instruction_id is not null))
);
create index on uses (order_id);
create index on uses (instruction_id) where instruction_id is not null;
create index on uses (merchant_id, used_on, used_at) where used_on is not null;
create index on uses (merchant_id, due_on) where state in ('USED', 'FINAL');
create index on uses (due_on) where state = 'FINAL';
"""

LEDGER = """
create table posting_sets (
    set_id uuid primary key,
    kind text not null check (
        kind in ('ORDER_PAID', 'USE_FINAL', 'REFUND', 'PAYOUT', 'PAYOUT_FAILED', 'FEE_CORRECTION')),
    order_id uuid not null references orders,
    business_day date not null,
    occurred_at timestamptz not null,
    posted_at timestamptz not null default now()
);
create index on posting_sets (order_id);

create table postings (
    set_id uuid not null references posting_sets,
    account text not null check (account in (
        'CHANNEL_RECEIVED', 'CHANNEL_REFUNDED', 'CHANNEL_PAID', 'CHANNEL_FEE', 'BUYER_CLEARING',
        'MERCHANT_PAYABLE', 'MERCHANT_RECEIVABLE', 'PLATFORM_COMMISSION', 'CREATOR_PAYABLE', 'AGENCY_PAYABLE',
        'SUBSIDY_FUNDED', 'SUBSIDY_PAYABLE')),
    owner uuid not null,
    amount_fen bigint not null check (amount_fen <> 0),
    primary key (set_id, account, owner)
);

-- Sixteen rows per account: every paid order touches the same two accounts, and must not wait for the one before.
create table balances (
    account text not null,
    owner uuid not null,
    shard smallint not null,
    balance_fen bigint not null,
    primary key (account, owner, shard)
);

create function refuse_unbalanced_set() returns trigger language plpgsql as $$
declare
    total numeric := (select sum(amount_fen) from postings where set_id = new.set_id);
begin
    if total <> 0 then
        raise exception 'posting set % sums to % fen', new.set_id, total
            using errcode = 'check_violation', constraint = 'posting_set_sums_to_zero';
    end if;
    return null;
end $$;
create constraint trigger posting_set_sums_to_zero after insert on postings
    deferrable initially deferred for each row execute function refuse_unbalanced_set();

create function add_to_balances() returns trigger language plpgsql as $$
begin
    insert into balances as kept (account, owner, shard, balance_fen)
    select account, owner, get_byte(uuid_send(set_id), 15) % 16 as shard, sum(amount_fen)
    from fresh group by account, owner, shard order by account, owner, shard
    on conflict (account, owner, shard) do update set balance_fen = kept.balance_fen + excluded.balance_fen;
    return null;
end $$;
create trigger postings_add_to_balances after insert on postings
    referencing new table as fresh for each statement execute function add_to_balances();

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is immutable: a correction is a new row', tg_table_name
        using errcode = 'restrict_violation';
end $$;
create trigger posting_sets_are_immutable before update or delete or truncate on posting_sets
    for each statement execute function refuse_change();
create trigger postings_are_immutable before update or delete or truncate on postings
    for each statement execute function refuse_change();
"""


def upgrade() -> None:
    """Create everything that settlement owns."""
    apply(V1)
    apply(STAFF_V1)
    apply(COPIES)
    apply(USES)
    apply(LEDGER)
