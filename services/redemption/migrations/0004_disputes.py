"""Certificates whose use is disputed."""

from shared.migrations import apply

revision = "redemption_0004"
down_revision = "redemption_0003"
branch_labels = None
depends_on = None

_CERTIFICATES = """
alter table certificates drop constraint certificates_state_check;
alter table certificates add constraint certificates_state_check check (state in
    ('ISSUING', 'ISSUE_FAILED', 'VALID', 'USED', 'EXPIRED', 'SETTLED', 'DISPUTED', 'REFUNDING', 'REFUNDED'));
alter table certificates drop constraint certificates_state_before_check;
alter table certificates add constraint certificates_state_before_check check (state_before is null or case state
    when 'DISPUTED' then state_before in ('USED', 'SETTLED')
    else state_before in ('ISSUING', 'ISSUE_FAILED', 'VALID', 'EXPIRED') end);
alter table certificates add constraint disputed_when_used_up check (state <> 'DISPUTED' or uses_left = 0);
"""

# The two checks that speak of REFUNDING got these names from the server; their new text says the same of DISPUTED.
_HELD = """
alter table certificates drop constraint certificates_check3;
alter table certificates add constraint what_it_was_before
    check ((state in ('REFUNDING', 'DISPUTED')) = (state_before is not null));
alter table certificates drop constraint certificates_check4;
alter table certificates add constraint held_by_a_refund
    check ((state in ('REFUNDING', 'DISPUTED', 'REFUNDED')) = (refund_id is not null));
"""

_REFUNDS = """
alter table refunds add column after_use boolean not null default false;
alter table refunds drop constraint refunds_state_check;
alter table refunds add constraint refunds_state_check check (state in
    ('WAITING', 'FENCED', 'DISPUTED', 'REFUSED', 'SUCCEEDED', 'ABANDONED'));
"""

_GUARDS = """
drop trigger certificate_state on certificates;
create trigger certificate_state before update on certificates for each row when (old.state <> new.state)
    execute function guard_state(
        'ISSUING>VALID', 'ISSUING>ISSUE_FAILED', 'VALID>USED', 'VALID>EXPIRED', 'USED>SETTLED',
        'ISSUING>REFUNDING', 'ISSUE_FAILED>REFUNDING', 'VALID>REFUNDING', 'EXPIRED>REFUNDING',
        'REFUNDING>ISSUING', 'REFUNDING>ISSUE_FAILED', 'REFUNDING>VALID', 'REFUNDING>EXPIRED', 'REFUNDING>REFUNDED',
        'USED>DISPUTED', 'SETTLED>DISPUTED', 'DISPUTED>USED', 'DISPUTED>SETTLED', 'DISPUTED>REFUNDED');
drop trigger refund_state on refunds;
create trigger refund_state before update on refunds for each row when (old.state <> new.state)
    execute function guard_state(
        'WAITING>FENCED', 'WAITING>DISPUTED', 'WAITING>REFUSED', 'WAITING>ABANDONED', 'WAITING>SUCCEEDED',
        'FENCED>SUCCEEDED', 'FENCED>ABANDONED', 'DISPUTED>SUCCEEDED', 'DISPUTED>ABANDONED');
"""


def upgrade() -> None:
    """Add the state, what leads to it and out of it, and which refunds ask for it."""
    for script in (_CERTIFICATES, _HELD, _REFUNDS, _GUARDS):
        apply(script)
