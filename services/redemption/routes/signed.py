"""What a merchant's own systems send, under the merchant's signature: codes made later, and uses at their own till."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request
from pydantic import AfterValidator, AwareDatetime, BaseModel, Field

from services.redemption import use_cases
from services.redemption.domain.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER
from services.redemption.domain.third_party import LONGEST
from services.redemption.routes.views import RedemptionView, redemption_view
from services.redemption.use_cases import ReportedUse, Signed
from shared.errors import DomainError
from shared.http import Db
from shared.service import World

router = APIRouter(prefix="/merchants/{merchant_id}")


async def _signed(
    request: Request,
    timestamp: Annotated[str, Header(alias=TIMESTAMP_HEADER, max_length=20)] = "",
    signature: Annotated[str, Header(alias=SIGNATURE_HEADER, max_length=100)] = "",
) -> Signed:
    return Signed(request.url.path, await request.body(), timestamp, signature)


BySignature = Annotated[Signed, Depends(_signed)]


class ReportUse(BaseModel):
    """`used_at` is kept beside the use; what counts is when it was reported."""

    code: Annotated[str, Field(min_length=1, max_length=LONGEST)]
    store_id: UUID
    used_at: AwareDatetime


@router.put("/external-uses/{report_id}", status_code=201)
async def report_external_use(
    merchant_id: UUID, report_id: UUID, body: ReportUse, signed: BySignature, db: Db, world: World
) -> RedemptionView:
    """Use a third-party code that the merchant's own till has taken. Repeating the report gives the first answer."""
    async with db.transaction() as tx:
        await use_cases.require_signature(tx, world.codes, merchant_id, signed, datetime.now(UTC))
        use = ReportedUse(merchant_id, report_id, body.code, body.store_id, body.used_at)
        done = await use_cases.report_use(tx, world.codes, use)
    if isinstance(done, DomainError):
        raise done
    return redemption_view(world.codes, done)


class UnitCode(BaseModel):
    unit_id: UUID
    code: Annotated[str, Field(min_length=1, max_length=LONGEST)]


def _each_once(codes: tuple[UnitCode, ...]) -> tuple[UnitCode, ...]:
    if len({one.unit_id for one in codes}) != len(codes):
        raise ValueError("name each unit once")
    return codes


class IssuedCodes(BaseModel):
    codes: Annotated[tuple[UnitCode, ...], Field(min_length=1, max_length=10), AfterValidator(_each_once)]


class TakenCodes(BaseModel):
    """The units that have these codes now. The issuer voids the others: they came too late, are fenced, or are codes
    that the merchant has already; for a unit that still waits it is asked again."""

    taken: list[UUID]


@router.put("/issued-codes/{order_id}")
async def send_issued_codes(
    merchant_id: UUID, order_id: UUID, body: IssuedCodes, signed: BySignature, db: Db, world: World
) -> TakenCodes:
    """Codes that the merchant's issuer has made for units of an order, after it was asked for them."""
    async with db.transaction() as tx:
        await use_cases.require_signature(tx, world.codes, merchant_id, signed, datetime.now(UTC))
        given = [(one.unit_id, one.code) for one in body.codes]
        taken = await use_cases.codes_from_issuer(tx, world.codes, merchant_id, order_id, given)
    return TakenCodes(taken=sorted(taken))
