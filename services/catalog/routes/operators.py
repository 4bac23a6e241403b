"""What waits for an operator."""

from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from services.catalog import use_cases
from services.catalog.domain.claims import ClaimState
from services.catalog.domain.fees import Fee
from services.catalog.domain.merchants import AccountKind, Merchant
from services.catalog.domain.payout_accounts import LicenceKind, PayoutAccount, PayoutAccountKind
from services.catalog.domain.work_queue import WaitingKind
from services.catalog.routes.claims import AppealView, ClaimView, appeal_view, claim_view
from services.catalog.routes.deals import DealDraft, deal_draft
from services.catalog.routes.merchant_views import FeeView, LicenceView, fee_view, licence_view
from services.catalog.routes.stores import PublicStore, public_fields
from services.catalog.use_cases import WaitingClaim
from shared.auth import Caller
from shared.contracts.catalog import MerchantState
from shared.http import Db
from shared.paging import Cursor, Limit

router = APIRouter(prefix="/operator", tags=["operator"])


class ApplicationView(LicenceView):
    merchant_id: UUID
    version: int
    state: MerchantState
    name: str
    phone: str
    account_kind: AccountKind


class WaitingFee(FeeView):
    merchant_id: UUID
    name: str


class WaitingPayoutAccount(BaseModel):
    """The account beside the verified subject that it must belong to."""

    merchant_id: UUID
    version: int
    name: str
    licence_kind: LicenceKind
    subject_name: str
    legal_person: str
    kind: PayoutAccountKind
    holder_name: str
    masked_account: str
    real_name_verified: bool


class WaitingStore(PublicStore):
    """A claim or an appeal that waits (`version` is the claim's), beside the place and who else asks for or holds it.
    It is decided at `/claims/{claim_id}/decision`."""

    claim_id: UUID
    merchant_id: UUID
    merchant_name: str
    version: int
    state: ClaimState
    reason: str | None
    licence_evidence: str
    appeal: AppealView | None
    competing: list[ClaimView]


class QueueCursors(BaseModel):
    """Where the queue of each kind goes on; null: it ends here, or was not asked for."""

    merchants: str | None
    fees: str | None
    payout_accounts: str | None
    stores: str | None
    deals: str | None


class WorkQueueView(BaseModel):
    """What waits of each kind, the oldest first; of another `kind` than the one that was asked for, nothing."""

    merchants: list[ApplicationView]
    fees: list[WaitingFee]
    payout_accounts: list[WaitingPayoutAccount]
    stores: list[WaitingStore]
    deals: list[DealDraft]
    next_cursors: QueueCursors


def _application(merchant: Merchant) -> ApplicationView:
    application = merchant.application
    return ApplicationView(
        **dict(licence_view(application.licence)),
        merchant_id=merchant.merchant_id,
        version=merchant.version,
        state=merchant.state,
        name=application.name,
        phone=application.phone,
        account_kind=application.account_kind,
    )


def _fee(fee: Fee, merchant: Merchant) -> WaitingFee:
    return WaitingFee(**dict(fee_view(fee)), merchant_id=merchant.merchant_id, name=merchant.application.name)


def _account(account: PayoutAccount, merchant: Merchant) -> WaitingPayoutAccount:
    return WaitingPayoutAccount(
        merchant_id=account.merchant_id,
        version=account.version,
        name=merchant.application.name,
        licence_kind=merchant.subject.licence_kind,
        subject_name=merchant.subject.subject_name,
        legal_person=merchant.subject.legal_person,
        kind=account.holder.kind,
        holder_name=account.holder.holder_name,
        masked_account=account.masked_account,
        real_name_verified=account.holder.real_name_verified,
    )


def _waiting_store(waiting: WaitingClaim) -> WaitingStore:
    own = ("claim_id", "merchant_id", "merchant_name", "version", "state", "reason", "licence_evidence")
    return WaitingStore(
        **public_fields(waiting.store),
        **{name: getattr(waiting.claim, name) for name in own},
        appeal=appeal_view(waiting.claim),
        competing=[claim_view(other) for other in waiting.others],
    )


@router.get("/queue")
async def queue(
    caller: Caller, db: Db, kind: WaitingKind | None = None, cursor: Cursor = None, limit: Limit = 50
) -> WorkQueueView:
    """What waits for a decision, the oldest first: of every kind, or of one. A cursor continues the queue of `kind`."""
    async with db.transaction(read_only=True) as tx:
        waiting = await use_cases.work_queue(tx, caller, kind, cursor, limit)
    return WorkQueueView(
        merchants=[_application(merchant) for merchant in waiting.merchants.items],
        fees=[_fee(fee, merchant) for fee, merchant in waiting.fees.items],
        payout_accounts=[_account(account, merchant) for account, merchant in waiting.payout_accounts.items],
        stores=[_waiting_store(one) for one in waiting.stores.items],
        deals=[deal_draft(deal, tx.now) for deal in waiting.deals.items],
        next_cursors=QueueCursors(**{kind: getattr(waiting, kind).next_cursor for kind in WaitingKind}),
    )
