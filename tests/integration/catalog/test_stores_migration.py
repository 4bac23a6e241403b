"""What stores were before they were told apart from the claims to them, and what the migration makes of it."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from alembic import command
from alembic.config import Config

from shared.ids import derived_id, new_id
from shared.migrate import migrate
from tests.support import environment as environments
from tests.support.environment import Environment
from tests.support.servers import ROOT, Servers

MERCHANT = new_id()
NOW = datetime(2026, 11, 1, tzinfo=UTC)
EVERY_DAY = [1, 2, 3, 4, 5, 6, 7]


@pytest.fixture
def before(servers: Servers) -> Iterator[Environment]:
    """Catalog's schema as it was before this migration."""
    made = environments.create(servers, services=())
    config = Config(ROOT / "alembic.ini", ini_section="catalog")
    config.set_section_option("catalog", "script_location", str(ROOT / "shared/alembic"))
    config.set_section_option("catalog", "version_locations", str(ROOT / "services/catalog/migrations"))
    config.set_section_option("catalog", "path_separator", "os")
    url = made.local.database_urls["catalog"]
    config.attributes["url"] = url.replace("postgresql://", "postgresql+asyncpg://", 1)
    config.attributes["schema"] = "catalog"
    # Alembic's environment runs its own event loop, which the tests' own would forbid.
    worker = threading.Thread(target=command.upgrade, args=(config, "catalog_0003"))
    worker.start()
    worker.join()
    yield made
    environments.remove(made)


async def _add_store(connection: "asyncpg.Connection[Any]", state: str, hours: str, *, is_open: bool = False) -> UUID:
    store_id = new_id()
    waits = state == "CLAIMED"
    await connection.execute(
        """insert into stores (store_id, version, merchant_id, name, city, address, latitude, longitude, phone, hours,
               licence_evidence, state, open, reason, claimed_at, decided_by, decided_at)
           values ($1, 2, $2, '解放碑店', '重庆', '民权路', 29.5, 106.5, '023-1', $3, 'scan', $4, $5, $6,
               $7, $8, $9)""",
        store_id,
        MERCHANT,
        hours,
        state,
        is_open,
        "证据不足" if state == "REJECTED" else None,
        NOW,
        None if waits else "op",
        None if waits else NOW,
    )
    return store_id


async def _add_merchant(connection: "asyncpg.Connection[Any]") -> None:
    await connection.execute(
        """insert into merchants (merchant_id, version, name, phone, account_kind, licence_kind, licence_no,
               subject_name, legal_person, licence_expires_on, state, applied_by, applied_at, decided_by, decided_at)
           values ($1, 1, '老码头', '023-1', 'ENTERPRISE_VERIFIED', 'ENTERPRISE', '9150', '老码头', '张三',
               '2036-01-01', 'VERIFIED', 'owner', $2, 'op', $2)""",
        MERCHANT,
        NOW,
    )


async def test_every_store_becomes_a_place_with_the_claim_to_it(before: Environment) -> None:
    url = before.local.database_urls["catalog"]
    connection = await asyncpg.connect(url, server_settings={"search_path": "catalog"})
    try:
        await _add_merchant(connection)
        held = await _add_store(connection, "VERIFIED", "10:30-02:00", is_open=True)
        shut = await _add_store(connection, "VERIFIED", "00:00-24:00")
        waiting = await _add_store(connection, "CLAIMED", "周一至周五")
        rejected = await _add_store(connection, "REJECTED", "10:00-22:00")
        migrate("catalog", url)
        rows = await connection.fetch(
            """select s.store_id, s.merchant_id, s.last_held_by, s.open, s.closed_reason is not null as closed,
                      s.hours #>> '{}' as hours, c.claim_id, c.state, c.reason
               from stores s join store_claims c using (store_id) where s.registered_for = $1 and s.version = 2""",
            MERCHANT,
        )
    finally:
        await connection.close()
    seen = {row["store_id"]: row for row in rows}
    assert {store_id: row["claim_id"] for store_id, row in seen.items()} == {
        store_id: derived_id(store_id, str(MERCHANT)) for store_id in (held, shut, waiting, rejected)
    }
    columns = ("merchant_id", "last_held_by", "open", "closed", "state", "reason")
    assert {store_id: tuple(row[name] for name in columns) for store_id, row in seen.items()} == {
        held: (MERCHANT, MERCHANT, True, False, "APPROVED", None),
        shut: (MERCHANT, MERCHANT, False, True, "APPROVED", None),
        waiting: (None, None, False, False, "CLAIMED", None),
        rejected: (None, None, False, False, "REJECTED", "证据不足"),
    }
    assert '"opens": "10:30"' in seen[held]["hours"]
    assert '"closes": "02:00"' in seen[held]["hours"]
    assert '"closes": "24:00"' in seen[shut]["hours"]
    assert seen[waiting]["hours"] == "[]"
