"""What waits for an operator, one queue for each kind, the oldest first."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

from services.catalog.domain.claims import Claim
from services.catalog.domain.deals import Deal
from services.catalog.domain.fees import Fee
from services.catalog.domain.merchants import Merchant
from services.catalog.domain.payout_accounts import PayoutAccount
from services.catalog.domain.stores import Store
from services.catalog.domain.work_queue import Position, Queued
from services.catalog.store.claims import CLAIM_COLUMNS, claim_in
from services.catalog.store.deals import DEAL_COLUMNS, deal_of
from services.catalog.store.fees import FEE_COLUMNS, fee_of
from services.catalog.store.merchants import MERCHANT_COLUMNS, merchant_of
from services.catalog.store.payout_accounts import ACCOUNT_COLUMNS, account_of
from services.catalog.store.stores import STORE_COLUMNS, store_of
from shared.database import Row, Transaction

T = TypeVar("T")


async def _after(
    tx: Transaction, columns: str, waiting: str, since: str, key: str, read: Callable[[Row], T], *values: Any
) -> Sequence[Queued[T]]:
    """The next rows of `waiting` (tables and condition) after a moment and an id, up to a limit."""
    rows = await tx.fetch(
        f"""select {columns}, {since} as queued_since, {key} as queued_id from {waiting}
            and ({since}, {key}) > ($1, $2::uuid) order by {since}, {key} limit $3""",
        *values,
    )
    return [Queued((row["queued_since"], row["queued_id"]), read(row)) for row in rows]


async def waiting_merchants(tx: Transaction, after: Position, limit: int) -> Sequence[Queued[Merchant]]:
    """Applications without a decision."""
    waiting = "merchants where standing = 'APPLIED'"
    return await _after(tx, MERCHANT_COLUMNS, waiting, "applied_at", "merchant_id", merchant_of, *after, limit)


async def waiting_fees(tx: Transaction, after: Position, limit: int) -> Sequence[Queued[tuple[UUID, Fee]]]:
    """Fees that are due, with the merchants that owe them. A merchant owes one at most."""
    waiting = "merchant_fees where state = 'DUE'"

    def read(row: Row) -> tuple[UUID, Fee]:
        return row["queued_id"], fee_of(row)

    return await _after(tx, FEE_COLUMNS, waiting, "opened_at", "merchant_id", read, *after, limit)


async def waiting_accounts(tx: Transaction, after: Position, limit: int) -> Sequence[Queued[PayoutAccount]]:
    """Payout accounts without a decision."""
    waiting = "payout_accounts where state = 'SUBMITTED'"
    return await _after(tx, ACCOUNT_COLUMNS, waiting, "submitted_at", "merchant_id", account_of, *after, limit)


async def waiting_claims(tx: Transaction, after: Position, limit: int) -> Sequence[Queued[tuple[Store, Claim]]]:
    """Claims and appeals without a decision, each with its store."""
    columns = f"{STORE_COLUMNS}, {CLAIM_COLUMNS}"
    waiting = "store_claims c join stores s using (store_id) where c.state in ('CLAIMED', 'APPEALED')"

    def read(row: Row) -> tuple[Store, Claim]:
        return store_of(row), claim_in(row)

    return await _after(tx, columns, waiting, "c.waiting_since", "c.claim_id", read, *after, limit)


async def waiting_deals(tx: Transaction, after: Position, limit: int) -> Sequence[Queued[Deal]]:
    """Drafts without a decision."""
    waiting = "deals d where draft_state = 'IN_REVIEW'"
    return await _after(tx, DEAL_COLUMNS, waiting, "submitted_at", "deal_id", deal_of, *after, limit)
