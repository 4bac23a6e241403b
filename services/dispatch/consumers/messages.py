"""Messages in: one transaction, once per message, one use case."""

from services.dispatch.store import copies
from services.dispatch.use_cases import opening, refunding
from services.dispatch.world import DispatchWorld
from shared.auth import keep_staff as keep_staff_copy
from shared.contracts.catalog import MerchantChanged, StaffChanged, StoreChanged
from shared.contracts.checkout import DisputeClosed, OrderPaid, RefundAbandoned, RefundRequested, RefundSucceeded
from shared.database import Database
from shared.messaging import inbox
from shared.messaging.copies import Copies
from shared.messaging.handlers import Handlers

handles = Handlers("dispatch")
COPIES: Copies = {MerchantChanged: "merchants", StoreChanged: "stores", StaffChanged: "staff"}


@handles(OrderPaid)
async def open_parcel(event: OrderPaid, db: Database, world: DispatchWorld) -> None:
    """A paid order of goods becomes a parcel; a voucher is somebody else's work."""
    async with db.transaction() as tx:
        if not await inbox.is_duplicate(tx, event, "dispatch.open_parcel"):
            await opening.open_parcel(tx, world, event)


@handles(RefundRequested)
async def fence_refund(event: RefundRequested, db: Database) -> None:
    """Stop the parcel for a refund, or say why it cannot be stopped."""
    async with db.transaction() as tx:
        if not await inbox.is_duplicate(tx, event, "dispatch.fence_refund"):
            await refunding.fence_refund(tx, event)


@handles(RefundSucceeded)
async def close_refund(event: RefundSucceeded, db: Database) -> None:
    """The money is back with the buyer."""
    async with db.transaction() as tx:
        if not await inbox.is_duplicate(tx, event, "dispatch.close_refund"):
            await refunding.close_refund(tx, event)


@handles(RefundAbandoned)
async def lift_fence(event: RefundAbandoned, db: Database, world: DispatchWorld) -> None:
    """The refund was given up; the parcel goes on."""
    async with db.transaction() as tx:
        if not await inbox.is_duplicate(tx, event, "dispatch.lift_fence"):
            await refunding.lift_fence(tx, world.policy, event)


# Copies are rebuilt by replay, so versions guard them and not the inbox.


@handles(MerchantChanged)
async def keep_merchant(event: MerchantChanged, db: Database) -> None:
    """The newest state of a merchant."""
    async with db.transaction() as tx:
        await copies.keep_merchant(tx, event)


@handles(StoreChanged)
async def keep_store(event: StoreChanged, db: Database) -> None:
    """The newest state of a store."""
    async with db.transaction() as tx:
        await copies.keep_store(tx, event)


@handles(StaffChanged)
async def keep_staff(event: StaffChanged, db: Database) -> None:
    """The newest state of one person's place."""
    async with db.transaction() as tx:
        await keep_staff_copy(tx, event)


@handles(DisputeClosed)
async def close_dispute(event: DisputeClosed, db: Database) -> None:
    """The review ended without money going back."""
    async with db.transaction() as tx:
        if not await inbox.is_duplicate(tx, event, "dispatch.close_dispute"):
            await refunding.close_dispute(tx, event)
