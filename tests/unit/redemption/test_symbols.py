"""The drawn symbols say, to an independent reader of pictures, what they should."""

import re
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import zxingcpp

from services.redemption.domain.codes import Codes
from shared.sealed import Seals
from shared.symbols import barcode_svg, qr_svg

PIXELS = 4


def rendered(svg: str) -> memoryview:
    """The SVG as a grey picture, drawn from its own numbers at four pixels a unit."""
    box = re.search(r'viewBox="0 0 (\d+) (\d+)"', svg)
    assert box is not None
    width, height = (int(number) * PIXELS for number in box.groups())
    picture = bytearray(b"\xff" * (width * height))
    dark = svg.partition('fill="#000"')[2]
    for x, y, run, tall in (map(int, found) for found in re.findall(r"M(\d+) (\d+)h(\d+)v(\d+)", dark)):
        for row in range(y * PIXELS, (y + tall) * PIXELS):
            start = row * width + x * PIXELS
            picture[start : start + run * PIXELS] = bytes(run * PIXELS)
    return memoryview(picture).cast("B", (height, width))


def decoded(svg: str) -> tuple[str, zxingcpp.BarcodeFormat]:
    (found,) = zxingcpp.read_barcodes(rendered(svg))
    return found.text, found.format


def test_a_rendered_qr_code_decodes_to_its_token() -> None:
    seals = Seals({"redemption": {"k1": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}})
    token, _ = Codes(seals).qr_token(uuid4(), datetime.now(UTC))
    assert decoded(qr_svg(token)) == (token, zxingcpp.BarcodeFormat.QRCode)


def test_a_rendered_barcode_decodes_to_its_digits() -> None:
    assert decoded(barcode_svg("037146205519")) == ("037146205519", zxingcpp.BarcodeFormat.Code128)


@pytest.mark.parametrize("svg", [qr_svg("GB1:ABC"), barcode_svg("837146205519")])
def test_a_symbol_scales_and_can_stand_in_a_page(svg: str) -> None:
    opening = svg.partition(">")[0]
    assert opening.startswith("<svg ")
    assert "viewBox=" in opening
    assert " width=" not in opening
    assert " id=" not in svg
    assert "style=" not in svg


def test_the_qr_code_of_a_token_stays_small() -> None:
    svg = qr_svg("GB1:" + "A" * 48)
    box = re.search(r'viewBox="0 0 (\d+)', svg)
    assert box is not None
    # Version 3 is 29 modules wide, and the quiet zone is four on each side.
    assert int(box[1]) == 29 + 8
