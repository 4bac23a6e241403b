"""Pictures in and out of the browser without an image library: screenshots as grey pixels, codes as a camera's film."""

import struct
import zlib
from pathlib import Path
from typing import Any

import zxingcpp

_CHANNELS = {0: 1, 2: 3, 6: 4}
WIDTH, HEIGHT = 640, 480


def grey_of_png(png: bytes) -> memoryview:
    """A screenshot (8 bits a channel, not interlaced) as rows of grey bytes."""
    width, height, depth, colour = struct.unpack(">IIBB", png[16:26])
    assert depth == 8
    channels = _CHANNELS[colour]
    compressed, position = b"", 8
    while position < len(png):
        (length,) = struct.unpack(">I", png[position : position + 4])
        if png[position + 4 : position + 8] == b"IDAT":
            compressed += png[position + 8 : position + 8 + length]
        position += length + 12
    raw, stride = zlib.decompress(compressed), width * channels
    rows, previous = bytearray(), bytes(stride)
    for y in range(height):
        start = y * (stride + 1)
        previous = _unfiltered(raw[start], raw[start + 1 : start + 1 + stride], previous, channels)
        rows += previous[1::channels] if channels > 1 else previous
    return memoryview(bytes(rows)).cast("B", (height, width))


def _unfiltered(kind: int, line: bytes, above: bytes, step: int) -> bytes:
    """One scan line with its PNG filter undone (PNG specification, section 9)."""
    out = bytearray(line)
    for i in range(len(out)):
        left, up, corner = (out[i - step] if i >= step else 0), above[i], (above[i - step] if i >= step else 0)
        if kind == 1:
            out[i] = (out[i] + left) & 255
        elif kind == 2:
            out[i] = (out[i] + up) & 255
        elif kind == 3:
            out[i] = (out[i] + (left + up) // 2) & 255
        elif kind == 4:
            distances = (abs(up - corner), abs(left - corner), abs(left + up - 2 * corner))
            nearest = distances.index(min(distances))
            out[i] = (out[i] + (left, up, corner)[nearest]) & 255
    return bytes(out)


def codes_in(png: bytes) -> set[str]:
    """The text of every code that can be read from a screenshot."""
    return {found.text for found in zxingcpp.read_barcodes(grey_of_png(png))}


def film_of(text: str, kind: zxingcpp.BarcodeFormat, path: Path) -> None:
    """A code in the middle of a white picture, as uncompressed video for Chromium's fake camera."""
    code: Any = zxingcpp.create_barcode(text, kind).to_image(scale=4)
    height, width = code.shape
    assert width <= WIDTH
    assert height <= HEIGHT
    pixels = bytes(code)
    picture = bytearray(b"\xff" * (WIDTH * HEIGHT))
    left, top = (WIDTH - width) // 2, (HEIGHT - height) // 2
    for y in range(height):
        start = (top + y) * WIDTH + left
        picture[start : start + width] = pixels[y * width : (y + 1) * width]
    frame = b"FRAME\n" + bytes(picture) + b"\x80" * (WIDTH * HEIGHT // 2)
    path.write_bytes(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode() + frame * 3)
