"""Versions of what videos and livestreams show and of support enrolments, so that two editors do not overwrite."""

from shared.migrations import apply

revision = "catalog_0008"
down_revision = "catalog_0007"
branch_labels = None
depends_on = None

# An enrolment that was ended and begun anew must not have a number that somebody saw before, so these count on over all
# merchants and do not begin again.
VERSIONS = """
alter table videos add column version bigint not null default 1 check (version >= 1);
alter table livestreams add column version bigint not null default 1 check (version >= 1);
alter table support_enrolments add column version bigint not null generated always as identity;
"""


def upgrade() -> None:
    """Add them."""
    apply(VERSIONS)
