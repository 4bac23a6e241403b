"""Traffic support: an operator lets a merchant be shown more often for a while."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, BaseModel, Field

from services.catalog import use_cases
from services.catalog.domain.support import Support
from services.catalog.routes.common import Seen, etag
from services.catalog.routes.merchant_views import MerchantView, merchant_view
from shared.auth import Caller
from shared.http import Db

router = APIRouter(tags=["merchants"])


class SupportMerchant(BaseModel):
    weight: Annotated[int, Field(strict=True, ge=1, le=10)]
    starts_at: AwareDatetime
    ends_at: AwareDatetime


@router.put("/merchants/{merchant_id}/support")
async def support_merchant(
    merchant_id: UUID, body: SupportMerchant, caller: Caller, db: Db, seen: Seen, response: Response
) -> MerchantView:
    """Enrol a merchant, or enrol it otherwise: one enrolment each. `If-Match` quotes the `version` of the support."""
    async with db.transaction() as tx:
        support = Support(body.weight, body.starts_at, body.ends_at)
        file = await use_cases.support_merchant(tx, merchant_id, caller, support, seen)
    if file.support is not None:
        response.headers.update(etag(file.support.version))
    return merchant_view(file)


@router.delete("/merchants/{merchant_id}/support", status_code=204)
async def end_support(merchant_id: UUID, caller: Caller, db: Db, seen: Seen) -> None:
    """The merchant is shown like everybody else; `If-Match` quotes the `version` of the support that was seen."""
    async with db.transaction() as tx:
        await use_cases.end_support(tx, merchant_id, caller, seen)
