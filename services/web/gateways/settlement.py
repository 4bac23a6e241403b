"""Settlement as the pages see it: the merchant's statement, payouts, and what comes next."""

from datetime import date, datetime
from uuid import UUID

import httpx

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
    owed_fen: int = 0
    next_cursor: str | None = None


class StoreTotals(Totals):
    store_id: UUID | None = None


class Payout(View):
    payout_id: UUID
    run_date: date
    state: str
    gross_fen: int
    fee_fen: int
    offset_fen: int = 0
    net_fen: int
    uses: int
    paid_at: datetime | None = None


class Preview(Totals):
    """What the next run pays, net of fee and of what pays off a debt; `held_back` names what stops it."""

    offset_fen: int = 0
    owed_fen: int = 0

    due_on: date | None = None
    held_back: str | None = None
    disputed_uses: int = 0
    disputed_fen: int = 0


class Incident(View):
    """Something that an operator has to look at."""

    incident_id: UUID
    kind: str
    subject: str
    day: date | None = None
    detail: str
    amount_fen: int
    opened_at: datetime
    owner: str | None = None
    resolution: str | None = None
    resolved_by: str | None = None
    resolved_at: datetime | None = None


class Incidents(View):
    items: list[Incident]
    next_cursor: str | None = None


class BillDay(View):
    day: date
    status: str
    due_at: datetime


class Bill(View):
    day: date
    downloaded_at: datetime
    lines: int
    matched: int | None = None
    compared_at: datetime | None = None
    open_differences: int = 0
    unfiled: int = 0


class Unredeemed(View):
    merchant_id: UUID
    name: str | None = None
    units: int
    uses: int
    paid_fen: int
    since: datetime


class UnredeemedList(View):
    items: list[Unredeemed]
    next_cursor: str | None = None


class Owing(View):
    merchant_id: UUID
    name: str | None = None
    rail: str
    uses: int
    owed_fen: int
    since: datetime
    taken_by_channel: bool = False


class OwingList(View):
    items: list[Owing]
    next_cursor: str | None = None


class Settlement(Service):
    async def statement(
        self, asker: Asker, merchant_id: UUID, day: date, store_id: UUID | None = None, cursor: str | None = None
    ) -> Statement:
        store = None if store_id is None else str(store_id)
        path = f"/merchants/{merchant_id}/statement"
        answer = await self.get(asker, path, day=day.isoformat(), store_id=store, cursor=cursor)
        return Statement.model_validate(answer)

    async def statement_file(self, asker: Asker, merchant_id: UUID, day: date, store_id: UUID | None) -> httpx.Response:
        """The same as a file, to be read piece by piece and closed."""
        store = None if store_id is None else str(store_id)
        return await self.download(
            asker, f"/merchants/{merchant_id}/statement.csv", day=day.isoformat(), store_id=store
        )

    async def stores_of_day(self, asker: Asker, merchant_id: UUID, day: date) -> list[StoreTotals]:
        answer = await self.get(asker, f"/merchants/{merchant_id}/statement/stores", day=day.isoformat())
        return [StoreTotals.model_validate(item) for item in answer["items"]]

    async def payouts(self, asker: Asker, merchant_id: UUID) -> list[Payout]:
        answer = await self.get(asker, f"/merchants/{merchant_id}/payouts")
        return [Payout.model_validate(item) for item in answer["items"]]

    async def preview(self, asker: Asker, merchant_id: UUID) -> Preview:
        return Preview.model_validate(await self.get(asker, f"/merchants/{merchant_id}/preview"))

    async def incidents(
        self, asker: Asker, *, resolved: bool = False, day: date | None = None, cursor: str | None = None
    ) -> Incidents:
        """What is to be looked at, or was: of one day's bill, if it is named."""
        of_day = None if day is None else day.isoformat()
        answer = await self.get(asker, "/admin/incidents", resolved=str(resolved).lower(), day=of_day, cursor=cursor)
        return Incidents.model_validate(answer)

    async def take(self, asker: Asker, incident_id: UUID) -> None:
        await self.put(asker, f"/admin/incidents/{incident_id}/owner", {})

    async def resolve(self, asker: Asker, incident_id: UUID, resolution: str) -> None:
        await self.put(asker, f"/admin/incidents/{incident_id}/resolution", {"resolution": resolution})

    async def bill_days(self, asker: Asker, after: date) -> list[BillDay]:
        """The days after one, up to today, and whether their bills are here."""
        answer = await self.get(asker, "/admin/bills", after=after.isoformat())
        return [BillDay.model_validate(item) for item in answer["items"]]

    async def bill(self, asker: Asker, day: date) -> Bill:
        return Bill.model_validate(await self.get(asker, f"/admin/bills/{day}"))

    async def fetch_bill(self, asker: Asker, day: date) -> None:
        await self.put(asker, f"/admin/bills/{day}", {})

    async def unredeemed(self, asker: Asker, cursor: str | None = None) -> UnredeemedList:
        return UnredeemedList.model_validate(await self.get(asker, "/admin/liabilities", cursor=cursor))

    async def owing(self, asker: Asker, cursor: str | None = None) -> OwingList:
        return OwingList.model_validate(await self.get(asker, "/admin/dunning", cursor=cursor))
