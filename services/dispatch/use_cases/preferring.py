"""What a merchant prefers, and what of it does not work now."""

from collections.abc import Sequence
from uuid import UUID

from services.dispatch.domain.eligibility import Contract
from services.dispatch.domain.refusals import NoSuchCarrier, NotStaffOfMerchant
from services.dispatch.store import accounts, copies, preferences
from services.dispatch.store.accounts import AccountAlert
from services.dispatch.store.preferences import Preferences
from services.dispatch.world import DispatchWorld
from shared.contracts.catalog import StaffRole
from shared.database import Transaction

_DECIDES = (StaffRole.OWNER, StaffRole.MANAGER)


async def show(tx: Transaction, caller: str, merchant_id: UUID) -> Preferences:
    """The preferences, for anybody who works there."""
    if await copies.stores_of_staff(tx, caller, merchant_id) is None:
        raise NotStaffOfMerchant
    return await preferences.find(tx, merchant_id)


async def choose(
    tx: Transaction, world: DispatchWorld, caller: str, merchant_id: UUID, contract: Contract
) -> Preferences:
    """Set them, by the owner or a manager of every store. An order may name only carriers that there are."""
    if not await copies.works_everywhere(tx, caller, merchant_id, _DECIDES):
        raise NotStaffOfMerchant
    known = {carrier.provider for carrier in world.carriers.of_merchant(merchant_id)}
    for provider in contract.order:
        if provider not in known:
            raise NoSuchCarrier
    return await preferences.keep(tx, merchant_id, contract)


async def alerts(tx: Transaction, world: DispatchWorld, caller: str, merchant_id: UUID) -> Sequence[AccountAlert]:
    """Accounts that the merchant's parcels could go to, and now cannot."""
    if await copies.stores_of_staff(tx, caller, merchant_id) is None:
        raise NotStaffOfMerchant
    theirs = {(carrier.provider, carrier.account) for carrier in world.carriers.of_merchant(merchant_id)}
    return [one for one in await accounts.alerts(tx) if (one.provider, one.account) in theirs]
