"""Traffic support: an operator lets a merchant be shown more often for a while."""

from uuid import UUID

from services.catalog import store
from services.catalog.domain.support import Support, check_support
from services.catalog.use_cases.feed import SUPPORT_CHANGED
from services.catalog.use_cases.merchant_files import MerchantFile, file_of, known_merchant
from shared.auth import require_operator
from shared.database import Transaction
from shared.messaging import timers


async def support_merchant(tx: Transaction, merchant_id: UUID, operator: str, support: Support) -> MerchantFile:
    """Enrol a merchant, or enrol it otherwise."""
    await require_operator(tx, operator)
    check_support(support)
    merchant = await known_merchant(tx, merchant_id)
    if await store.enrol(tx, merchant_id, support, operator):
        await timers.schedule(tx, SUPPORT_CHANGED, merchant_id, tx.now)
    return await file_of(tx, merchant)


async def end_support(tx: Transaction, merchant_id: UUID, operator: str) -> None:
    """The merchant is shown like everybody else; also when it was not supported at all."""
    await require_operator(tx, operator)
    await known_merchant(tx, merchant_id)
    if await store.end_support(tx, merchant_id):
        await timers.schedule(tx, SUPPORT_CHANGED, merchant_id, tx.now)
