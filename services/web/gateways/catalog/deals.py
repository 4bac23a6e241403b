"""Deals and stores as everybody sees them: what is sold, on which terms, and where it can be used now."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from services.web.gateways.service import View
from shared.contracts.catalog import DeliveryTerms
from shared.contracts.hours import Hours, within
from shared.contracts.use_rules import UseRules

SaleState = Literal["ON_SALE", "SOLD_OUT", "ENDED", "NOT_YET", "OFFLINE"]
Form = Literal["SET", "CASH_VOUCHER", "TIMES_CARD", "GOODS", "THIRD_PARTY_CODE"]
Kind = Literal["VOUCHER", "GOODS"]


def form_of(form: Form | None, kind: Kind) -> Form:
    """The form of a deal; one from before forms existed is a set, or goods."""
    return form or ("GOODS" if kind == "GOODS" else "SET")


class Item(View):
    name: str
    quantity: int = 1
    price_fen: int = 0
    portion: str = ""


class CashTerms(View):
    """A cash voucher's worth, and the smallest bill that takes it (0: any)."""

    face_value_fen: int
    threshold_fen: int = 0


class Booking(View):
    needed: bool = False
    hours_ahead: int = 0
    hint: str = ""


class Catering(View):
    party_min: int | None = None
    party_max: int | None = None
    dine_in_only: bool = False


class Surcharge(View):
    """What a night costs more between two days, both included."""

    from_date: date
    until_date: date
    amount_fen: int
    note: str = ""


class Hotel(View):
    room_type: str = ""
    nights: int = 1
    guests: int | None = None
    breakfasts: int = 0
    check_in_from: str | None = None
    check_out_until: str | None = None
    surcharges: tuple[Surcharge, ...] = ()


class Tourism(View):
    party_min: int | None = None
    party_max: int | None = None
    days: int | None = None
    itinerary: tuple[str, ...] = ()
    includes: str = ""
    excludes: str = ""
    cancellation: str = ""


class Said(View):
    """A stable code, in both languages."""

    code: str
    zh: str = ""
    en: str = ""


class Store(View):
    """A store. For a deal, `usable_now` and `not_usable` say whether what is bought now could be used there now."""

    store_id: UUID
    name: str
    city: str = ""
    address: str = ""
    latitude: float = 0.0
    longitude: float = 0.0
    phone: str = ""
    hours: Hours = ()
    open: bool = True
    usable_now: bool | None = None
    not_usable: Said | None = None

    def serves(self, now: datetime) -> bool:
        """Whether the door is open at this moment; without stated hours an open store counts as serving."""
        return self.open and (not self.hours or within(self.hours, now))


class DealMerchant(View):
    merchant_id: UUID
    name: str
    phone: str = ""


class Deal(View):
    """A deal as published; prices in fen, `available` is what is left now, `per_buyer_limit` 0 is none."""

    deal_id: UUID
    deal_version: int
    state: SaleState
    merchant: DealMerchant
    kind: Kind
    form: Form | None = None
    category: str = "OTHER"
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
    rules: UseRules
    stores: tuple[Store, ...] = ()
    delivery: DeliveryTerms | None = None
    uses_per_unit: int = 1
    cash: CashTerms | None = None
    code_source: str | None = None
    refund_policy: Literal["ANY_TIME", "ON_EXPIRY"] = "ANY_TIME"
    booking: Booking | None = None
    catering: Catering | None = None
    hotel: Hotel | None = None
    tourism: Tourism | None = None

    @property
    def sold_as(self) -> Form:
        return form_of(self.form, self.kind)


class NearestStore(View):
    store_id: UUID
    name: str
    city: str = ""


class DealCard(View):
    """A deal in a list: on a store's page, or in the search with the nearest store where it is used."""

    deal_id: UUID
    title: str
    cover: str = ""
    price_fen: int
    original_price_fen: int
    sold: int = 0
    available: int = 1
    form: Form = "SET"
    cash: CashTerms | None = None
    store: NearestStore | None = None
    distance_m: int | None = None


class StorePage(Store):
    """A store's own page: its facts, its cash vouchers, its other deals, and who holds it (nobody, perhaps)."""

    closed_reason: str | None = None
    merchant: DealMerchant | None = None
    vouchers: tuple[DealCard, ...] = ()
    deals: tuple[DealCard, ...] = ()
    next_cursors: dict[str, str | None] = Field(default_factory=dict)


class FoundStore(Store):
    merchant_name: str = ""
    distance_m: int | None = None


class FoundStores(View):
    items: list[FoundStore]
    next_cursor: str | None = None


class FoundDeals(View):
    items: list[DealCard]
    next_cursor: str | None = None
