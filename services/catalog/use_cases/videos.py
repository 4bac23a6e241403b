"""Videos and the deals they show."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.catalog import store
from services.catalog.domain.refusals import DealNotOfMerchant, VideoTaken
from services.catalog.domain.staff import EDITORS
from services.catalog.domain.videos import Comment, VideoCard, VideoContent
from shared.auth import require_staff
from shared.database import Transaction
from shared.errors import IdTaken, NotFound, PreconditionFailed


async def register_video(tx: Transaction, video_id: UUID, caller: str, content: VideoContent) -> VideoCard:
    """Register a video of the host platform, or import anew what that platform says about it."""
    await require_staff(tx, caller, content.merchant_id, *EDITORS)
    await store.hold_support(tx, content.merchant_id, alone=False)
    known = await store.add_video(tx, video_id, content) or await store.import_again(tx, video_id, content)
    if not known:
        raise IdTaken if await store.merchant_of_video(tx, video_id) else VideoTaken
    await store.rank_video(tx, video_id)
    return await _card(tx, video_id)


async def attach_deal(
    tx: Transaction, video_id: UUID, caller: str, deal_id: UUID | None, version: int | None
) -> VideoCard:
    """Show one deal of the same merchant in the video, or none; `version` (If-Match) is what the caller saw."""
    merchant_id = await store.merchant_of_video(tx, video_id)
    if merchant_id is None:
        raise NotFound
    await require_staff(tx, caller, merchant_id, *EDITORS)
    if not await store.attach_deal(tx, video_id, deal_id, version):
        await _require_shown(tx, video_id, merchant_id, deal_id)
    return await _card(tx, video_id)


async def _require_shown(tx: Transaction, video_id: UUID, merchant_id: UUID, deal_id: UUID | None) -> None:
    """Say why the deal could not be attached, unless the video shows it already."""
    shown, current = await store.shown_deal(tx, video_id)
    if shown == deal_id:
        return
    if deal_id is not None and not await store.are_deals_of(tx, merchant_id, [deal_id]):
        raise DealNotOfMerchant
    raise PreconditionFailed(current=current)


async def videos_of(
    tx: Transaction, merchant_id: UUID, caller: str, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[VideoCard]:
    """The merchant's videos for its staff, newest first."""
    await require_staff(tx, caller, merchant_id)
    return await store.videos_of(tx, merchant_id, after, limit)


async def video(tx: Transaction, video_id: UUID) -> tuple[VideoCard, tuple[Comment, ...]]:
    """One video with its comments."""
    return await _card(tx, video_id), await store.comments(tx, video_id)


async def _card(tx: Transaction, video_id: UUID) -> VideoCard:
    card = await store.card(tx, video_id)
    if card is None:
        raise NotFound
    return card
