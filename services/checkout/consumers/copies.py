"""Copies of catalog's facts: kept at their highest version, so copies and any order of messages are harmless."""

from services.checkout.consumers.registry import handles
from services.checkout.store import copies
from services.checkout.use_cases import selling
from shared import auth
from shared.contracts.catalog import (
    DealChanged,
    DealVersionPublished,
    MerchantChanged,
    PayoutAccountChanged,
    StaffChanged,
)
from shared.database import Database
from shared.messaging.copies import Copies

COPIES: Copies = {
    MerchantChanged: "merchants",
    StaffChanged: "staff",
    PayoutAccountChanged: "payout_accounts",
    DealVersionPublished: "deal_versions",
    DealChanged: "deals",
}


@handles(MerchantChanged)
async def keep_merchant(event: MerchantChanged, db: Database) -> None:
    """Whether a merchant may sell."""
    async with db.transaction() as tx:
        await copies.keep_merchant(tx, event)


@handles(StaffChanged)
async def keep_staff(event: StaffChanged, db: Database) -> None:
    """Who may look at a merchant's orders, and who is an operator."""
    async with db.transaction() as tx:
        await auth.keep_staff(tx, event)


@handles(PayoutAccountChanged)
async def keep_payout_account(event: PayoutAccountChanged, db: Database) -> None:
    """By which rail a merchant is paid."""
    async with db.transaction() as tx:
        await copies.keep_payout_account(tx, event)


@handles(DealVersionPublished)
async def keep_deal_version(event: DealVersionPublished, db: Database) -> None:
    """An immutable version of a deal."""
    async with db.transaction() as tx:
        await copies.keep_deal_version(tx, event)


@handles(DealChanged)
async def keep_deal(event: DealChanged, db: Database) -> None:
    """Whether a deal is on sale, in which version, how many and where."""
    async with db.transaction() as tx:
        await selling.keep_deal(tx, event)
