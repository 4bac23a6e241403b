"""Parcels whose delivery is disputed."""

from shared.migrations import apply

revision = "dispatch_0004"
down_revision = "dispatch_0003"
branch_labels = None
depends_on = None

# `parcels_check` is the name that the server gave to the check which ties state_before to REFUNDING.
_PARCELS = """
alter table parcels drop constraint parcels_state_check;
alter table parcels add constraint parcels_state_check check (state in ('PLACED', 'ACCEPTED', 'HANDED_OVER',
    'DELIVERED', 'RECEIVED', 'DISPUTED', 'FAILED', 'RETURNED', 'LOST', 'REFUNDING', 'REFUNDED'));
alter table parcels drop constraint parcels_state_before_check;
alter table parcels add constraint parcels_state_before_check check (state_before is null or case state
    when 'DISPUTED' then state_before in ('DELIVERED', 'RECEIVED') else state_before in ('PLACED', 'ACCEPTED') end);
alter table parcels drop constraint parcels_check;
alter table parcels add constraint what_it_was_before
    check ((state in ('REFUNDING', 'DISPUTED')) = (state_before is not null));
"""

_FENCES = """
alter table fences add column after_use boolean not null default false;
alter table fences drop constraint fences_state_check;
alter table fences add constraint fences_state_check check (state in
    ('WAITING', 'FENCED', 'DISPUTED', 'REFUSED', 'LIFTED', 'CLOSED'));
"""

_GUARD = """
drop trigger parcel_state on parcels;
create trigger parcel_state before update on parcels for each row when (old.state <> new.state)
    execute function guard_parcel(
        'PLACED>ACCEPTED', 'PLACED>FAILED', 'PLACED>REFUNDING', 'PLACED>REFUNDED',
        'ACCEPTED>HANDED_OVER', 'ACCEPTED>FAILED', 'ACCEPTED>REFUNDING', 'ACCEPTED>REFUNDED',
        'REFUNDING>PLACED', 'REFUNDING>ACCEPTED', 'REFUNDING>REFUNDED',
        'HANDED_OVER>DELIVERED', 'HANDED_OVER>RETURNED', 'HANDED_OVER>LOST', 'DELIVERED>RECEIVED',
        'FAILED>REFUNDED', 'RETURNED>REFUNDED', 'LOST>REFUNDED',
        'DELIVERED>DISPUTED', 'RECEIVED>DISPUTED', 'DISPUTED>DELIVERED', 'DISPUTED>RECEIVED', 'DISPUTED>REFUNDED');
"""


def upgrade() -> None:
    """Add the state, what leads to it and out of it, and which refunds ask for it."""
    for script in (_PARCELS, _FENCES, _GUARD):
        apply(script)
