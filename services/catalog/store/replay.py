"""All rows of what others keep copies of, page by page in the order of their ids, for a replay."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from uuid import UUID

from services.catalog.domain.deals import Deal, DealContent
from services.catalog.domain.merchants import Merchant
from services.catalog.domain.payout_accounts import PayoutAccount
from services.catalog.domain.staff import Placed
from services.catalog.domain.stores import Store
from services.catalog.store.deals import DEAL_COLUMNS, deal_of
from services.catalog.store.merchants import MERCHANT_COLUMNS, merchant_of
from services.catalog.store.payout_accounts import ACCOUNT_COLUMNS, account_of
from services.catalog.store.staff import PLACE_COLUMNS, place_of
from services.catalog.store.stores import STORE_COLUMNS, store_of
from shared.database import Transaction

# A first page begins after this one. A page may not ask `$1 is null or …`: the plan kept for it would read from the
# first row each time.
FIRST = UUID(int=0)


async def places_after(tx: Transaction, staff_id: UUID, limit: int) -> list[Placed]:
    """Everybody's places, past ones too."""
    rows = await tx.fetch(
        f"select {PLACE_COLUMNS} from staff where staff_id > $1 order by staff_id limit $2", staff_id, limit
    )
    return [place_of(row) for row in rows]


async def merchants_after(tx: Transaction, merchant_id: UUID, limit: int) -> list[Merchant]:
    """Merchants in every state."""
    rows = await tx.fetch(
        f"select {MERCHANT_COLUMNS} from merchants where merchant_id > $1 order by merchant_id limit $2",
        merchant_id,
        limit,
    )
    return [merchant_of(row) for row in rows]


async def accounts_after(tx: Transaction, merchant_id: UUID, limit: int) -> list[PayoutAccount]:
    """Payout accounts in every state."""
    rows = await tx.fetch(
        f"select {ACCOUNT_COLUMNS} from payout_accounts where merchant_id > $1 order by merchant_id limit $2",
        merchant_id,
        limit,
    )
    return [account_of(row) for row in rows]


async def stores_after(tx: Transaction, store_id: UUID, limit: int) -> list[Store]:
    """Stores, open or not."""
    rows = await tx.fetch(
        f"select {STORE_COLUMNS} from stores s where store_id > $1 order by store_id limit $2", store_id, limit
    )
    return [store_of(row) for row in rows]


async def versions_after(tx: Transaction, deal_id: UUID, deal_version: int, limit: int) -> list[Deal]:
    """Every approved version: the deal as it is, with the number and the content of that version."""
    rows = await tx.fetch(
        f"""select d.*, v.deal_version as said_version, v.content as said_content
            from (select deal_id, deal_version, content from deal_versions
                  where (deal_id, deal_version) > ($1, $2) order by deal_id, deal_version limit $3) v
            cross join lateral (select {DEAL_COLUMNS} from deals d where d.deal_id = v.deal_id) d
            order by v.deal_id, v.deal_version""",
        deal_id,
        deal_version,
        limit,
    )
    return [
        replace(
            deal_of(row),
            deal_version=row["said_version"],
            content=DealContent.read(row["said_content"]),
        )
        for row in rows
    ]


async def deals_after(tx: Transaction, deal_id: UUID, limit: int) -> list[Deal]:
    """Deals of which a version was ever approved."""
    rows = await tx.fetch(
        f"select {DEAL_COLUMNS} from deals d where deal_id > $1 and deal_version > 0 order by deal_id limit $2",
        deal_id,
        limit,
    )
    return [deal_of(row) for row in rows]


def _count(rows: str) -> Callable[[Transaction], Awaitable[int]]:
    async def count(tx: Transaction) -> int:
        return int(await tx.value(f"select count(*) from {rows}"))

    return count


count_places = _count("staff")
count_merchants = _count("merchants")
count_accounts = _count("payout_accounts")
count_stores = _count("stores")
count_versions = _count("deal_versions")
count_deals = _count("deals where deal_version > 0")
