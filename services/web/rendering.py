"""How a page is made: one Jinja environment, texts in the visitor's language, assets named by their content."""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import zxingcpp
from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from services.web import formats
from services.web.deal_words import bill_words
from services.web.gateways.catalog.deals import CashTerms
from services.web.hour_words import hours_lines, weekdays
from services.web.texts import Speech
from services.web.vendored import integrity
from services.web.visits import SCAN_CONTENT_POLICY, visit_of
from shared.contracts.hours import WeeklyHours
from shared.ids import new_id

HERE = Path(__file__).resolve().parent
STATIC = HERE / "static"
COVERS = frozenset(path.stem for path in (STATIC / "covers").glob("*.svg"))
_PLAIN_COVER = "table"
_BOTH_LANGUAGES = re.compile(r"(?P<zh>[^·]*[\u4e00-\u9fff][^·]*) · (?P<en>[A-Z][a-z]*(?: [\w,']+){2,}\.?)$", re.ASCII)


def page(
    request: Request, template: str, facts: Mapping[str, Any] | None = None, *, status: int = 200, **more: Any
) -> HTMLResponse:
    """A whole page, or a fragment of one, in the visitor's language. The template sees `facts` and `more`."""
    visit = visit_of(request)
    now = request.app.state.world.clock.now()
    context = {
        "visit": visit,
        "lang": visit.language,
        "t": Speech(visit.language),
        "request": request,
        "now": now,
        "clock_offset_s": round((now - datetime.now(UTC)).total_seconds()),
        "public_url": request.app.state.settings.public_url,
        "development": request.app.state.settings.environment == "development",
        **(facts or {}),
        **more,
    }
    headers = {"content-security-policy": SCAN_CONTENT_POLICY} if template == "scan.html" else None
    return HTMLResponse(_environment().get_template(template).render(context), status_code=status, headers=headers)


def is_fragment(request: Request) -> bool:
    """Whether htmx asks for a piece of a page that is already there."""
    return request.headers.get("hx-request") == "true"


@lru_cache(maxsize=256)
def asset(name: str) -> str:
    """The address of a static file; it changes with the content, so that browsers may keep it for ever."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()
    return f"/static/{name}?v={digest[:12]}"


def cover_url(cover: str) -> str:
    """The address of a deal's picture: our drawing of that name, or the merchant's own picture by https."""
    if cover.startswith("https://"):
        return cover
    return asset(f"covers/{cover if cover in COVERS else _PLAIN_COVER}.svg")


def preview_url(cover: str, public_url: str) -> str:
    """The picture that other sites show beside a shared link, whole address; few of them draw SVG."""
    if cover.startswith("https://"):
        return cover
    return public_url + asset(f"covers/{cover if cover in COVERS else _PLAIN_COVER}.jpg")


def svg_image(svg: str) -> str:
    """An SVG of a service as an image address: as an image it can neither run scripts nor load anything."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def qr_image(text: str) -> str:
    """A QR code of a text as an image address; it scales, and carries the white rim that scanners need."""
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode)
    svg = str(code.to_svg(add_quiet_zones=True))
    head, _, body = svg[svg.index("<svg") :].partition(">")
    width, height = (head.split(f'{side}="')[1].split('"')[0] for side in ("width", "height"))
    return svg_image(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">{body}')


@pass_context
def _bill(context: Context, cash: CashTerms) -> str:
    return bill_words(cash, context["lang"])


@pass_context
def _count(context: Context, number: int) -> str:
    return formats.count(number, context["lang"])


@pass_context
def _distance(context: Context, metres: int) -> str:
    return formats.distance(metres, context["lang"])


@pass_context
def _hours(context: Context, hours: Sequence[WeeklyHours]) -> list[str]:
    return hours_lines(hours, context["lang"])


@pass_context
def _weekday(context: Context, day: int) -> str:
    return weekdays([day], context["lang"])


@pass_context
def _moment(context: Context, at: datetime) -> str:
    return formats.moment(at, context["lang"])


@pass_context
def _ago(context: Context, at: datetime) -> str:
    return formats.ago(at, context["now"], context["lang"])


@pass_context
def _discount(context: Context, deal: Any) -> str:
    return formats.discount(deal.price_fen, deal.original_price_fen, context["lang"])


@pass_context
def _left(context: Context, until: datetime) -> str:
    return formats.duration(int((until - context["now"]).total_seconds()), context["lang"])


@pass_context
def _own(context: Context, said: Any, name: str = "text_") -> str:
    """The text of something that a service said in both languages (`text_zh`, `text_en`)."""
    return str(getattr(said, f"{name}{context['lang']}", None) or getattr(said, f"{name}zh", None) or "")


@pass_context
def _half(context: Context, said: str) -> str:
    """What a service wrote by itself stands as `中文 · English`: the visitor's half; what people wrote stays whole."""
    both = _BOTH_LANGUAGES.match(said)
    return both[context["lang"]] if both else said


def _price_parts(amount_fen: int) -> Markup:
    """A big price: the sign smaller than the digits."""
    return Markup('<span class="price"><small>¥</small>{}</span>').format(formats.price(amount_fen)[1:])


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"asset": asset, "integrity": integrity, "new_id": new_id, "covers": sorted(COVERS)}
    filters: Mapping[str, Any] = {
        "price": formats.price,
        "short_price": formats.short_price,
        "big_price": _price_parts,
        "distance": _distance,
        "hours": _hours,
        "weekday": _weekday,
        "qr": qr_image,
        "bill": _bill,
        "count": _count,
        "moment": _moment,
        "clock_time": formats.clock_time,
        "day": formats.day,
        "last_day": formats.last_day,
        "ago": _ago,
        "discount": _discount,
        "left": _left,
        "code_groups": formats.code_groups,
        "cover": cover_url,
        "preview": preview_url,
        "svg_image": svg_image,
        "own": _own,
        "half": _half,
    }
    environment.filters.update(filters)
    return environment
