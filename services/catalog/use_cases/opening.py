"""Opening group-buy: the fee of the verification is settled, and the owner asks for it."""

from uuid import UUID

from services.catalog import store
from services.catalog.domain.checklist import why_not_ready
from services.catalog.domain.fees import FeeKind, FeeState
from services.catalog.domain.refusals import FeeSettled, GroupBuyNotOpened
from services.catalog.use_cases.merchant_files import MerchantFile, file_of, known_merchant
from shared.auth import require_operator, require_staff
from shared.contracts.catalog import StaffRole
from shared.database import Transaction
from shared.errors import NotFound, PreconditionFailed


async def settle_fee(
    tx: Transaction, merchant_id: UUID, operator: str, kind: FeeKind, state: FeeState, reference: str
) -> MerchantFile:
    """The operator records that a fee was paid or waived: once."""
    await require_operator(tx, operator)
    if not await store.settle_fee(tx, merchant_id, kind, state, reference, operator):
        known = await store.fee(tx, merchant_id, kind)
        if known is None:
            raise NotFound
        if (known.state, known.reference) != (state, reference):
            raise FeeSettled(state=known.state.value)
    return await file_of(tx, await known_merchant(tx, merchant_id))


async def open_group_buy(tx: Transaction, merchant_id: UUID, caller: str) -> MerchantFile:
    """The owner asks for group-buy, which costs nothing and is there at once when the steps before are done."""
    await require_staff(tx, caller, merchant_id, StaffRole.OWNER)
    if await store.open_group_buy(tx, merchant_id, caller) is None:
        file = await file_of(tx, await known_merchant(tx, merchant_id))
        if file.merchant.opened_at is None:
            # The last step may have been done in the moment between: what was refused is then worth the same request.
            raise why_not_ready(file.checklist) or PreconditionFailed()
        return file
    return await file_of(tx, await known_merchant(tx, merchant_id))


async def require_opened(tx: Transaction, merchant_id: UUID) -> None:
    """Raise unless the merchant may create and sell deals."""
    if not await store.is_opened(tx, merchant_id):
        raise GroupBuyNotOpened
