"""Uses that were undone."""

from shared.migrations import apply

revision = "redemption_0006"
down_revision = "redemption_0005"
branch_labels = None
depends_on = None

_REVERSALS = """
create table reversals (
    reversal_id uuid primary key,
    redemption_id uuid not null references redemptions,
    operator text not null,
    device_id text not null,
    reason text not null,
    asked_use_ids uuid[] check (cardinality(asked_use_ids) between 1 and 10),
    reversed_at timestamptz not null
);
create index on reversals (redemption_id);

alter table refusals drop constraint refusals_step_check;
alter table refusals add constraint refusals_step_check check (step in ('SCANNED', 'TYPED', 'VERIFY', 'REVERSE'));
"""

# A use that was undone stays where it is; its number is free for another. Which numbers are free must stand on the
# certificate itself: whoever waited for its lock sees the newest version of that row, but not the newest uses.
_USES = """
alter table uses add column reversal_id uuid references reversals;
alter table uses add column cycle int not null default 0 check (cycle >= 0);
alter table uses drop constraint uses_state_check;
alter table uses add constraint uses_state_check check (state in ('USED', 'FINAL', 'SETTLED', 'REVERSED'));
alter table uses add constraint reversed_by_a_reversal check ((state = 'REVERSED') = (reversal_id is not null));
create unique index one_live_use_per_number on uses (unit_id, use_no) where state <> 'REVERSED';
alter table uses drop constraint uses_unit_id_use_no_key;
create index on uses (reversal_id) where reversal_id is not null;

alter table certificates add column freed_nos int[] not null default '{}';
alter table certificates add column reversals int not null default 0;
alter table certificates add constraint ten_reversals check (reversals between 0 and 10);
alter table certificates add constraint freed_are_left check (cardinality(freed_nos) <= uses_left);
"""

# Processes from before this migration number a use by what is left, and know nothing of freed numbers: they may use
# any certificate but one that has some. What they answer then is an error, and the next attempt finds another process.
_GUARDS = """
create function takes_a_freed_number_first() returns trigger language plpgsql as $$
begin
    raise exception 'certificate % has free numbers that were not taken', new.unit_id using errcode = 'check_violation';
end $$;
create trigger freed_number_first before update on certificates for each row
    when (new.uses_left < old.uses_left and cardinality(old.freed_nos) > 0 and new.freed_nos = old.freed_nos)
    execute function takes_a_freed_number_first();

create function comes_back_by_a_reversal() returns trigger language plpgsql as $$
begin
    raise exception 'certificate % has uses back without a reversal', new.unit_id using errcode = 'check_violation';
end $$;
create trigger back_by_a_reversal before update on certificates for each row
    when (new.uses_left > old.uses_left and (new.reversals, new.uses_left) <> (old.reversals + 1, old.uses_left + 1))
    execute function comes_back_by_a_reversal();

drop trigger certificate_state on certificates;
create trigger certificate_state before update on certificates for each row when (old.state <> new.state)
    execute function guard_state(
        'ISSUING>VALID', 'ISSUING>ISSUE_FAILED', 'VALID>USED', 'VALID>EXPIRED', 'USED>SETTLED', 'USED>VALID',
        'ISSUING>REFUNDING', 'ISSUE_FAILED>REFUNDING', 'VALID>REFUNDING', 'EXPIRED>REFUNDING',
        'REFUNDING>ISSUING', 'REFUNDING>ISSUE_FAILED', 'REFUNDING>VALID', 'REFUNDING>EXPIRED', 'REFUNDING>REFUNDED',
        'USED>DISPUTED', 'SETTLED>DISPUTED', 'DISPUTED>USED', 'DISPUTED>SETTLED', 'DISPUTED>REFUNDED');
drop trigger use_state on uses;
create trigger use_state before update on uses for each row when (old.state <> new.state)
    execute function guard_state('USED>FINAL', 'FINAL>SETTLED', 'USED>REVERSED');
"""


def upgrade() -> None:
    """Add them, and let a number be used again."""
    for script in (_REVERSALS, _USES, _GUARDS):
        apply(script)
