"""A run is made in batches: where its pass stands, and the index along which it goes."""

from shared.migrations import apply

revision = "settlement_0006"
down_revision = "settlement_0005"
branch_labels = None
depends_on = None

# An old process beside new ones makes its runs as before, in one statement and without a pass: its rows keep null.
_BATCHES = """
alter table runs
    add column pass_no int not null default 0 check (pass_no >= 0),
    add column is_open boolean not null default false,
    add column after_order uuid,
    add constraint stands_somewhere_while_open check (is_open or after_order is null);
alter table payouts add column pass_no int check (pass_no >= 1);
create unique index one_payout_per_pass on payouts (merchant_id, run_date, pass_no);
create index due_in_order on uses (order_id, due_on) where state = 'FINAL' and disputed_by is null;

-- Ids that sort by the moment of their making, as UUIDv7 does (shared/ids.py): with random ones, every instruction of a
-- big run would land on another page of each index.
create function id_of_moment(moment timestamptz) returns uuid language sql volatile parallel safe as $$
    select encode(set_byte(made, 6, get_byte(made, 6) & 15 | 112), 'hex')::uuid
    from (select overlay(uuid_send(gen_random_uuid())
            placing substring(int8send((extract(epoch from moment) * 1000)::bigint) from 3) from 1 for 6) as made) m
$$;
"""


def upgrade() -> None:
    """Add them."""
    apply(_BATCHES)
