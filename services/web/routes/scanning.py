"""The counter: scan or type a code, see what it is, redeem it exactly once."""

import asyncio
import secrets
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import zxingcpp
from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import JSONResponse

from services.web.formats import moment
from services.web.gateways.service import Refused, Silent
from services.web.problems import told
from services.web.rendering import asset, page
from services.web.routes.feed import Cursor
from services.web.texts import Speech
from services.web.visits import Signed, Visit
from services.web.world import Outside, World
from shared.errors import Invalid
from shared.ids import new_id

router = APIRouter(include_in_schema=False)

STORE, DEVICE = "store", "device"
_REMEMBER_S = 365 * 86_400
_LONGEST_SIDE = 1_200
_FORMATS = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode, zxingcpp.BarcodeFormat.Code128])


class PictureInvalid(Invalid):
    code = "picture_invalid"
    zh = "图片无法识别"
    en = "The picture cannot be read"


@router.get("/scan")
async def scan(request: Request, visit: Signed, world: Outside) -> Response:
    """Camera, typed code or photo, for one of the stores where the visitor works."""
    facts = {
        "stores": await _stores(visit, world),
        "chosen": request.cookies.get(STORE, ""),
        "decoder": asset("vendor/barcode-detector-3.2.2/ponyfill.js"),
        "wasm": asset("vendor/zxing_reader-3.1.3.wasm"),
    }
    return page(request, "scan.html", facts)


@router.post("/scan/prepare")
async def prepare(
    request: Request,
    visit: Signed,
    world: Outside,
    store_id: Annotated[UUID, Form()],
    scanned: Annotated[str, Form(max_length=600)] = "",
    code: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """What this code is, here and now; nothing happens yet."""
    t = Speech(visit.language)
    visit.set_cookie(STORE, str(store_id), _REMEMBER_S)
    scanned, typed = scanned.strip(), "".join(code.split())
    if not scanned and not typed:
        return _trouble(request, "warn", t("scan.nothing"))
    try:
        found = await world.services.redemption.prepare(
            visit.asker,
            store_id,
            scanned=scanned or None,
            code=typed or None,
            device_id=request.cookies.get(DEVICE),
        )
    except Silent:
        return _trouble(request, "warn", t("scan.not_looked_up"))
    except Refused as refused:
        return _refused(request, visit, refused)
    return page(request, "fragments/prepared.html", found=found, store_id=store_id, redemption_id=new_id())


@router.post("/scan/phone")
async def by_phone(
    request: Request,
    visit: Signed,
    world: Outside,
    store_id: Annotated[UUID, Form()],
    phone: Annotated[str, Form(min_length=5, max_length=20)],
) -> Response:
    """What a customer who says his number has here; to redeem it he shows the code."""
    t = Speech(visit.language)
    visit.set_cookie(STORE, str(store_id), _REMEMBER_S)
    try:
        listed = await world.services.redemption.by_phone(
            visit.asker, store_id, phone.strip(), request.cookies.get(DEVICE)
        )
    except Silent:
        return _trouble(request, "warn", t("scan.not_looked_up"))
    except Refused as refused:
        return _refused(request, visit, refused)
    return page(request, "fragments/by_phone.html", listed=listed)


@router.post("/scan/verify")
async def verify(
    request: Request,
    visit: Signed,
    world: Outside,
    store_id: Annotated[UUID, Form()],
    redemption_id: Annotated[UUID, Form()],
    token: Annotated[str, Form(max_length=4000)],
    unit_ids: Annotated[list[UUID] | None, Form(max_length=10)] = None,
) -> Response:
    """Redeem. The id of the act was minted with the form and stays over every retry."""
    t = Speech(visit.language)
    if not unit_ids:
        return _trouble(request, "warn", t("scan.none_chosen"))
    device_id = request.cookies.get(DEVICE) or secrets.token_hex(8)
    visit.set_cookie(DEVICE, device_id, _REMEMBER_S)
    again: dict[str, object] = {
        "store_id": store_id,
        "redemption_id": redemption_id,
        "token": token,
        "unit_ids": unit_ids,
    }
    try:
        done = await world.services.redemption.verify(visit.asker, redemption_id, store_id, token, unit_ids, device_id)
    except Refused as refused:
        return _refused(request, visit, refused)
    except Silent:
        return await _after_silence(request, visit, world, redemption_id, again)
    return page(request, "fragments/redeemed.html", done=done)


@router.post("/scan/reverse")
async def reverse(
    request: Request,
    visit: Signed,
    world: Outside,
    redemption_id: Annotated[UUID, Form()],
    reversal_id: Annotated[UUID, Form()],
    reason: Annotated[Literal["mistake", "customer", "other"], Form()] = "mistake",
) -> Response:
    """Undo a redemption. The id of the act was minted with the form and stays over every retry."""
    t = Speech(visit.language)
    device_id = request.cookies.get(DEVICE) or secrets.token_hex(8)
    visit.set_cookie(DEVICE, device_id, _REMEMBER_S)
    redemption = world.services.redemption
    try:
        done = await redemption.reverse(
            visit.asker, redemption_id, reversal_id, device_id, Speech("zh")(f"scan.undo_reason.{reason}")
        )
    except Refused as refused:
        if refused.status == 401:
            raise
        problem = told(refused, visit.language)
        return _undone(request, "bad", problem.title, problem.hint)
    except Silent:
        again: dict[str, object] = {"redemption_id": redemption_id, "reversal_id": reversal_id, "reason": reason}
        return _undone(request, "wait", t("scan.undo_unknown"), t("scan.undo_unknown_hint"), again)
    return _undone(request, "good", t("scan.undone", n=len(done.uses)), t("scan.undone_hint"))


def _undone(request: Request, mood: str, title: str, detail: str, again: dict[str, object] | None = None) -> Response:
    return page(request, "fragments/reversed.html", mood=mood, title=title, detail=detail, again=again)


@router.get("/scan/redemptions")
async def redeemed(
    request: Request, visit: Signed, world: Outside, store_id: UUID | None = None, cursor: Cursor = None
) -> Response:
    """What was redeemed in one of the visitor's stores; a mistake can be undone from here as well."""
    stores = await _stores(visit, world)
    known = [one for one, _ in stores]
    wanted = str(store_id) if store_id else request.cookies.get(STORE, "")
    chosen = wanted if wanted in known else (known[0] if known else "")
    found = await world.services.redemption.of_store(visit.asker, UUID(chosen), cursor) if chosen else None
    facts = {"stores": stores, "chosen": chosen, "items": found.items if found else []}
    return page(request, "redeemed.html", facts, next_cursor=found and found.next_cursor)


@router.post("/scan/photo")
async def read_photo(
    request: Request,
    _: Signed,
    width: Annotated[int, Query(ge=16, le=_LONGEST_SIDE)],
    height: Annotated[int, Query(ge=16, le=_LONGEST_SIDE)],
) -> Response:
    """The text of a code in a picture: raw grey pixels, one byte each, row by row. `text` is null if there is none."""
    pixels = await request.body()
    if len(pixels) != width * height:
        raise PictureInvalid
    text = await asyncio.to_thread(_decoded, pixels, width, height)
    return JSONResponse({"text": text})


def _decoded(pixels: bytes, width: int, height: int) -> str | None:
    picture = memoryview(pixels).cast("B", (height, width))
    found = zxingcpp.read_barcodes(picture, formats=_FORMATS)
    return str(found[0].text) if found else None


async def _stores(visit: Visit, world: World) -> list[tuple[str, str]]:
    employers = await world.services.desks.employers(visit.asker)
    return [(str(store.store_id), store.name) for employer in employers for store in employer.stores]


async def _after_silence(
    request: Request, visit: Visit, world: World, redemption_id: UUID, again: dict[str, object]
) -> Response:
    """The answer got lost, the act perhaps not: ask what became of it before anything is offered again."""
    t = Speech(visit.language)
    try:
        done = await world.services.redemption.find(visit.asker, redemption_id)
    except (Refused, Silent):
        return _trouble(request, "wait", t("scan.unknown"), t("scan.unknown_hint"), again)
    if done is None:
        return _trouble(request, "warn", t("scan.not_done"), "", again)
    return page(request, "fragments/redeemed.html", done=done)


def _refused(request: Request, visit: Visit, refused: Refused) -> Response:
    if refused.status == 401:
        raise refused
    problem = told(refused, visit.language)
    detail = problem.hint
    if "used_at" in refused.facts:
        detail = _used_where(visit, refused) or detail
    return _trouble(request, "bad", problem.title, detail)


def _used_where(visit: Visit, refused: Refused) -> str:
    try:
        at = datetime.fromisoformat(str(refused.facts["used_at"]))
    except ValueError:
        return ""
    store = str(refused.facts.get("store_name", ""))
    return Speech(visit.language)("scan.used_at", time=moment(at, visit.language), store=store)


def _trouble(
    request: Request, mood: str, title: str, detail: str = "", again: dict[str, object] | None = None
) -> Response:
    return page(request, "fragments/scan_problem.html", mood=mood, title=title, detail=detail, again=again)
