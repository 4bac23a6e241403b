"""Checkout: how many, where to, how to pay, and the order is placed."""

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from services.web.deal_words import Words, fee_of, refund_words
from services.web.formats import Language
from services.web.gateways.catalog.deals import Deal
from services.web.gateways.service import Refused, Silent
from services.web.problems import Problem, silence, told
from services.web.rendering import page
from services.web.routes.deals import Source, token_or_nothing
from services.web.routes.paying import Way, to_cashier
from services.web.texts import Speech
from services.web.visits import Signed, visit_of
from services.web.world import Outside
from shared.contracts.catalog import delivery_fee
from shared.ids import new_id

router = APIRouter(include_in_schema=False)

MOST_UNITS = 10
_ADDRESS_LINES = ("province", "city", "district", "street")


class BuyForm(BaseModel):
    """What the buyer filled in. The order's id and those of its attempts to be paid, one for each way, were minted with
    the page, so sending it twice is safe."""

    model_config = ConfigDict(extra="ignore", str_strip_whitespace=True)

    order_id: UUID
    attempt_id: UUID
    scan_attempt_id: UUID = Field(default_factory=new_id)
    way: Way = "cashier"
    deal_version: Annotated[int, Field(ge=1)]
    quantity: Annotated[int, Field(ge=1, le=MOST_UNITS)] = 1
    source: Annotated[str, AfterValidator(token_or_nothing)] = ""
    mode: Annotated[str, Field(max_length=10)] = ""
    name: Annotated[str, Field(max_length=40)] = ""
    phone: Annotated[str, Field(max_length=20)] = ""
    province: Annotated[str, Field(max_length=120)] = ""
    city: Annotated[str, Field(max_length=120)] = ""
    district: Annotated[str, Field(max_length=120)] = ""
    street: Annotated[str, Field(max_length=120)] = ""
    latitude: Annotated[str, Field(max_length=12)] = ""
    longitude: Annotated[str, Field(max_length=12)] = ""


@router.get("/d/{deal_id}/buy")
async def checkout(request: Request, deal_id: UUID, visit: Signed, world: Outside, source: Source = "") -> Response:
    """How many, where to, how much."""
    deal = await world.services.catalog.deal(visit.asker, deal_id)
    mode = deal.delivery.modes[0] if deal.delivery else ""
    form = BuyForm(order_id=new_id(), attempt_id=new_id(), deal_version=deal.deal_version, source=source, mode=mode)
    return _checkout_page(request, deal, form)


@router.post("/d/{deal_id}/buy")
async def buy(
    request: Request, deal_id: UUID, form: Annotated[BuyForm, Form()], visit: Signed, world: Outside
) -> Response:
    """Place the order and go to pay. A refusal shows the same page again, with what the buyer typed."""
    deal = await world.services.catalog.deal(visit.asker, deal_id)
    wanted, wrong = _order_body(deal, form, visit.language)
    if wrong:
        return _checkout_page(request, deal, form, Problem(wrong))
    try:
        order = await world.services.checkout.place(visit.asker, form.order_id, wanted)
    except Silent as silent:
        return _checkout_page(request, deal, form, silence(silent, visit.language))
    except Refused as refused:
        if refused.status == 401:
            raise
        return _checkout_page(request, deal, _another_try(form, deal, refused), told(refused, visit.language))
    if form.way == "scan":
        # The browser sends the same form on, so that the page with the code has an address of its own.
        return RedirectResponse(f"/orders/{order.order_id}/scan-to-pay", status_code=307)
    try:
        return await to_cashier(request, visit, world, order, form.attempt_id)
    except Silent as silent:
        # What became of it is unknown: the same ids stay in the form, so that sending it again is the same order.
        return _checkout_page(request, deal, form, silence(silent, visit.language))


def _checkout_page(request: Request, deal: Deal, form: BuyForm, problem: Problem | None = None) -> Response:
    language = visit_of(request).language
    fee_fen = fee_of(deal, form.mode, form.quantity)
    most = max(1, min(MOST_UNITS, deal.per_buyer_limit or MOST_UNITS, deal.available))
    facts: dict[str, Any] = {"deal": deal, "form": form, "most": most, "fee_fen": fee_fen, "problem": problem}
    # The fee of each mode before the threshold: the page takes it away once the goods are worth enough.
    facts["fees"] = (
        {mode: delivery_fee(deal.delivery, mode, 0) for mode in deal.delivery.modes} if deal.delivery else {}
    )
    facts |= {"words": Words(deal, language), "refunds": refund_words(deal, language)}
    total_fen = deal.price_fen * form.quantity + fee_fen
    ids = {name: getattr(form, name) for name in ("order_id", "attempt_id", "scan_attempt_id")}
    return page(request, "buy.html", facts | ids, status=409 if problem else 200, total_fen=total_fen)


def _another_try(form: BuyForm, deal: Deal, refused: Refused) -> BuyForm:
    """The form after a refusal. It becomes another order: the old id may already stand for what was refused."""
    version = refused.facts.get("deal_version") if refused.code == "deal_version_changed" else None
    return form.model_copy(update={"order_id": new_id(), "deal_version": int(version or deal.deal_version)})


def _order_body(deal: Deal, form: BuyForm, language: Language) -> tuple[dict[str, Any], str]:
    """What checkout is asked for, or what is wrong with the form in the buyer's language."""
    body: dict[str, Any] = {
        "deal_id": str(deal.deal_id),
        "deal_version": form.deal_version,
        "quantity": form.quantity,
        "delivery": None,
    }
    if form.source:
        body["source"] = form.source
    if deal.delivery is None:
        if form.phone:
            body["phone"] = _e164(form.phone)
        return body, ""
    t = Speech(language)
    point = _point(deal, form)
    if isinstance(point, str):
        return body, t(point)
    lines = {name: getattr(form, name) for name in _ADDRESS_LINES}
    if not all(lines.values()) or not form.name or not form.phone:
        return body, t("buy.check_address")
    address = {"name": form.name, "phone": _e164(form.phone), **lines, "latitude": point[0], "longitude": point[1]}
    body["delivery"] = {"mode": form.mode, "address": address}
    return body, ""


def _point(deal: Deal, form: BuyForm) -> tuple[float, float] | str:
    """GCJ-02 latitude and longitude, or the key of what is wrong.

    Only an instant courier is sent to a point. A parcel and the merchant's own rider go by the written address; there
    the merchant's place stands in for a point that the buyer did not give."""
    if not form.latitude and not form.longitude:
        if form.mode == "INSTANT" or not deal.stores:
            return "buy.locate_first"
        return deal.stores[0].latitude, deal.stores[0].longitude
    try:
        latitude, longitude = float(Decimal(form.latitude)), float(Decimal(form.longitude))
    except InvalidOperation:
        return "buy.check_point"
    inside = -90 <= latitude <= 90 and -180 <= longitude <= 180
    return (latitude, longitude) if inside else "buy.check_point"


def _e164(phone: str) -> str:
    """A mainland number gets its country code; anything else is left for checkout to judge."""
    digits = "".join(character for character in phone if character.isdigit())
    return f"+86{digits}" if len(digits) == 11 and digits.startswith("1") and not phone.startswith("+") else phone
