"""Merchants that were there before the checklist grew: what sells goes on selling."""

from collections.abc import AsyncIterator
from importlib import import_module
from uuid import UUID

import asyncpg
import pytest

from shared.ids import new_id
from tests.support import environment as environments
from tests.support.servers import Servers

FIRST, CHECKLIST = (import_module(f"services.catalog.migrations.{name}") for name in ("0001_first", "0003_merchants"))
BEFORE = (FIRST.V1, FIRST.STAFF_V1, FIRST.STAFF_GUARDS, FIRST.MERCHANTS, FIRST.STORES, FIRST.DEALS, FIRST.VIDEOS)
AFTER = (CHECKLIST.MERCHANTS, CHECKLIST.FEES, CHECKLIST.OLDER, CHECKLIST.SUPPORT, CHECKLIST.INVITATIONS)


@pytest.fixture
async def older(servers: Servers) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A catalog as it was before."""
    made = environments.create(servers, services=())
    connection = await asyncpg.connect(made.local.database_urls["catalog"])
    await connection.execute("set search_path to catalog")
    for script in BEFORE:
        await connection.execute(script)
    try:
        yield connection
    finally:
        await connection.close()
        environments.remove(made)


async def _merchant(older: "asyncpg.Connection[asyncpg.Record]", state: str) -> UUID:
    merchant_id = new_id()
    await older.execute(
        """insert into merchants (merchant_id, version, name, phone, account_kind, licence_kind, licence_no,
               subject_name, legal_person, licence_expires_on, state, reason, applied_by, applied_at, decided_by,
               decided_at)
           values ($1, 2, '老码头', '023', 'ENTERPRISE_VERIFIED', 'ENTERPRISE', '91', '公司', '张三', '2030-06-30',
               $2, $3, 'owner', '2026-01-01Z', $4, $5::timestamptz)""",
        merchant_id,
        state,
        "x" if state in {"REJECTED", "SUSPENDED"} else None,
        None if state == "APPLIED" else "operator",
        None if state == "APPLIED" else await older.fetchval("select '2026-01-02Z'::timestamptz"),
    )
    return merchant_id


async def test_older_merchants_owe_no_fee_go_on_selling_and_their_licences_end_in_time(
    older: "asyncpg.Connection[asyncpg.Record]",
) -> None:
    states = ("VERIFIED", "APPLIED", "REJECTED", "SUSPENDED")
    merchants = {state: await _merchant(older, state) for state in states}
    await older.execute(
        "insert into deals (deal_id, merchant_id, revision, draft, draft_state) values ($1, $2, 1, '{}', 'DRAFT')",
        new_id(),
        merchants["VERIFIED"],
    )
    for script in AFTER:
        await older.execute(script)
    rows = await older.fetch(
        """select m.merchant_id, m.standing, m.opened_at is not null as opened, f.state as fee, f.amount_fen,
                  to_char(t.due_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') as ends
           from merchants m join merchant_fees f using (merchant_id)
           left join timers t on t.kind = 'licence_expired' and t.key = m.merchant_id::text"""
    )
    found = {row["merchant_id"]: (row["standing"], row["opened"], row["fee"], row["ends"]) for row in rows}
    assert found == {
        merchants["VERIFIED"]: ("VERIFIED", True, "WAIVED", "2030-06-30 16:00"),
        merchants["APPLIED"]: ("APPLIED", False, "DUE", None),
        merchants["REJECTED"]: ("REJECTED", False, "WAIVED", None),
        merchants["SUSPENDED"]: ("VERIFIED", False, "WAIVED", "2030-06-30 16:00"),
    }
    assert {row["amount_fen"] for row in rows} == {60_000}
