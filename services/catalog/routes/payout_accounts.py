"""Binding the Alipay account to which a merchant is paid."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, StringConstraints

from services.catalog import use_cases
from services.catalog.domain.payout_accounts import AccountHolder, PayoutAccountKind
from services.catalog.domain.text import ShortLine
from services.catalog.routes.common import Decision, Seen, etag
from services.catalog.routes.merchant_views import MerchantView, merchant_view
from shared.auth import Caller
from shared.contracts.catalog import Rail
from shared.http import Db
from shared.service import World

router = APIRouter(tags=["merchants"])

AccountText = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[^\s\x00-\x1f\x7f]{4,100}$")]


class SubmitPayoutAccount(BaseModel):
    kind: PayoutAccountKind
    account: AccountText
    holder_name: ShortLine
    real_name_verified: bool = False


class PayoutAccountDecision(Decision):
    """With an approval: the rail, and on the 直付通 rail the sub-merchant id that Alipay gave."""

    rail: Rail = Rail.ZHIFUTONG
    sub_merchant_id: Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{4,64}$")] | None = None


@router.put("/merchants/{merchant_id}/payout-account")
async def submit_payout_account(
    merchant_id: UUID, body: SubmitPayoutAccount, caller: Caller, db: Db, world: World, seen: Seen, response: Response
) -> MerchantView:
    """Bind, or change, the Alipay account to which the merchant is paid; `If-Match` quotes the account's version, 0
    for none."""
    holder = AccountHolder(body.kind, body.holder_name, body.real_name_verified)
    async with db.transaction() as tx:
        file = await use_cases.submit_payout_account(tx, merchant_id, caller, holder, body.account, world.seals, seen)
    assert file.account is not None, "it was just submitted"
    response.headers.update(etag(file.account.version))
    return merchant_view(file)


@router.put("/merchants/{merchant_id}/payout-account/verification")
async def decide_payout_account(
    merchant_id: UUID, body: PayoutAccountDecision, caller: Caller, db: Db, seen: Seen
) -> MerchantView:
    """The operator verifies or rejects a payout account; `If-Match` quotes the account's version."""
    async with db.transaction() as tx:
        file = await use_cases.decide_payout_account(
            tx,
            merchant_id,
            caller,
            approve=body.approve,
            rail=body.rail,
            sub_merchant_id=body.sub_merchant_id,
            reason=body.reason,
            version=seen,
        )
    return merchant_view(file)
