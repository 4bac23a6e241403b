"""Draws a QR code or a Code128 barcode as an SVG that scales to whatever box it stands in."""

import re
from collections.abc import Iterator

import zxingcpp

BAR_HEIGHT = 40
_DARK = re.compile(rb"\x00+")


def qr_svg(text: str) -> str:
    """A QR code with medium error correction and its quiet zone, one unit per module."""
    return _svg(_modules(text, zxingcpp.BarcodeFormat.QRCode))


def barcode_svg(digits: str) -> str:
    """A Code128 barcode with its quiet zone, one unit per narrow bar."""
    # Every row of a linear symbol is the same, so one tall row says it all.
    return _svg(_modules(digits, zxingcpp.BarcodeFormat.Code128)[:1], BAR_HEIGHT)


def _modules(text: str, symbology: zxingcpp.BarcodeFormat) -> list[bytes]:
    options = {"ec_level": "M"} if symbology is zxingcpp.BarcodeFormat.QRCode else {}
    image = zxingcpp.create_barcode(text, symbology, **options).to_image(scale=1, add_quiet_zones=True)
    height, width = image.shape
    flat = bytes(memoryview(image))  # type: ignore[arg-type]  # an Image is a buffer; its stub does not say so
    return [flat[row * width : (row + 1) * width] for row in range(height)]


def _svg(rows: list[bytes], row_height: int = 1) -> str:
    path = "".join(
        f"M{start} {number * row_height}h{length}v{row_height}h-{length}z"
        for number, row in enumerate(rows)
        for start, length in _dark_runs(row)
    )
    width, height = len(rows[0]), len(rows) * row_height
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{width}v{height}H0z"/><path fill="#000" d="{path}"/></svg>'
    )


def _dark_runs(row: bytes) -> Iterator[tuple[int, int]]:
    for run in _DARK.finditer(row):
        yield run.start(), run.end() - run.start()
