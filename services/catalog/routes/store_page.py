"""A store's public page, and the deal cards that search shows too."""

from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from services.catalog import use_cases
from services.catalog.domain.deals import BadgeState
from services.catalog.domain.store_page import DealCard, Part
from services.catalog.routes.stores import PublicStore, public_fields
from services.catalog.use_cases import StorePage
from shared.contracts.catalog import CashVoucherTerms, DealForm
from shared.http import Db
from shared.paging import Cursor, Limit

router = APIRouter(tags=["stores"])


class DealCardView(BaseModel):
    """A deal that can be bought now."""

    deal_id: UUID
    title: str
    cover: str
    price_fen: int
    original_price_fen: int
    form: DealForm
    cash: CashVoucherTerms | None
    sold: int
    available: int
    state: BadgeState


class HolderView(BaseModel):
    """Whom to phone."""

    merchant_id: UUID
    name: str
    phone: str


class StoreCursors(BaseModel):
    """Where each part goes on; null: it ends here, or was not asked for."""

    vouchers: str | None
    deals: str | None


class StorePageView(PublicStore):
    """`open_now` is null when nobody has said the hours; `merchant` when nobody holds the store. Cash vouchers stand
    apart from the other deals; of another `part` than the one that was asked for, nothing is shown."""

    open_now: bool | None
    closed_reason: str | None
    merchant: HolderView | None
    vouchers: list[DealCardView]
    deals: list[DealCardView]
    next_cursors: StoreCursors


def card_fields(card: DealCard) -> dict[str, object]:
    """A card's fields by name; only what can be bought becomes a card."""
    shown = DealCardView.model_fields.keys() - {"state"}
    return {**{name: getattr(card, name) for name in shown}, "state": BadgeState.ON_SALE}


def _page(page: StorePage) -> StorePageView:
    holder = page.holder
    merchant = (
        HolderView(merchant_id=holder.merchant_id, name=holder.name, phone=holder.phone) if holder is not None else None
    )
    return StorePageView(
        **public_fields(page.store),
        open_now=page.open_now,
        closed_reason=page.store.closed_reason,
        merchant=merchant,
        vouchers=[DealCardView.model_validate(card_fields(card)) for card in page.vouchers.items],
        deals=[DealCardView.model_validate(card_fields(card)) for card in page.deals.items],
        next_cursors=StoreCursors(vouchers=page.vouchers.next_cursor, deals=page.deals.next_cursor),
    )


@router.get("/stores/{store_id}")
async def show_store(
    store_id: UUID, db: Db, part: Part | None = None, cursor: Cursor = None, limit: Limit = 50
) -> StorePageView:
    """The store's page: hours, phone, cash vouchers and other deals, or only one `part`, which a
    cursor continues; public."""
    async with db.transaction(read_only=True) as tx:
        page = await use_cases.store_page(tx, store_id, part, cursor, limit)
    return _page(page)
