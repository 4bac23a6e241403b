"""The platform's own people: the first of them, and what waits for their decision."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import NAMESPACE_OID

from services.catalog import store
from services.catalog.domain.claims import Claim
from services.catalog.domain.deals import Deal
from services.catalog.domain.fees import Fee
from services.catalog.domain.merchants import Merchant
from services.catalog.domain.payout_accounts import PayoutAccount
from services.catalog.domain.staff import Place
from services.catalog.domain.stores import Store
from services.catalog.use_cases.staff import announce_place
from shared.auth import require_operator
from shared.contracts.catalog import StaffRole
from shared.database import Transaction
from shared.ids import derived_id

QUEUE = 50


@dataclass(frozen=True, slots=True)
class WaitingClaim:
    """A claim or an appeal beside the store, and the other claims to it that wait or hold."""

    claim: Claim
    store: Store
    others: Sequence[Claim]


@dataclass(frozen=True, slots=True)
class WorkQueue:
    """The oldest fifty of each kind that wait; deciding them brings up the next."""

    merchants: Sequence[Merchant]
    fees: Sequence[tuple[Fee, Merchant]]
    payout_accounts: Sequence[tuple[PayoutAccount, Merchant]]
    stores: Sequence[WaitingClaim]
    deals: Sequence[Deal]


async def seed_first_operator(tx: Transaction, subject: str) -> None:
    """Make this person an operator if the platform has none; any number of processes may try."""
    place = Place(derived_id(NAMESPACE_OID, f"operator {subject}"), subject, None, StaffRole.OPERATOR, (), active=True)
    seeded = await store.add_first_operator(tx, place)
    if seeded is not None:
        await announce_place(tx, seeded)


async def work_queue(tx: Transaction, operator: str) -> WorkQueue:
    """What waits for a decision."""
    await require_operator(tx, operator)
    accounts = await store.waiting_accounts(tx, QUEUE)
    fees = await store.waiting_fees(tx, QUEUE)
    of = [account.merchant_id for account in accounts] + [merchant_id for merchant_id, _ in fees]
    owners = await store.merchants_by_id(tx, of)
    return WorkQueue(
        merchants=await store.waiting_merchants(tx, QUEUE),
        fees=[(fee, owners[merchant_id]) for merchant_id, fee in fees],
        payout_accounts=[(account, owners[account.merchant_id]) for account in accounts],
        stores=await _waiting_claims(tx),
        deals=await store.deals_in_review(tx, QUEUE),
    )


async def _waiting_claims(tx: Transaction) -> Sequence[WaitingClaim]:
    waiting = await store.waiting_claims(tx, QUEUE)
    live = await store.live_claims_on(tx, {place.store_id for place, _ in waiting})
    return [
        WaitingClaim(
            claim,
            place,
            [one for one in live if one.store_id == claim.store_id and one.claim_id != claim.claim_id],
        )
        for place, claim in waiting
    ]
