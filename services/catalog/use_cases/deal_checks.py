"""What must hold before a deal moves on: whose it is, which revision was seen, who may sell it, and where."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.catalog import store
from services.catalog.domain.deals import Deal, DealContent
from services.catalog.domain.refusals import (
    MerchantNotVerified,
    PayoutAccountNotVerified,
    SaleEnded,
    StoreNotOfMerchant,
    StoreNotVerified,
)
from services.catalog.use_cases.opening import require_opened
from shared.database import Transaction
from shared.errors import NotFound, PreconditionFailed


async def known_deal(tx: Transaction, deal_id: UUID) -> Deal:
    """The deal, which must exist."""
    deal = await store.deal(tx, deal_id)
    if deal is None:
        raise NotFound
    return deal


def match_revision(deal: Deal, revision: int | None) -> None:
    """`revision` (If-Match) must be the newest, when the caller says which one was seen."""
    if revision is not None and revision != deal.revision:
        raise PreconditionFailed(current=deal.revision)


async def require_own_stores(tx: Transaction, merchant_id: UUID, store_ids: Sequence[UUID]) -> int:
    """Every store must be the merchant's; how many of them are open."""
    owned, opened = await store.count_stores(tx, merchant_id, store_ids)
    if owned != len(set(store_ids)):
        raise StoreNotOfMerchant
    return opened


async def require_open_stores(tx: Transaction, merchant_id: UUID, store_ids: Sequence[UUID]) -> None:
    """Every store must be the merchant's, and open."""
    if await require_own_stores(tx, merchant_id, store_ids) != len(set(store_ids)):
        raise StoreNotVerified


async def require_sellable(tx: Transaction, deal: Deal) -> None:
    """What a draft needs before it is reviewed, and again before it is approved."""
    await require_verified(tx, deal.merchant_id)
    require_not_over(deal.content, tx.now)
    # Once published, where it sells is no longer the draft's affair: it sells in those of its stores that are open.
    if not deal.published:
        await require_open_stores(tx, deal.merchant_id, deal.content.store_ids)


def require_not_over(content: DealContent, now: datetime) -> None:
    """What would never be sold is neither reviewed nor put on sale."""
    if now >= content.sale_until:
        raise SaleEnded


async def require_verified(tx: Transaction, merchant_id: UUID) -> None:
    """Merchant and payout account are verified, and group-buy is opened."""
    verified, payable = await store.may_sell(tx, merchant_id)
    if not verified:
        raise MerchantNotVerified
    if not payable:
        raise PayoutAccountNotVerified
    await require_opened(tx, merchant_id)
