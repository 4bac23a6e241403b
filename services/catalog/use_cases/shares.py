"""Sharing a deal by a link of one's own, and what stands behind a link."""

from uuid import UUID

from services.catalog import store
from services.catalog.domain import shares
from services.catalog.domain.deals import badge_state
from services.catalog.domain.refusals import DealNotOfMerchant, DealNotPublished, TooManyShares
from services.catalog.domain.shares import OpenGraph, Share
from shared.database import Transaction
from shared.errors import IdTaken, NotFound

_ATTEMPTS = 5


async def share_deal(
    tx: Transaction, share_id: UUID, sharer: str, deal_id: UUID, video_id: UUID | None
) -> tuple[Share, bool]:
    """The person's link for this deal, seen in this video or in none: always the same. True: it was made now."""
    await store.lock_sharer(tx, sharer)
    if (known := await store.share(tx, share_id)) is not None:
        if (known.sharer, known.deal_id, known.video_id) != (sharer, deal_id, video_id):
            raise IdTaken
        return known, False
    if (known := await store.share_of(tx, sharer, deal_id, video_id)) is not None:
        return known, False
    await _require_shareable(tx, deal_id, video_id)
    if await store.count_shares(tx, sharer, tx.now - shares.LINKS_PERIOD) >= shares.LINKS_AT_MOST:
        raise TooManyShares(most=shares.LINKS_AT_MOST)
    return await _add(tx, share_id, sharer, deal_id, video_id), True


async def _require_shareable(tx: Transaction, deal_id: UUID, video_id: UUID | None) -> None:
    deal = await store.deal(tx, deal_id)
    if deal is None:
        raise NotFound
    if deal.deal_version == 0:
        raise DealNotPublished
    if video_id is None:
        return
    merchant_id = await store.merchant_of_video(tx, video_id)
    if merchant_id is None:
        raise NotFound
    if merchant_id != deal.merchant_id:
        raise DealNotOfMerchant


async def _add(tx: Transaction, share_id: UUID, sharer: str, deal_id: UUID, video_id: UUID | None) -> Share:
    for _ in range(_ATTEMPTS):
        share = Share(share_id, sharer, deal_id, video_id, shares.new_code())
        if await store.add_share(tx, share, tx.now):
            return share
        # Somebody else took the id this moment, or the code is in use, which happens once in the life of a universe.
        if await store.share(tx, share_id) is not None:
            raise IdTaken
    raise RuntimeError("no free code for a shared link was found")


async def shared_deal(tx: Transaction, code: str) -> tuple[Share, OpenGraph]:
    """What stands behind a link, and its preview."""
    share = await store.share_by_code(tx, code)
    published = await store.published_deal(tx, share.deal_id) if share else None
    if share is None or published is None:
        raise NotFound
    return share, shares.open_graph(share, published.content, badge_state(published.sale, tx.now))
