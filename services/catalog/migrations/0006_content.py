"""Videos with their address, livestreams with their deals, shares, and the places of supported videos in the feed."""

from shared.migrations import apply

revision = "catalog_0006"
down_revision = "catalog_0005"
branch_labels = None
depends_on = None

VIDEOS = """
alter table videos add column url text check (url ~ '^https://' and length(url) <= 500);
create index on videos (merchant_id, posted_at desc, video_id desc);
drop index videos_merchant_id_idx;
"""

# What is already in the feed takes its place by the new rank as if the support of its merchant had changed.
RANK_ANEW = """
insert into timers (kind, key, due_at)
select 'support_changed', merchant_id::text, now() from videos group by merchant_id
on conflict do nothing;
"""

LIVESTREAMS = """
create table livestreams (
    livestream_id uuid primary key,
    merchant_id uuid not null references merchants,
    platform_id text not null unique,
    author text not null,
    caption text not null,
    cover text not null,
    city text not null,
    url text check (url ~ '^https://' and length(url) <= 500),
    likes bigint not null check (likes >= 0),
    comments jsonb not null,
    comment_count int not null check (comment_count >= 0),
    state text not null check (state in ('LIVE', 'ENDED')),
    deal_ids uuid[] not null default '{}' check (cardinality(deal_ids) <= 100),
    started_at timestamptz not null,
    ended_at timestamptz,
    check ((state = 'ENDED') = (ended_at is not null))
);
create index on livestreams (started_at desc, livestream_id desc) where state = 'LIVE';
create index on livestreams (city, started_at desc, livestream_id desc) where state = 'LIVE';
create index on livestreams (merchant_id);
"""

SHARES = """
create table shares (
    share_id uuid primary key,
    sharer text not null,
    deal_id uuid not null references deals,
    video_id uuid references videos,
    code text not null unique check (code ~ '^[1-9A-HJ-NP-Za-km-z]{10}$'),
    shared_at timestamptz not null
);
create unique index shares_one_link on shares (sharer, deal_id, video_id) nulls not distinct;
create index on shares (sharer, shared_at);
"""


def upgrade() -> None:
    """Add it."""
    for script in (VIDEOS, RANK_ANEW, LIVESTREAMS, SHARES):
        apply(script)
