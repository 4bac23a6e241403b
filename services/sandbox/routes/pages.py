"""The sandbox's few HTML pages and the headers that keep them strict."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

_HERE = Path(__file__).resolve().parent.parent
STATIC = _HERE / "static"
_TEMPLATES = Environment(
    loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


def page(template: str, facts: Mapping[str, object], status: int = 200, form_targets: str = "") -> HTMLResponse:
    """A rendered page; `form_targets` are the addresses that a form on it may lead to besides the sandbox itself."""
    allowed = " ".join(["'self'", *_origins(form_targets)])
    csp = f"default-src 'none'; style-src 'self'; img-src 'self'; form-action {allowed}; base-uri 'none'"
    headers = {
        "content-security-policy": f"{csp}; frame-ancestors 'none'",
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
    }
    return HTMLResponse(_TEMPLATES.get_template(template).render(facts), status_code=status, headers=headers)


def error_page(message: str, code: str, status: int = 400) -> HTMLResponse:
    return page("error.html", {"message": message, "code": code}, status)


def _origins(addresses: str) -> list[str]:
    """The origins of space-separated addresses: a form's redirect is checked against form-action too."""
    found: list[str] = []
    for address in addresses.split():
        parts = urlsplit(address)
        if parts.scheme in ("http", "https") and parts.hostname:
            port = f":{parts.port}" if parts.port else ""
            origin = f"{parts.scheme}://{parts.hostname}{port}"
            found += [] if origin in found else [origin]
    return found
