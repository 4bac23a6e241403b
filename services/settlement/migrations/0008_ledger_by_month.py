"""The lines of the ledger are kept by business month; old months can be read, backed up and put away by themselves."""

from shared.migrations import apply

revision = "settlement_0008"
down_revision = "settlement_0007"
branch_labels = None
depends_on = None

# Posting sets stay one table: their id names the cause, and a cause is posted once whatever its month. An old process
# beside new ones goes on inserting lines without a day: they fall into the present month by the column's default.
_MONTHS = """
lock table postings in access exclusive mode;
alter table postings rename to postings_in_one;
alter table postings_in_one rename constraint postings_pkey to postings_in_one_pkey;

create table postings (
    set_id uuid not null references posting_sets,
    business_day date not null default (now() at time zone 'Asia/Shanghai')::date,
    account text not null check (account in (
        'CHANNEL_RECEIVED', 'CHANNEL_REFUNDED', 'CHANNEL_PAID', 'CHANNEL_FEE', 'BUYER_CLEARING',
        'MERCHANT_PAYABLE', 'MERCHANT_RECEIVABLE', 'PLATFORM_COMMISSION', 'CREATOR_PAYABLE', 'AGENCY_PAYABLE',
        'SUBSIDY_FUNDED', 'SUBSIDY_PAYABLE')),
    owner uuid not null,
    amount_fen bigint not null check (amount_fen <> 0),
    primary key (set_id, account, owner, business_day)
) partition by range (business_day);
create table postings_default partition of postings default;

-- False if the month is here already, or lines of it lie in the default partition: then the audit names them.
create function make_ledger_month(day date) returns boolean language plpgsql as $$
declare
    first date := date_trunc('month', day)::date;
    after_last date := (date_trunc('month', day) + interval '1 month')::date;
    name text := 'postings_' || to_char(day, 'YYYYMM');
begin
    if to_regclass(quote_ident(name)) is not null
        or exists (select from postings_default where business_day >= first and business_day < after_last) then
        return false;
    end if;
    execute format('create table %I partition of postings for values from (%L) to (%L)', name, first, after_last);
    execute format('create trigger cannot_be_emptied before truncate on %I for each statement
                    execute function refuse_change()', name);
    return true;
end $$;

select make_ledger_month(month::date) from generate_series(
    date_trunc('month', least((select min(business_day) from posting_sets), current_date - 62)),
    date_trunc('month', greatest((select max(business_day) from posting_sets), current_date) + 400),
    interval '1 month') as month;

insert into postings (set_id, business_day, account, owner, amount_fen)
select p.set_id, s.business_day, p.account, p.owner, p.amount_fen
from postings_in_one p join posting_sets s using (set_id);
drop table postings_in_one;

create or replace function refuse_unbalanced_set() returns trigger language plpgsql as $$
declare
    total numeric := (
        select sum(amount_fen) from postings where set_id = new.set_id and business_day = new.business_day);
begin
    if total <> 0 then
        raise exception 'posting set % sums to % fen', new.set_id, total
            using errcode = 'check_violation', constraint = 'posting_set_sums_to_zero';
    end if;
    return null;
end $$;
create constraint trigger posting_set_sums_to_zero after insert on postings
    deferrable initially deferred for each row execute function refuse_unbalanced_set();
create trigger postings_add_to_balances after insert on postings
    referencing new table as fresh for each statement execute function add_to_balances();

-- By row, because a trigger by statement does not see what is done to a partition by its own name.
create trigger postings_are_immutable before update or delete on postings
    for each row execute function refuse_change();
create trigger postings_cannot_be_emptied before truncate on postings
    for each statement execute function refuse_change();
create trigger cannot_be_emptied before truncate on postings_default
    for each statement execute function refuse_change();
"""


def upgrade() -> None:
    """Copy the lines into months, under the same name."""
    apply(_MONTHS)
