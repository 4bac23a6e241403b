"""Webhooks are kept before it is known which attempt they are about, with their headers; events are noted once."""

from shared.migrations import apply

revision = "dispatch_0006"
down_revision = "dispatch_0005"
branch_labels = None
depends_on = None

# A process of the version before writes no address_hash, and keeps its own uniqueness by attempt and body.
_WEBHOOKS = """
alter table webhooks
    alter column attempt_id drop not null,
    add column address_hash bytea,
    add column sealed_envelope text,
    add constraint no_orphan_is_stored check (attempt_id is not null or state = 'REFUSED');
create unique index webhooks_once on webhooks (address_hash, body_hash) where address_hash is not null;
"""

_EVENTS = """
create table heard_events (
    attempt_id uuid not null references attempts,
    event_key bytea not null,
    heard_at timestamptz not null default now(),
    primary key (attempt_id, event_key)
);
create index on heard_events (heard_at);
"""


def upgrade() -> None:
    """Only additions."""
    apply(_WEBHOOKS)
    apply(_EVENTS)
