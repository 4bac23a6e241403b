"""What redemption hears: orders paid, refunds asked for and ended, uses paid out, merchants, stores, staff, time."""

from uuid import UUID

from services.redemption import use_cases
from services.redemption.store import copies
from services.redemption.store.redemptions import USE_FINAL
from services.redemption.use_cases.code_pools import HAND_OUT
from services.redemption.use_cases.expiry import EXPIRE
from services.redemption.use_cases.housekeeping import PURGE_REFUSALS
from services.redemption.use_cases.issuing import ASK_ISSUER, VOID_AT_ISSUER
from services.redemption.use_cases.recalls import RECALL
from services.redemption.use_cases.reminders import REMIND
from services.redemption.use_cases.third_party import CODES_OVERDUE, LOOK_FOR_CODES
from services.redemption.world import RedemptionWorld
from shared.auth import keep_staff as keep
from shared.contracts.catalog import (
    DealKind,
    MerchantChanged,
    MerchantSuspended,
    StaffChanged,
    StoreChanged,
    StoreClosed,
)
from shared.contracts.checkout import DisputeClosed, OrderPaid, RefundAbandoned, RefundRequested, RefundSucceeded
from shared.contracts.settlement import PayoutPaid
from shared.database import Database, Transaction
from shared.messaging import inbox
from shared.messaging.copies import Copies
from shared.messaging.handlers import Handlers
from shared.messaging.timers import Due, Timers

handles = Handlers("redemption")
timers = Timers()
COPIES: Copies = {MerchantChanged: "merchants", StoreChanged: "stores", StaffChanged: "staff"}


@handles(MerchantChanged)
async def keep_merchant(event: MerchantChanged, db: Database) -> None:
    """Redemption's copy of the merchants: whether they are suspended."""
    async with db.transaction() as tx:
        await copies.keep_merchant(tx, event)


@handles(StoreChanged)
async def keep_store(event: StoreChanged, db: Database) -> None:
    """Redemption's copy of the stores: whose they are, and whether they are open."""
    async with db.transaction() as tx:
        await copies.keep_store(tx, event)


@handles(StaffChanged)
async def keep_staff(event: StaffChanged, db: Database) -> None:
    """Redemption's copy of who works where."""
    async with db.transaction() as tx:
        await keep(tx, event)


@handles(StoreClosed)
async def recall_at_closed_store(event: StoreClosed, db: Database) -> None:
    """What was sold for a store that is lost, and has no other store, goes back."""
    async with db.transaction() as tx:
        if await inbox.is_duplicate(tx, event, "redemption.recall_at_closed_store"):
            return
        await use_cases.recall_at_closed_store(tx, event)


@handles(MerchantSuspended)
async def recall_of_suspended_merchant(event: MerchantSuspended, db: Database) -> None:
    """What a suspended merchant sold goes back."""
    async with db.transaction() as tx:
        if await inbox.is_duplicate(tx, event, "redemption.recall_of_suspended_merchant"):
            return
        await use_cases.recall_of_suspended_merchant(tx, event)


@handles(OrderPaid)
async def issue_certificates(event: OrderPaid, db: Database, world: RedemptionWorld) -> None:
    """A paid order of vouchers gets one certificate per unit; goods are dispatch's."""
    async with db.transaction() as tx:
        if await inbox.is_duplicate(tx, event, "redemption.issue_certificates"):
            return
        if event.kind is DealKind.VOUCHER:
            await use_cases.issue_certificates(tx, world.codes, world.code_timeout, event, world.reminder_days)


@handles(RefundRequested)
async def fence_refund(event: RefundRequested, db: Database) -> None:
    """Certificates of a refund are fenced, all or none, and checkout gets its answer."""
    async with db.transaction() as tx:
        if await inbox.is_duplicate(tx, event, "redemption.fence_refund"):
            return
        if event.kind is DealKind.VOUCHER:
            await use_cases.fence_refund(tx, event)


@handles(RefundSucceeded)
async def close_refund(event: RefundSucceeded, db: Database) -> None:
    """Fenced certificates are over once the money is back."""
    async with db.transaction() as tx:
        if await inbox.is_duplicate(tx, event, "redemption.close_refund"):
            return
        if event.kind is DealKind.VOUCHER:
            await use_cases.close_refund(tx, event)
            await use_cases.take_back(tx, [unit.unit_id for unit in event.units])


@handles(RefundAbandoned)
async def lift_fence(event: RefundAbandoned, db: Database) -> None:
    """Certificates of a refund that was given up are what they were before."""
    async with db.transaction() as tx:
        if await inbox.is_duplicate(tx, event, "redemption.lift_fence"):
            return
        if event.kind is DealKind.VOUCHER:
            await use_cases.lift_fence(tx, event)


@handles(DisputeClosed)
async def close_dispute(event: DisputeClosed, db: Database) -> None:
    """The review ended without money going back."""
    async with db.transaction() as tx:
        if await inbox.is_duplicate(tx, event, "redemption.close_dispute"):
            return
        if event.kind is DealKind.VOUCHER:
            await use_cases.close_dispute(tx, event)


@handles(PayoutPaid)
async def mark_settled(event: PayoutPaid, db: Database) -> None:
    """Uses that the merchant was paid for are settled."""
    async with db.transaction() as tx:
        if await inbox.is_duplicate(tx, event, "redemption.mark_settled"):
            return
        await use_cases.settle_uses(tx, event.uses)


async def watch_time(db: Database) -> None:
    """At start: look for what has expired meanwhile, will soon, or is old."""
    async with db.transaction() as tx:
        await use_cases.look_at_once(tx)
        await use_cases.watch_reminders(tx)
        await use_cases.watch_refusals(tx)


@timers.acts_inside(EXPIRE)
async def expire_next(tx: Transaction, due: list[Due]) -> None:
    """The time to use the next certificates is over."""
    for _ in due:
        await use_cases.expire_next(tx)


@timers.acts_inside(REMIND)
async def remind_next(tx: Transaction, due: list[Due]) -> None:
    """The next certificates are about to expire."""
    for _ in due:
        await use_cases.remind_next(tx)


@timers.acts_inside(PURGE_REFUSALS)
async def purge_refusals(tx: Transaction, due: list[Due]) -> None:
    """Refusals are kept for ninety days."""
    for _ in due:
        await use_cases.purge_refusals(tx)


@timers.acts_inside(USE_FINAL)
async def finalise_uses(tx: Transaction, due: list[Due]) -> None:
    """The moment until which these redemptions could be undone has passed."""
    await use_cases.finalise_uses(tx, [UUID(one.key) for one in due])


@timers.acts_inside(RECALL)
async def recall_next(tx: Transaction, due: list[Due]) -> None:
    """A store or a merchant was lost: the next batch of what nobody takes any more."""
    await use_cases.recall_next(tx, due)


@timers.acts_inside(HAND_OUT)
async def hand_out_codes(tx: Transaction, due: list[Due]) -> None:
    """Codes were imported: certificates that wait for one get theirs."""
    await use_cases.hand_out(tx, due)


@timers.acts_inside(LOOK_FOR_CODES)
async def look_for_codes(tx: Transaction, due: list[Due]) -> None:
    """Certificates wait for codes of a third party."""
    await use_cases.look_for_codes(tx, [UUID(one.key) for one in due])


@timers.acts_outside(ASK_ISSUER)
async def ask_issuer(due: Due, db: Database, world: RedemptionWorld) -> None:
    """A merchant's issuer is asked for the codes of an order."""
    await use_cases.ask_issuer(due, db, world)


@timers.acts_outside(VOID_AT_ISSUER)
async def void_at_issuer(due: Due, db: Database, world: RedemptionWorld) -> None:
    """A merchant's issuer takes back codes that nobody uses."""
    await use_cases.void_at_issuer(due, db, world)


@timers.acts_inside(CODES_OVERDUE)
async def fail_without_code(tx: Transaction, due: list[Due]) -> None:
    """The third party has not sent its codes in time."""
    await use_cases.fail_without_code(tx, [UUID(one.key) for one in due])
