"""What was ordered under a key; cancel fees that a carrier has yet to name; a carrier's own code at the door."""

from shared.migrations import apply

revision = "dispatch_0007"
down_revision = "dispatch_0006"
branch_labels = None
depends_on = None

# A process of the version before writes no hash: the first repetition by this version sets it.
_ATTEMPTS = """
alter table attempts
    add column request_hash bytea,
    add column fee_asked int not null default 0,
    add column fee_given_up_at timestamptz,
    add column cancel_words text check (length(cancel_words) <= 200),
    add column sealed_code text;
create index on attempts (fee_given_up_at, attempt_id) where fee_given_up_at is not null and cancel_fee_fen is null;
create index on attempts (attempt_id)
    where state = 'CANCELLED' and cancel_fee_fen is null and fee_given_up_at is null
      and fee_state in ('PENDING', 'ESTIMATED');
"""


# A courier's delivery is proven by its track's last line; a process of the version before reads photos only.
_PROOFS = """
alter table proofs
    drop constraint proofs_kind_check,
    add constraint proofs_kind_check check (kind in ('CODE', 'PHOTO', 'SIGNED'));
"""


def upgrade() -> None:
    """Only additions, and one more kind of proof."""
    apply(_ATTEMPTS)
    apply(_PROOFS)
