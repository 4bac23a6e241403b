"""Applying as a merchant, changing the licence, and what the operator says to both."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from services.catalog import use_cases
from services.catalog.domain.merchants import AccountKind, Application, Licence
from services.catalog.domain.payout_accounts import LicenceKind
from services.catalog.domain.text import LongLine, Phone, ShortLine
from services.catalog.routes.common import Decision, Seen, etag
from services.catalog.routes.merchant_views import MerchantView, merchant_view
from shared.auth import Caller
from shared.http import Db

router = APIRouter(tags=["merchants"])


class ChangeLicence(BaseModel):
    """The facts of the business licence; `licence_evidence` names the scan that proves them."""

    licence_kind: LicenceKind
    licence_no: Annotated[str, Field(pattern=r"^[0-9A-Za-z]{8,30}$")]
    subject_name: ShortLine
    legal_person: ShortLine
    licence_expires_on: date
    licence_evidence: LongLine

    def licence(self) -> Licence:
        """The licence alone."""
        return Licence(**{name: getattr(self, name) for name in ChangeLicence.model_fields})


class ApplyAsMerchant(ChangeLicence):
    name: ShortLine
    phone: Phone
    account_kind: AccountKind


@router.put("/merchants/{merchant_id}", status_code=201)
async def apply_as_merchant(merchant_id: UUID, body: ApplyAsMerchant, caller: Caller, db: Db) -> MerchantView:
    """Apply to sell deals; the caller becomes the owner."""
    application = Application(body.name, body.phone, body.account_kind, body.licence())
    async with db.transaction() as tx:
        file = await use_cases.apply_as_merchant(tx, merchant_id, caller, application)
    return merchant_view(file)


@router.put("/merchants/{merchant_id}/licence")
async def change_licence(
    merchant_id: UUID, body: ChangeLicence, caller: Caller, db: Db, seen: Seen, response: Response
) -> MerchantView:
    """Another licence: sales and payouts wait until an operator has verified it. For owners; `If-Match` quotes the
    merchant's version."""
    async with db.transaction() as tx:
        file = await use_cases.change_licence(tx, merchant_id, caller, body.licence(), seen)
    response.headers.update(etag(file.merchant.version))
    return merchant_view(file)


@router.put("/merchants/{merchant_id}/verification")
async def decide_application(merchant_id: UUID, body: Decision, caller: Caller, db: Db, seen: Seen) -> MerchantView:
    """The operator verifies or rejects an application."""
    async with db.transaction() as tx:
        file = await use_cases.decide_application(
            tx, merchant_id, caller, approve=body.approve, reason=body.reason, version=seen
        )
    return merchant_view(file)


@router.get("/merchants/{merchant_id}")
async def show_merchant(merchant_id: UUID, caller: Caller, db: Db) -> MerchantView:
    """A merchant, for its staff and operators."""
    async with db.transaction(read_only=True) as tx:
        file = await use_cases.merchant_file(tx, merchant_id, caller)
    return merchant_view(file)
