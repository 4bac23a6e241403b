"""What catalog hears: how many of a deal are left, payouts that failed, and time."""

from collections.abc import Sequence
from uuid import UUID

from services.catalog import use_cases
from shared.contracts.checkout import AvailabilityChanged
from shared.contracts.settlement import PayoutFailed
from shared.database import Database, Transaction
from shared.messaging import inbox
from shared.messaging.handlers import Handlers
from shared.messaging.timers import Due, Timers

handles = Handlers("catalog")
timers = Timers()


@handles(AvailabilityChanged)
async def keep_availability(event: AvailabilityChanged, db: Database) -> None:
    """The badge and the feed show what checkout has left of a deal."""
    async with db.transaction() as tx:
        await use_cases.keep_availability(tx, event)


@handles(PayoutFailed)
async def reopen_payout_account(event: PayoutFailed, db: Database) -> None:
    """A payout that was definitely refused re-opens the merchant's account step."""
    async with db.transaction() as tx:
        if await inbox.is_duplicate(tx, event, "catalog.reopen_payout_account"):
            return
        await use_cases.reopen_payout_account(tx, event.merchant_id, event.code, event.occurred_at)


@timers.acts_inside(use_cases.LICENCE_EXPIRED)
async def expire_licences(tx: Transaction, due: list[Due]) -> None:
    """The last day of a licence is over."""
    await use_cases.expire_licences(tx, [UUID(one.key) for one in due])


@timers.acts_inside(use_cases.SUPPORT_CHANGED)
async def rank_supported(tx: Transaction, due: list[Due]) -> None:
    """The support of these merchants began, ended or changed: their videos move in the feed."""
    await use_cases.rank_supported(tx, due)


@timers.acts_inside(use_cases.DEALS_CHANGED)
async def say_deals_again(tx: Transaction, due: Sequence[Due]) -> None:
    """Checkout hears where the deals of a store may be used, after it opened, closed or changed hands."""
    await use_cases.say_deals_again(tx, due)
