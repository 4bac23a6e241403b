"""Catalog as the pages see it: videos, deals, merchants, and what waits for the operator."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from services.web.gateways.service import Asker, Service, View

SaleState = Literal["ON_SALE", "SOLD_OUT", "ENDED", "NOT_YET", "OFFLINE"]


class Badge(View):
    """The deal that hangs on a video: 团购 icon, name, price."""

    deal_id: UUID
    title: str
    price_fen: int
    original_price_fen: int
    sold: int = 0
    available: int = 0
    state: SaleState = "ON_SALE"


class VideoCard(View):
    video_id: UUID
    merchant_id: UUID
    author: str
    verified: bool = False
    caption: str = ""
    cover: str = ""
    city: str = ""
    likes: int = 0
    comment_count: int = 0
    badge: Badge | None = None


class Comment(View):
    author: str
    text: str
    place: str = ""
    at: datetime


class Video(VideoCard):
    comments: tuple[Comment, ...] = ()


class Feed(View):
    items: list[VideoCard]
    next_cursor: str | None = None


class Item(View):
    name: str
    quantity: int = 1
    price_fen: int = 0


class Rules(View):
    use_from: datetime | None = None
    use_until: datetime | None = None
    valid_days: int | None = None
    blackout_dates: tuple[date, ...] = ()


class Store(View):
    store_id: UUID
    name: str
    city: str = ""
    address: str = ""
    latitude: float = 0.0
    longitude: float = 0.0
    phone: str = ""
    hours: str = ""
    open: bool = True


class DeliveryTerms(View):
    modes: list[Literal["SELF", "INSTANT", "COURIER"]]
    fee_fen: int = 0


class DealMerchant(View):
    merchant_id: UUID
    name: str
    phone: str = ""


class Deal(View):
    """A deal as published; prices in fen, `available` is what is left now."""

    deal_id: UUID
    deal_version: int
    state: SaleState
    merchant: DealMerchant
    kind: Literal["VOUCHER", "GOODS"]
    title: str
    cover: str = ""
    description: str = ""
    items: tuple[Item, ...] = ()
    price_fen: int
    original_price_fen: int
    total_quota: int
    available: int
    sold: int
    per_buyer_limit: int
    sale_from: datetime
    sale_until: datetime
    rules: Rules
    stores: tuple[Store, ...] = ()
    delivery: DeliveryTerms | None = None


class StaffStore(View):
    store_id: UUID
    name: str


class Employer(View):
    """A merchant that the visitor works for, with the stores that are theirs."""

    merchant_id: UUID
    name: str
    role: str
    stores: tuple[StaffStore, ...] = ()


class Step(View):
    step: str
    state: Literal["DONE", "OPEN", "REFUSED"]
    reason_zh: str | None = None
    reason_en: str | None = None


class PayoutAccount(View):
    state: str
    kind: str = ""
    masked_account: str = ""


class Merchant(View):
    merchant_id: UUID
    name: str
    phone: str = ""
    state: str = ""
    payout_account: PayoutAccount | None = None
    checklist: tuple[Step, ...] = ()


class Queue(View):
    """What waits for the operator, each kind as catalog describes it."""

    merchants: tuple[dict[str, Any], ...] = ()
    payout_accounts: tuple[dict[str, Any], ...] = ()
    stores: tuple[dict[str, Any], ...] = ()
    deals: tuple[dict[str, Any], ...] = ()


class Catalog(Service):
    async def feed(self, asker: Asker, *, city: str | None = None, cursor: str | None = None, limit: int = 8) -> Feed:
        return Feed.model_validate(await self.get(asker, "/feed", city=city, cursor=cursor, limit=limit))

    async def video(self, asker: Asker, video_id: UUID) -> Video:
        return Video.model_validate(await self.get(asker, f"/videos/{video_id}"))

    async def deal(self, asker: Asker, deal_id: UUID) -> Deal:
        return Deal.model_validate(await self.get(asker, f"/deals/{deal_id}"))

    async def employers(self, asker: Asker) -> list[Employer]:
        answer = await self.get(asker, "/me/merchants")
        return [Employer.model_validate(item) for item in answer["items"]]

    async def merchant(self, asker: Asker, merchant_id: UUID) -> Merchant:
        return Merchant.model_validate(await self.get(asker, f"/merchants/{merchant_id}"))

    async def queue(self, asker: Asker) -> Queue:
        return Queue.model_validate(await self.get(asker, "/operator/queue"))

    async def decide(self, asker: Asker, path: str, decision: dict[str, Any], seen: int | None) -> None:
        """Approve or refuse what waits at `path`, as the operator saw it."""
        await self.put(asker, path, decision, seen=seen)
