"""Stores apart from the claims to them, opening hours, closing, and search by name and place."""

from typing import Any
from uuid import UUID

from alembic import op
from sqlalchemy import text

from shared.ids import derived_id
from shared.migrations import apply

revision = "catalog_0004"
down_revision = "catalog_0003"
branch_labels = None
depends_on = None

CLAIMS = """
create table store_claims (
    claim_id uuid primary key,
    number bigint generated always as identity,
    store_id uuid not null references stores,
    merchant_id uuid not null references merchants,
    version bigint not null check (version >= 1),
    licence_evidence text not null,
    state text not null
        check (state in ('CLAIMED', 'APPROVED', 'REJECTED', 'APPEALED', 'RELEASED', 'LOST')),
    reason text,
    appeal_text text,
    appeal_evidence text,
    claimed_at timestamptz not null,
    waiting_since timestamptz not null,
    decided_by text,
    decided_at timestamptz,
    check (state not in ('REJECTED', 'LOST') or reason is not null),
    check (state = 'CLAIMED' or decided_at is not null),
    check ((appeal_text is null) = (appeal_evidence is null)),
    check (state <> 'APPEALED' or appeal_text is not null)
);
create unique index store_claims_one_holder on store_claims (store_id) where state = 'APPROVED';
create unique index store_claims_one_live on store_claims (store_id, merchant_id)
    where state in ('CLAIMED', 'APPEALED', 'APPROVED');
create index on store_claims (store_id, number);
create index on store_claims (merchant_id, store_id, number);
create index on store_claims (waiting_since, claim_id) where state in ('CLAIMED', 'APPEALED');
"""

# The statements decide; this refuses what a mistaken statement would do.
CLAIM_STATES = """
create function guard_claim() returns trigger language plpgsql as $$
begin
    if not (old.state || '>' || new.state) = any (tg_argv) then
        raise exception 'claim: % cannot become %', old.state, new.state using errcode = 'check_violation';
    end if;
    if new.state = 'APPEALED' and old.appeal_text is not null then
        raise exception 'claim: a second appeal' using errcode = 'check_violation';
    end if;
    return new;
end $$;
create trigger claim_state before update on store_claims for each row when (old.state <> new.state)
    execute function guard_claim(
        'CLAIMED>APPROVED', 'CLAIMED>REJECTED', 'APPEALED>APPROVED', 'APPEALED>REJECTED',
        'REJECTED>APPEALED', 'LOST>APPEALED', 'APPROVED>RELEASED', 'APPROVED>LOST');
"""

# What the claim says leaves the store; who holds it stays. Hours that were one span a day become hours of the week.
PLACES = """
alter table stores
    add column registered_for uuid references merchants,
    add column last_held_by uuid references merchants,
    add column registration jsonb,
    add column closed_reason text,
    add column closed_by text,
    add column closed_at timestamptz,
    add column weekly_hours jsonb not null default '[]';
update stores set weekly_hours = jsonb_build_array(jsonb_build_object('weekdays', '[1, 2, 3, 4, 5, 6, 7]'::jsonb,
    'opens', split_part(hours, '-', 1), 'closes', split_part(hours, '-', 2)))
where hours ~ '^([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$';
update stores set
    registered_for = merchant_id,
    last_held_by = case when state = 'VERIFIED' then merchant_id end,
    closed_reason = case when state = 'VERIFIED' and not open then 'closed before reasons were kept' end,
    registration = jsonb_build_object('name', name, 'city', city, 'address', address, 'latitude', latitude,
        'longitude', longitude, 'phone', phone, 'hours', weekly_hours, 'licence_evidence', licence_evidence);
alter table stores alter column merchant_id drop not null;
update stores set merchant_id = null where state <> 'VERIFIED';
alter table stores
    drop column open, drop column state, drop column reason, drop column licence_evidence, drop column hours,
    drop column decided_by, drop column decided_at;
alter table stores rename column weekly_hours to hours;
alter table stores rename column claimed_at to registered_at;
alter table stores
    alter column registered_for set not null,
    alter column registration set not null,
    add column open boolean not null generated always as (merchant_id is not null and closed_reason is null) stored,
    add check (merchant_id is null or merchant_id is not distinct from last_held_by),
    add check ((closed_by is null) = (closed_at is null)),
    add check (closed_by is null or closed_reason is not null);
"""

# Search without extensions: every pair of neighbouring characters of a name, and a map in metres.
SEARCH = """
create function name_plain(said text) returns text language sql immutable strict parallel safe
    return regexp_replace(lower(normalize(said, nfkc)), '\\s+', '', 'g');
create function name_grams(said text) returns text[] language sql immutable strict parallel safe
    return (select coalesce(array_agg(distinct gram order by gram), '{}')
            from (select name_plain(said) as plain offset 0) once, generate_series(1, char_length(plain)) at,
                 lateral (values (substr(plain, at, 1)), (substr(plain, at, 2))) grams (gram));
create function query_grams(said text) returns text[] language sql immutable strict parallel safe
    return (select coalesce(array_agg(distinct substr(plain, at, 2)), '{}')
            from (select name_plain(said) as plain offset 0) once,
                 generate_series(1, greatest(1, char_length(plain) - 1)) at);
create function mercator(latitude double precision, longitude double precision) returns point
    language sql immutable strict parallel safe
    return point(6371000 * radians(longitude),
                 6371000 * ln(tan(pi() / 4 + radians(greatest(-85, least(85, latitude))) / 2)));
create function metres_between(latitude double precision, longitude double precision,
                               other_latitude double precision, other_longitude double precision)
    returns double precision language sql immutable strict parallel safe
    return 2 * 6371000 * asin(least(1, sqrt(
        sin(radians(other_latitude - latitude) / 2) ^ 2
        + cos(radians(latitude)) * cos(radians(other_latitude)) * sin(radians(other_longitude - longitude) / 2) ^ 2)));

alter table stores
    add column plain_name text not null generated always as (name_plain(name)) stored,
    add column name_grams text[] not null generated always as (name_grams(name)) stored,
    add column place point not null generated always as (mercator(latitude, longitude)) stored;
alter table merchants
    add column plain_name text not null generated always as (name_plain(name)) stored,
    add column name_grams text[] not null generated always as (name_grams(name)) stored;
alter table deal_versions
    add column plain_title text not null generated always as (name_plain(title)) stored,
    add column title_grams text[] not null generated always as (name_grams(title)) stored;
-- Read far more often than written: no list of entries that every search would have to read through.
create index stores_by_gram on stores using gin (name_grams) with (fastupdate = off) where open;
create index stores_by_place on stores using gist (place) where open;
create index stores_by_city on stores (city, name, store_id) where open;
create index stores_by_name on stores (name, store_id) where open;
create index merchants_by_gram on merchants using gin (name_grams) with (fastupdate = off);
create index deal_versions_by_gram on deal_versions using gin (title_grams) with (fastupdate = off);
create index deals_by_store on deals using gin (store_ids) with (fastupdate = off);
"""

_CLAIM = """
insert into store_claims (claim_id, store_id, merchant_id, version, licence_evidence, state, reason, claimed_at,
    waiting_since, decided_by, decided_at)
select :claim_id, store_id, merchant_id, version, licence_evidence,
       case state when 'VERIFIED' then 'APPROVED' else state end, reason, claimed_at, claimed_at, decided_by, decided_at
from stores where store_id = :store_id
"""


def upgrade() -> None:
    """Every store there is becomes a place with one claim to it."""
    apply(CLAIMS)
    _claims_of_today()
    apply(CLAIM_STATES)
    apply(PLACES)
    apply(SEARCH)


def _claims_of_today() -> None:
    """The id of a first claim follows from store and merchant, which SQL alone cannot compute."""
    connection = op.get_bind()
    stores = connection.execute(text("select store_id, merchant_id from stores order by claimed_at, store_id"))
    claims: list[dict[str, Any]] = [
        {"claim_id": derived_id(UUID(str(store_id)), str(merchant_id)), "store_id": store_id}
        for store_id, merchant_id in stores
    ]
    if claims:
        connection.execute(text(_CLAIM), claims)
