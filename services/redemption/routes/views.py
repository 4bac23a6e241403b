"""A redemption as staff, and the merchant's own systems, see it; and who asks for one."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from services.redemption.domain.codes import Codes, masked
from services.redemption.domain.guessing import Guesser, source_of
from services.redemption.domain.redemptions import Redemption


class UseView(BaseModel):
    use_id: UUID
    unit_id: UUID
    use_no: int
    used_at: datetime
    reversible_until: datetime
    reversed_at: datetime | None
    masked_code: str


class RedemptionView(BaseModel):
    redemption_id: UUID
    store_id: UUID
    order_id: UUID
    title: str
    operator: str
    device_id: str
    uses: list[UseView]


def redemption_view(codes: Codes, done: Redemption) -> RedemptionView:
    """What was used, with masked codes."""
    return RedemptionView(
        redemption_id=done.attempt.redemption_id,
        store_id=done.attempt.store_id,
        order_id=done.order_id,
        title=done.title,
        operator=done.attempt.operator,
        device_id=done.attempt.device_id,
        uses=[
            UseView(
                use_id=use.use_id,
                unit_id=use.unit_id,
                use_no=use.use_no,
                used_at=done.used_at,
                reversible_until=done.reversible_until,
                reversed_at=use.reversed_at,
                masked_code=masked(codes.open(use.sealed_code)) if use.sealed_code else "",
            )
            for use in done.uses
        ],
    )


def guesser_of(codes: Codes, operator: str, store_id: UUID, device_id: str | None, address: str) -> Guesser:
    """Who tries a code; the address is kept as a keyed hash only."""
    source = source_of(address)
    return Guesser(operator, store_id, device_id, codes.digest("source", source) if source else None)
