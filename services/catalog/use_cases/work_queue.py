"""What waits for an operator's decision: a page of each kind, or the following pages of one."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from services.catalog import store
from services.catalog.domain.claims import Claim
from services.catalog.domain.deals import Deal
from services.catalog.domain.fees import Fee
from services.catalog.domain.merchants import Merchant
from services.catalog.domain.payout_accounts import PayoutAccount
from services.catalog.domain.stores import Store
from services.catalog.domain.work_queue import BEGINNING, Position, Queued, WaitingKind
from shared.auth import require_operator
from shared.database import Transaction
from shared.paging import CursorInvalid, Page, page_of, read_cursor

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class WaitingClaim:
    """A claim or an appeal beside the store, and the other claims to it that wait or hold."""

    claim: Claim
    store: Store
    others: Sequence[Claim]


@dataclass(frozen=True, slots=True)
class WorkQueue:
    """What waits of each kind, the oldest first; nothing of the kinds that were not asked for."""

    merchants: Page[Merchant]
    fees: Page[tuple[Fee, Merchant]]
    payout_accounts: Page[tuple[PayoutAccount, Merchant]]
    stores: Page[WaitingClaim]
    deals: Page[Deal]


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which kind was asked for (None: all), from where on, and how many of each."""

    kind: WaitingKind | None
    after: Position
    limit: int

    async def page(
        self,
        tx: Transaction,
        kind: WaitingKind,
        rows_after: Callable[[Transaction, Position, int], Awaitable[Sequence[Queued[T]]]],
    ) -> Page[T]:
        """The page of one kind, which is empty when another was asked for."""
        if self.kind not in {None, kind}:
            return Page((), None)
        cut = page_of(await rows_after(tx, self.after, self.limit + 1), self.limit, lambda row: row.position)
        return Page([row.waiting for row in cut.items], cut.next_cursor)


async def work_queue(
    tx: Transaction, operator: str, kind: WaitingKind | None, cursor: str | None, limit: int
) -> WorkQueue:
    """What waits for a decision. A cursor belongs to the queue of one kind."""
    await require_operator(tx, operator)
    if cursor is not None and kind is None:
        raise CursorInvalid
    position = read_cursor(cursor, datetime, UUID)
    asked = _Asked(kind, (position[0], position[1]) if position else BEGINNING, limit)
    fees = await asked.page(tx, WaitingKind.FEES, store.waiting_fees)
    accounts = await asked.page(tx, WaitingKind.PAYOUT_ACCOUNTS, store.waiting_accounts)
    of = [account.merchant_id for account in accounts.items] + [merchant_id for merchant_id, _ in fees.items]
    owners = await store.merchants_by_id(tx, of)
    return WorkQueue(
        merchants=await asked.page(tx, WaitingKind.MERCHANTS, store.waiting_merchants),
        fees=Page([(fee, owners[merchant_id]) for merchant_id, fee in fees.items], fees.next_cursor),
        payout_accounts=Page([(one, owners[one.merchant_id]) for one in accounts.items], accounts.next_cursor),
        stores=await _beside_others(tx, await asked.page(tx, WaitingKind.STORES, store.waiting_claims)),
        deals=await asked.page(tx, WaitingKind.DEALS, store.waiting_deals),
    )


async def _beside_others(tx: Transaction, waiting: Page[tuple[Store, Claim]]) -> Page[WaitingClaim]:
    live = await store.live_claims_on(tx, {place.store_id for place, _ in waiting.items})
    beside = [
        WaitingClaim(
            claim,
            place,
            [one for one in live if one.store_id == claim.store_id and one.claim_id != claim.claim_id],
        )
        for place, claim in waiting.items
    ]
    return Page(beside, waiting.next_cursor)
