"""What can be measured about the look: contrast, vendored code, and that nothing comes from elsewhere."""

import base64
import hashlib
import re
from pathlib import Path

import pytest

from services.web.rendering import COVERS, HERE, STATIC
from services.web.vendored import VENDORED

CSS = (STATIC / "app.css").read_text()
TOKENS = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", CSS))
TEXT_PAIRS = [
    ("ink", "paper"), ("ink", "ground"), ("quiet", "paper"), ("quiet", "ground"), ("quiet", "grey-soft"),
    ("red", "paper"), ("red", "red-soft"), ("blue", "paper"), ("blue", "blue-soft"), ("green", "paper"),
    ("green", "green-soft"), ("orange", "paper"), ("orange", "orange-soft"), ("on-hot", "hot-a"), ("on-hot", "hot-b"),
    ("on-night", "night"), ("on-night-quiet", "night"), ("quiet", "orange-soft"), ("ink", "orange-soft"),
]  # fmt: skip


def _luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("text", "ground"), TEXT_PAIRS)
def test_text_stands_out_from_its_ground(text: str, ground: str) -> None:
    assert _contrast(TOKENS[text], TOKENS[ground]) >= 4.5


@pytest.mark.parametrize("name", sorted(VENDORED))
def test_vendored_code_is_exactly_what_was_taken(name: str) -> None:
    digest = hashlib.sha384((STATIC / name).read_bytes()).digest()
    assert base64.b64encode(digest).decode() == VENDORED[name].sha384


def test_everything_vendored_is_pinned() -> None:
    shipped = {f"vendor/{path.relative_to(STATIC / 'vendor')}" for path in (STATIC / "vendor").rglob("*.*")}
    assert {name for name in shipped if name.endswith((".js", ".wasm"))} == VENDORED.keys()


def test_no_page_loads_anything_from_another_site() -> None:
    for path in HERE.rglob("*.html"):
        assert not re.search(r"""(src|href|action)=["'](https?:)?//""", path.read_text()), path.name


def test_no_page_has_inline_styles_or_scripts() -> None:
    for path in HERE.rglob("*.html"):
        text = path.read_text()
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", text), path.name


def test_drawn_covers_are_pictures_without_scripts() -> None:
    assert {"hotpot", "fruit", "hotel", "teahouse", "table"} <= COVERS
    for name in COVERS:
        drawing = (STATIC / "covers" / f"{name}.svg").read_text()
        assert "<script" not in drawing
        assert "href" not in drawing
        assert (STATIC / "covers" / f"{name}.jpg").read_bytes().startswith(b"\xff\xd8"), "link previews draw no SVG"


@pytest.mark.parametrize("sheet", sorted(STATIC.glob("*.css")), ids=lambda sheet: sheet.name)
def test_every_style_sheet_is_small_and_takes_its_tokens_from_the_first(sheet: Path) -> None:
    text = sheet.read_text()
    assert len(text.splitlines()) <= 300
    used = set(re.findall(r"var\(--([\w-]+)\)", text))
    assert used <= set(re.findall(r"--([\w-]+):", CSS))
    assert (sheet.name == "app.css") == (":root" in text)


def test_movement_stops_for_whoever_wants_none() -> None:
    assert "prefers-reduced-motion" in CSS
