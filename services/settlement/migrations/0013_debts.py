"""What merchants owe after their payouts, as a running sum: no question reads the history of refunds any more."""

from shared.migrations import apply

revision = "settlement_0013"
down_revision = "settlement_0012"
branch_labels = None
depends_on = None

# Triggers by row, whose conditions are false for all but refunds after a payout and the transfers that pay them off; so
# an old process beside new ones keeps the sums, too. A debt below nothing would have been taken twice.
_DEBTS = """
lock table uses, instructions in share row exclusive mode;
create table debts (
    merchant_id uuid not null,
    rail text not null,
    uses int not null,
    owed_fen bigint not null check (owed_fen >= 0),
    since timestamptz,
    primary key (merchant_id, rail)
);

insert into debts (merchant_id, rail, uses, owed_fen, since)
select u.merchant_id, o.rail, count(*), sum(u.owed_fen)::bigint, min(u.refunded_at)
from uses u join orders o using (order_id) where u.owed_fen > 0 and u.settled_at is not null
group by u.merchant_id, o.rail;
update debts d set owed_fen = d.owed_fen - paid.fen from (
    select merchant_id, rail, sum(offset_fen)::bigint as fen from instructions where offset_fen > 0
    group by merchant_id, rail) paid
where d.merchant_id = paid.merchant_id and d.rail = paid.rail;

create function add_to_debt() returns trigger language plpgsql as $$
declare
    before_fen bigint := case when old.settled_at is null then 0 else old.owed_fen end;
    after_fen bigint := case when new.settled_at is null then 0 else new.owed_fen end;
begin
    insert into debts as kept (merchant_id, rail, uses, owed_fen, since)
    select new.merchant_id, o.rail, 1, after_fen - before_fen, new.refunded_at
    from orders o where o.order_id = new.order_id
    on conflict (merchant_id, rail) do update set owed_fen = kept.owed_fen + excluded.owed_fen,
      uses = kept.uses + sign(excluded.owed_fen)::int,
      since = case when kept.owed_fen = 0 then excluded.since else kept.since end;
    return null;
end $$;
create trigger uses_add_to_debt after update on uses for each row
    when (case when new.settled_at is null then 0 else new.owed_fen end
          <> case when old.settled_at is null then 0 else old.owed_fen end)
    execute function add_to_debt();

create function take_from_debt() returns trigger language plpgsql as $$
begin
    update debts set owed_fen = owed_fen + old.offset_fen - new.offset_fen,
      uses = case when owed_fen + old.offset_fen = new.offset_fen then 0 else greatest(uses, 1) end
    where merchant_id = new.merchant_id and rail = new.rail;
    return null;
end $$;
create trigger instructions_take_from_debt after update on instructions for each row
    when (new.offset_fen <> old.offset_fen) execute function take_from_debt();

create index unsent_transfers on instructions (merchant_id, (gross_fen - fee_fen) desc, instruction_id)
    where state = 'DUE' and rail = 'TRANSFER';
"""


def upgrade() -> None:
    """Add the table, fill it, and keep it."""
    apply(_DEBTS)
