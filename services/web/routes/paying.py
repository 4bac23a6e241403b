"""Ways to pay an order: Alipay's cashier on this device, a code for another phone, and the page that waits."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from services.web.devices import is_phone
from services.web.gateways.checkout import Channel, Order, Payment
from services.web.gateways.service import Refused, Silent
from services.web.problems import Problem, told
from services.web.rendering import is_fragment, page
from services.web.texts import Speech
from services.web.visits import Signed, Visit
from services.web.world import Outside, World
from shared.ids import new_id

router = APIRouter(include_in_schema=False)

Way = Literal["cashier", "scan"]
Asked = Annotated[int, Query(ge=0, le=1000)]

_ASKED_AT_MOST = 30
# Every three seconds for two minutes, then every six: the quarter of an hour in which an order can be paid.
_SCAN_ASKED_AT_MOST = 170
# Each of these asks Alipay, with a second more between them every time: a little over a minute in all.
_CODE_ASKED_AT_MOST = 10
# Refusals after which the same order can still be paid, in another way or a moment later.
_ANOTHER_TRY_HELPS = frozenset({"payment_not_offered", "previous_payment_open", "id_taken"})


@dataclass(frozen=True, slots=True)
class Stop:
    """Why there is no code to scan, and whether the order can be paid otherwise."""

    problem: Problem
    another_try_helps: bool


@router.post("/orders/{order_id}/pay")
async def pay(
    request: Request, order_id: UUID, attempt_id: Annotated[UUID, Form()], visit: Signed, world: Outside
) -> Response:
    """Pay an order that was placed before."""
    order = await world.services.checkout.order(visit.asker, order_id)
    return await to_cashier(request, visit, world, order, attempt_id)


@router.get("/orders/{order_id}/scan-to-pay")
async def choose(request: Request, order_id: UUID, visit: Signed, world: Outside) -> Response:
    """The ways to pay, each with a new attempt's id; nothing is opened before a button is pressed."""
    order = await world.services.checkout.order(visit.asker, order_id)
    if order.state != "PLACED":
        return _to_result(request, order_id)
    return _ways_to_pay(request, order, first="scan")


@router.post("/orders/{order_id}/scan-to-pay")
async def scan_to_pay(
    request: Request, order_id: UUID, scan_attempt_id: Annotated[UUID, Form()], visit: Signed, world: Outside,
    asked: Asked = 0,
) -> Response:  # fmt: skip
    """The code for another phone. The attempt's id came with the form, so asking again asks for the same code; htmx
    does so while the code is not there, and gets the piece of the page."""
    order = await _order_or_nothing(visit, world, order_id)
    if order is not None and order.state != "PLACED":
        return _to_result(request, order_id)
    found = await _code(visit, world, order_id, scan_attempt_id)
    if isinstance(found, Stop):
        return _ways_to_pay(request, order, first="cashier", stop=found, order_id=order_id)
    if found is not None and found.state == "PAID":
        return _to_result(request, order_id)
    facts = {
        "order": order,
        "order_id": order_id,
        "code": found if found and found.qr_svg else None,
        "asks": asked < _CODE_ASKED_AT_MOST,
        "asked": asked,
        "scan_attempt_id": scan_attempt_id,
    }
    return _paying(request, "scan_to_pay", facts | _waiting(0), attempt_id=new_id())


@router.get("/orders/{order_id}/scan-to-pay/status")
async def scan_status(
    request: Request, order_id: UUID, visit: Signed, world: Outside, asked: Asked = 0
) -> Response:  # fmt: skip
    """Whether the other phone has paid: as soon as the order knows, the browser goes on to the result."""
    order = await _order_or_nothing(visit, world, order_id)
    if order is not None and order.state != "PLACED":
        return _to_result(request, order_id)
    return page(request, "fragments/scan_status.html", _waiting(asked), order_id=order_id)


@router.get("/orders/{order_id}/result")
async def result(request: Request, order_id: UUID, visit: Signed, world: Outside) -> Response:
    """Back from the cashier. That somebody came back proves nothing, so the order is asked until it knows."""
    return await _payment(request, order_id, visit, world, asked=0, template="result.html")


@router.get("/orders/{order_id}/result/status")
async def result_status(
    request: Request, order_id: UUID, visit: Signed, world: Outside, asked: Asked = 0
) -> Response:  # fmt: skip
    """The same, as the piece of the page that asks again every two seconds for a minute."""
    return await _payment(request, order_id, visit, world, asked=asked, template="fragments/payment.html")


async def to_cashier(request: Request, visit: Visit, world: World, order: Order, attempt_id: UUID) -> Response:
    """On to Alipay's cashier for this device; where it is not offered, to the other ways."""
    try:
        payment = await world.services.checkout.pay(visit.asker, order.order_id, attempt_id, _cashier_for(request))
    except Refused as refused:
        return _ways_to_pay(request, order, first="scan", stop=_stop(visit, refused))
    if payment.pay_url is None:
        return _to_result(request, order.order_id)
    return page(request, "going.html", pay_url=payment.pay_url, order_id=order.order_id)


def _cashier_for(request: Request) -> Channel:
    phone = is_phone(request.headers.get("user-agent", ""), request.headers.get("sec-ch-ua-mobile", ""))
    return "ALIPAY_WAP" if phone else "ALIPAY_PAGE"


async def _code(visit: Visit, world: World, order_id: UUID, attempt_id: UUID) -> Payment | Stop | None:
    """The attempt to pay by a code, perhaps without one yet; None while checkout is silent, which is no answer."""
    try:
        payment = await world.services.checkout.pay(visit.asker, order_id, attempt_id, "ALIPAY_QR")
    except Silent:
        return None
    except Refused as refused:
        return _stop(visit, refused)
    late = payment.expires_at is not None and payment.expires_at <= world.clock.now()
    if payment.state in {"CLOSING", "CLOSED"} or (late and payment.state == "OPEN"):
        # Another way was opened meanwhile, Alipay offers none, or the time is over: this code will take no money.
        t = Speech(visit.language)
        return Stop(Problem(t("pay.code_over"), t("pay.code_over_hint")), another_try_helps=True)
    return payment


def _stop(visit: Visit, refused: Refused) -> Stop:
    """What the buyer is told, beside the ways that are left. Raises what is no matter of paying."""
    if refused.status in (401, 404):
        raise refused
    return Stop(told(refused, visit.language), refused.code in _ANOTHER_TRY_HELPS)


def _ways_to_pay(
    request: Request, order: Order | None, *, first: Way, stop: Stop | None = None, order_id: UUID | None = None
) -> Response:
    """Every way, `first` the one that is recommended. Each has a new attempt: the old one may be over."""
    facts: dict[str, Any] = {
        "order": order,
        "order_id": order.order_id if order else order_id,
        "ways": sorted(("cashier", "scan"), key=lambda way: way != first),
        "problem": stop.problem if stop else None,
        "payable": stop is None or stop.another_try_helps,
    }
    status = 409 if stop and not is_fragment(request) else 200
    return _paying(request, "ways_to_pay", facts, status=status, attempt_id=new_id(), scan_attempt_id=new_id())


def _paying(request: Request, piece: str, facts: dict[str, Any], *, status: int = 200, **more: Any) -> Response:
    """A page around this piece, or the piece alone where htmx asks."""
    template = f"fragments/{piece}.html" if is_fragment(request) else "pay.html"
    return page(request, template, facts | {"piece": f"fragments/{piece}.html"}, status=status, **more)


def _to_result(request: Request, order_id: UUID) -> Response:
    where = f"/orders/{order_id}/result"
    if is_fragment(request):
        return Response(status_code=204, headers={"hx-redirect": where})
    return RedirectResponse(where, status_code=303)


def _waiting(asked: int) -> dict[str, Any]:
    return {"seen": asked, "waits": asked < _SCAN_ASKED_AT_MOST}


async def _order_or_nothing(visit: Visit, world: World, order_id: UUID) -> Order | None:
    try:
        return await world.services.checkout.order(visit.asker, order_id)
    except Silent:
        return None


async def _payment(
    request: Request, order_id: UUID, visit: Visit, world: World, *, asked: int, template: str
) -> Response:
    order = await _order_or_nothing(visit, world, order_id)
    if order is not None and order.state != "PLACED":
        outcome = "closed" if order.state == "CLOSED" else "paid"
    else:
        outcome = "asking" if asked < _ASKED_AT_MOST else "unsure"
    facts = {"order": order, "order_id": order_id, "outcome": outcome, "asks": outcome == "asking", "asked": asked}
    return page(request, template, facts, attempt_id=new_id())
