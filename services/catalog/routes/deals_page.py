"""The deal's page, for everybody."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from services.catalog import use_cases
from services.catalog.domain.deals import (
    BadgeState,
    Booking,
    Category,
    Catering,
    DealItem,
    Hotel,
    Tourism,
    badge_state,
    usability,
)
from services.catalog.domain.stores import Store
from services.catalog.routes.common import IfNoneMatch, body_etag, is_known
from services.catalog.routes.stores import PublicStore, public_store
from services.catalog.store.deal_page import PublishedDeal
from shared.contracts.catalog import CashVoucherTerms, CodeSource, DealForm, DealKind, DeliveryTerms, RefundPolicy
from shared.contracts.use_rules import REASONS, NotUsable, UseRules
from shared.http import Db

router = APIRouter(tags=["deals"])

_USABLE = "Whether what is bought now could be used at once; null for goods, which are delivered"


class DealMerchant(BaseModel):
    merchant_id: UUID
    name: str
    phone: str


class NotUsableView(BaseModel):
    """Why not, as a code and for people."""

    code: NotUsable
    zh: str
    en: str


class DealStore(PublicStore):
    """A store of the deal."""

    usable_now: Annotated[bool | None, Field(description=_USABLE)]
    not_usable: NotUsableView | None


class DealPage(BaseModel):
    """What everybody may see of the approved version. `usable_now` at the top means: in any of the stores."""

    deal_id: UUID
    deal_version: int
    state: BadgeState
    merchant: DealMerchant
    form: DealForm
    kind: DealKind
    category: Category
    title: str
    cover: str
    description: str
    items: tuple[DealItem, ...]
    price_fen: int
    original_price_fen: int
    total_quota: int
    available: int
    sold: int
    per_buyer_limit: int
    sale_from: datetime
    sale_until: datetime
    rules: UseRules
    booking: Booking
    refund_policy: RefundPolicy
    cash: CashVoucherTerms | None
    uses_per_unit: int
    code_source: CodeSource | None
    delivery: DeliveryTerms | None
    catering: Catering | None
    hotel: Hotel | None
    tourism: Tourism | None
    usable_now: Annotated[bool | None, Field(description=_USABLE)]
    stores: list[DealStore]


_SHOWN = ("form", "category", "title", "cover", "description", "items", "price_fen", "original_price_fen",
          "per_buyer_limit", "sale_from", "sale_until", "rules", "booking", "refund_policy", "cash", "uses_per_unit",
          "code_source", "delivery", "catering", "hotel", "tourism")  # fmt: skip


def _page(published: PublishedDeal, stores: list[Store], now: datetime) -> DealPage:
    content = published.content
    shown = _stores(published, stores, now)
    delivered = content.form.kind is DealKind.GOODS
    return DealPage(
        **{name: getattr(content, name) for name in _SHOWN},
        deal_id=published.deal_id,
        deal_version=published.deal_version,
        kind=content.form.kind,
        state=badge_state(published.sale, now),
        merchant=DealMerchant(
            merchant_id=published.merchant_id, name=published.merchant_name, phone=published.merchant_phone
        ),
        total_quota=published.total_quota,
        available=published.sale.available,
        sold=published.sold,
        usable_now=None if delivered else any(one.usable_now for one in shown),
        stores=shown,
    )


def _stores(published: PublishedDeal, stores: list[Store], now: datetime) -> list[DealStore]:
    if published.content.form.kind is DealKind.GOODS:
        return [DealStore(**dict(public_store(one)), usable_now=None, not_usable=None) for one in stores]
    reasons = usability(published.content.rules, published.store_ids, published.open_store_ids, now)
    return [_store(public_store(one), reasons[one.store_id]) for one in stores]


def _store(store: PublicStore, reason: NotUsable | None) -> DealStore:
    not_usable = None
    if reason is not None:
        zh, en = REASONS[reason]
        not_usable = NotUsableView(code=reason, zh=zh, en=en)
    return DealStore(**dict(store), usable_now=reason is None, not_usable=not_usable)


@router.get("/deals/{deal_id}", response_model=DealPage, responses={304: {"description": "Still as `If-None-Match`"}})
async def show_deal(
    deal_id: UUID, db: Db, response: Response, if_none_match: IfNoneMatch = None
) -> DealPage | Response:
    """The deal's page; public. A repeated look quotes the ETag in `If-None-Match` and gets 304 while it is the same."""
    async with db.transaction(read_only=True) as tx:
        published, stores = await use_cases.deal_page(tx, deal_id)
    page = _page(published, stores, tx.now)
    headers = {"ETag": body_etag(page), "Cache-Control": "no-cache"}
    if is_known(headers["ETag"], if_none_match):
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return page
