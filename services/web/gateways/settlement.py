"""Settlement as the pages see it: the merchant's statement, payouts, and what comes next."""

from datetime import date, datetime
from uuid import UUID

from services.web.gateways.service import Asker, Service, View


class Line(View):
    """One use of one unit; amounts in fen, `fee_fen` is Alipay's 0.6 %."""

    order_id: UUID
    unit_id: UUID
    use_no: int = 1
    title: str = ""
    store_id: UUID | None = None
    used_at: datetime
    gross_fen: int
    fee_fen: int
    net_fen: int
    state: str
    due_on: date | None = None
    payout_id: UUID | None = None
    held: str | None = None


class Totals(View):
    gross_fen: int = 0
    fee_fen: int = 0
    net_fen: int = 0
    uses: int = 0


class Statement(View):
    day: date
    items: list[Line]
    totals: Totals
    next_cursor: str | None = None


class Payout(View):
    payout_id: UUID
    run_date: date
    state: str
    gross_fen: int
    fee_fen: int
    net_fen: int
    uses: int
    paid_at: datetime | None = None


class Preview(Totals):
    """What the next run pays; `held_back` names what stops it."""

    due_on: date | None = None
    held_back: str | None = None
    disputed_uses: int = 0
    disputed_fen: int = 0


class Settlement(Service):
    async def statement(self, asker: Asker, merchant_id: UUID, day: date) -> Statement:
        answer = await self.get(asker, f"/merchants/{merchant_id}/statement", day=day.isoformat())
        return Statement.model_validate(answer)

    async def payouts(self, asker: Asker, merchant_id: UUID) -> list[Payout]:
        answer = await self.get(asker, f"/merchants/{merchant_id}/payouts")
        return [Payout.model_validate(item) for item in answer["items"]]

    async def preview(self, asker: Asker, merchant_id: UUID) -> Preview:
        return Preview.model_validate(await self.get(asker, f"/merchants/{merchant_id}/preview"))
