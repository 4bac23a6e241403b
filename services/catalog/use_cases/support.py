"""Traffic support: an operator lets a merchant be shown more often for a while."""

from collections.abc import Sequence
from uuid import UUID

from services.catalog import store
from services.catalog.domain.support import Support, check_support
from services.catalog.use_cases.merchant_files import MerchantFile, file_of, known_merchant
from shared.auth import require_operator
from shared.database import Transaction
from shared.messaging import timers

SUPPORT_CHANGED = "support_changed"
"""Due whenever the support of a merchant (its key) has changed: the feed ranks its videos anew."""

SUPPORT_BOUNDARY = "support_boundary"
"""Due when the support of a merchant next begins or ends."""


async def support_merchant(tx: Transaction, merchant_id: UUID, operator: str, support: Support) -> MerchantFile:
    """Enrol a merchant, or enrol it otherwise."""
    await require_operator(tx, operator)
    check_support(support)
    merchant = await known_merchant(tx, merchant_id)
    if await store.enrol(tx, merchant_id, support, operator):
        await _say_changed(tx, merchant_id, support)
    return await file_of(tx, merchant)


async def end_support(tx: Transaction, merchant_id: UUID, operator: str) -> None:
    """The merchant is shown like everybody else; also when it was not supported at all."""
    await require_operator(tx, operator)
    await known_merchant(tx, merchant_id)
    if await store.end_support(tx, merchant_id):
        await _say_changed(tx, merchant_id, None)


async def pass_boundaries(tx: Transaction, merchant_ids: Sequence[UUID]) -> None:
    """The support of these merchants begins or ends now."""
    supports = await store.supports(tx, merchant_ids)
    for merchant_id in merchant_ids:
        await _say_changed(tx, merchant_id, supports.get(merchant_id))


async def _say_changed(tx: Transaction, merchant_id: UUID, support: Support | None) -> None:
    await timers.schedule(tx, SUPPORT_CHANGED, merchant_id, tx.now)
    boundary = support and support.next_change(tx.now)
    if boundary:
        await timers.schedule(tx, SUPPORT_BOUNDARY, merchant_id, boundary)
