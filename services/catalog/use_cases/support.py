"""Traffic support: an operator lets a merchant be shown more often for a while."""

from uuid import UUID

from services.catalog import store
from services.catalog.domain.support import Support, check_support
from services.catalog.use_cases.feed import SUPPORT_CHANGED
from services.catalog.use_cases.merchant_files import MerchantFile, file_of, known_merchant
from shared.auth import require_operator
from shared.database import Transaction
from shared.errors import PreconditionFailed
from shared.messaging import timers


async def support_merchant(
    tx: Transaction, merchant_id: UUID, operator: str, support: Support, version: int | None = None
) -> MerchantFile:
    """Enrol a merchant, or enrol it otherwise; `version` (If-Match) is the enrolment that the caller saw."""
    await require_operator(tx, operator)
    check_support(support)
    # Whoever quotes a version is not to begin anew what another ends at the same moment.
    await store.lock_merchant(tx, merchant_id)
    merchant = await known_merchant(tx, merchant_id)
    if await store.enrol(tx, merchant_id, support, operator, version):
        await timers.schedule(tx, SUPPORT_CHANGED, merchant_id, tx.now)
    else:
        await _require_unchanged(tx, merchant_id, support)
    return await file_of(tx, merchant)


async def _require_unchanged(tx: Transaction, merchant_id: UUID, wanted: Support | None) -> None:
    """Refuse, unless the merchant is supported just as was wanted (None: not at all)."""
    enrolment = await store.support(tx, merchant_id)
    if (enrolment.support if enrolment else None) != wanted:
        raise PreconditionFailed(**{"current": enrolment.version} if enrolment else {})


async def end_support(tx: Transaction, merchant_id: UUID, operator: str, version: int | None = None) -> None:
    """The merchant is shown like everybody else; also when it was not supported at all."""
    await require_operator(tx, operator)
    await store.lock_merchant(tx, merchant_id)
    await known_merchant(tx, merchant_id)
    if await store.end_support(tx, merchant_id, version):
        await timers.schedule(tx, SUPPORT_CHANGED, merchant_id, tx.now)
    else:
        await _require_unchanged(tx, merchant_id, None)
