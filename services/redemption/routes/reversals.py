"""Undo a redemption at the counter."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from services.redemption import use_cases
from services.redemption.domain.codes import Codes, masked
from services.redemption.domain.reversals import Reversal, ReversalAttempt
from services.redemption.routes.staff import PRINTABLE, DeviceId, each_once
from shared.auth import Caller
from shared.errors import DomainError
from shared.http import Db
from shared.service import World

router = APIRouter()


class Reverse(BaseModel):
    """`use_ids` null: all uses of the redemption that were not undone yet."""

    use_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=10), AfterValidator(each_once)] | None = None
    device_id: DeviceId
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=PRINTABLE)]


class ReversedUseView(BaseModel):
    use_id: UUID
    unit_id: UUID
    use_no: int
    masked_code: str


class ReversalView(BaseModel):
    reversal_id: UUID
    redemption_id: UUID
    store_id: UUID
    order_id: UUID
    operator: str
    device_id: str
    reason: str
    used_at: datetime
    reversed_at: datetime
    uses: list[ReversedUseView]


@router.put("/redemptions/{redemption_id}/reversals/{reversal_id}", status_code=201)
async def reverse(
    redemption_id: UUID, reversal_id: UUID, body: Reverse, operator: Caller, db: Db, world: World
) -> ReversalView:
    """Undo uses of a redemption, all or none, within the hour and before midnight in Shanghai. Repeating the request
    gives the first result."""
    attempt = ReversalAttempt(reversal_id, redemption_id, operator, body.device_id, body.reason, body.use_ids)
    async with db.transaction() as tx:
        done = await use_cases.reverse(tx, attempt)
    if isinstance(done, DomainError):
        raise done
    return _view(world.codes, done)


def _view(codes: Codes, done: Reversal) -> ReversalView:
    return ReversalView(
        reversal_id=done.attempt.reversal_id,
        redemption_id=done.attempt.redemption_id,
        store_id=done.store_id,
        order_id=done.order_id,
        operator=done.attempt.operator,
        device_id=done.attempt.device_id,
        reason=done.attempt.reason,
        used_at=done.used_at,
        reversed_at=done.reversed_at,
        uses=[
            ReversedUseView(
                use_id=use.use_id,
                unit_id=use.unit_id,
                use_no=use.use_no,
                masked_code=masked(codes.open(use.sealed_code)) if use.sealed_code else "",
            )
            for use in done.uses
        ],
    )
