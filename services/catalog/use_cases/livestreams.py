"""Livestreams and the deals they show."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.catalog import store
from services.catalog.domain.livestreams import DEALS_AT_MOST, Livestream, LivestreamContent, check_list
from services.catalog.domain.refusals import DealNotOfMerchant, LivestreamEnded, LivestreamTaken
from services.catalog.domain.staff import EDITORS
from services.catalog.domain.videos import Comment
from shared.auth import require_staff
from shared.database import Transaction
from shared.errors import IdTaken, NotFound, PreconditionFailed

_SHOWN_IN_LIST = 3


async def register_livestream(
    tx: Transaction, livestream_id: UUID, caller: str, content: LivestreamContent
) -> Livestream:
    """Register a livestream of the host platform, or import anew what that platform says; what ended stays so."""
    await require_staff(tx, caller, content.merchant_id, *EDITORS)
    known = await store.add_livestream(tx, livestream_id, content) or await store.import_livestream_again(
        tx, livestream_id, content
    )
    if not known:
        ids = await store.livestream_ids(tx, livestream_id)
        if ids is None:
            raise LivestreamTaken
        raise LivestreamEnded if ids == (content.merchant_id, content.platform_id) else IdTaken
    return await _livestream(tx, livestream_id)


async def list_deals(
    tx: Transaction, livestream_id: UUID, caller: str, deal_ids: Sequence[UUID], version: int | None
) -> Livestream:
    """Replace the list of deals that a livestream shows, while it is on air; `version` (If-Match) is what was seen."""
    check_list(deal_ids)
    ids = await store.livestream_ids(tx, livestream_id)
    if ids is None:
        raise NotFound
    await require_staff(tx, caller, ids[0], *EDITORS)
    if not await store.list_deals(tx, livestream_id, deal_ids, version):
        await _require_listed(tx, livestream_id, ids[0], deal_ids)
    return await _livestream(tx, livestream_id)


async def _require_listed(tx: Transaction, livestream_id: UUID, merchant_id: UUID, deal_ids: Sequence[UUID]) -> None:
    """Say why the list could not be replaced, unless it says the same already."""
    listed = await store.livestream_list(tx, livestream_id)
    if listed.deal_ids == tuple(deal_ids):
        return
    if listed.ended:
        raise LivestreamEnded
    if not await store.are_deals_of(tx, merchant_id, deal_ids):
        raise DealNotOfMerchant
    raise PreconditionFailed(current=listed.version)


async def livestreams_on_air(
    tx: Transaction, city: str | None, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[Livestream]:
    """Livestreams on air, of one city or all, newest first, each with the first deals of its list."""
    return await store.livestreams_on_air(tx, city, after, limit, _SHOWN_IN_LIST)


async def livestream(tx: Transaction, livestream_id: UUID) -> tuple[Livestream, tuple[Comment, ...]]:
    """One livestream with its whole list and its comments."""
    return await _livestream(tx, livestream_id), await store.livestream_comments(tx, livestream_id)


async def _livestream(tx: Transaction, livestream_id: UUID) -> Livestream:
    found = await store.livestream(tx, livestream_id, DEALS_AT_MOST)
    if found is None:
        raise NotFound
    return found
