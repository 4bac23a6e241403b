"""The browser code of others that is shipped here: exact version, SHA-384, source. A test compares every file."""

from typing import NamedTuple


class Vendored(NamedTuple):
    package: str
    version: str
    licence: str
    sha384: str


VENDORED = {
    "vendor/htmx-2.0.11.min.js": Vendored(
        "htmx.org", "2.0.11", "0BSD", "2OatzQy1H+Zd/IIrjr1TcuDGqLXeHhbooAyJY1KdQMKnr4LZ22k31GBLdYKHmVjg"
    ),
    "vendor/barcode-detector-3.2.2/ponyfill.js": Vendored(
        "barcode-detector", "3.2.2", "MIT", "YvlH5CCSKN80Lcca5PXo2kJMZAhFbiz0x2H8Kr3EjLmuX80gsnnmBXfOS1uhipIz"
    ),
    "vendor/barcode-detector-3.2.2/zxing-exported.js": Vendored(
        "barcode-detector", "3.2.2", "MIT", "WvCcMugKa7i+7LLb9vtw5cIYVdNANvesy7DC9PINCt8EWjxmGdu78W2FalCT8Wa2"
    ),
    "vendor/zxing_reader-3.1.3.wasm": Vendored(
        "zxing-wasm", "3.1.3", "MIT and Apache-2.0", "4c0+K1LogSxdyQhn8Wj+klI42XXDXHni8PadrbzO2PIk64mtdMfOc1yqP69zw/k6"
    ),
}


def integrity(name: str) -> str:
    """The `integrity` attribute of a vendored script."""
    return f"sha384-{VENDORED[name].sha384}"
