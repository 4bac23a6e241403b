"""Which texts are codes of a third party, which two are the same, and who may be called for them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from services.redemption.domain import signing
from services.redemption.domain.codes import masked
from services.redemption.domain.third_party import fits_code128, read_code, repeated
from services.redemption.gateways.addresses import AddressRefused, address_of, check_url
from services.sandbox.domain import issuer as sandbox
from shared.symbols import barcode_svg

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SECRET = "the merchant's own secret, long enough"
BODY = '{"code":"火锅-7"}'.encode()


@pytest.mark.parametrize("other", ["ab-12 cd", "AB12CD", "ＡＢ－１２ cd", " ab 12\u3000cd "])
def test_codes_that_nobody_could_tell_apart_at_a_counter_are_the_same(other: str) -> None:
    one, two = read_code("AB12-CD"), read_code(other)
    assert one is not None
    assert two is not None
    assert one.same_as == two.same_as
    assert two.text == other.strip()
    assert repeated([one, two]) == ["AB12-CD"]


@pytest.mark.parametrize("text", ["", " ", "-", "\u3000- ", "a\tb", "a\u200bb", "\ud83d", "x" * 65])
def test_what_cannot_be_printed_or_is_too_long_is_no_code(text: str) -> None:
    assert read_code(text) is None


def test_a_letter_more_is_another_code_and_64_characters_are_one() -> None:
    one, two = read_code("A1"), read_code("A11")
    assert one is not None
    assert two is not None
    assert repeated([one, two]) == []
    assert read_code("券" * 64) is not None


@pytest.mark.parametrize(
    ("text", "is_ours"), [("8371 4620 5519", True), ("837146205519x", False), ("83714620551", False)]
)
def test_only_twelve_digits_may_be_one_of_ours(text: str, *, is_ours: bool) -> None:
    code = read_code(text)
    assert code is not None
    assert code.looks_like_ours is is_ours


@pytest.mark.parametrize("text", ["AB-12 cd", "~!@#", "x" * 64])
def test_code128_holds_whatever_is_ascii(text: str) -> None:
    assert fits_code128(text)
    assert barcode_svg(text).startswith("<svg")
    assert not fits_code128(f"{text}é")


@pytest.mark.parametrize(
    ("code", "shown"), [("837146205519", "********5519"), ("A1B2C3", "****C3"), ("A1", "**"), ("ABC", "**C")]
)
def test_a_masked_code_never_says_more_than_a_third(code: str, shown: str) -> None:
    assert masked(code) == shown


def test_a_signature_holds_for_its_path_body_and_five_minutes_and_is_what_the_sandbox_writes() -> None:
    headers = signing.signed_headers(SECRET, "/codes", BODY, NOW)
    timestamp, signature = headers[signing.TIMESTAMP_HEADER], headers[signing.SIGNATURE_HEADER]
    assert signature == sandbox.sign(SECRET, timestamp, "/codes", BODY)
    assert sandbox.holds(SECRET, timestamp, "/codes", BODY, signature, NOW.timestamp())

    def holds(
        secret: str = SECRET, path: str = "/codes", body: bytes = BODY, at: str = timestamp, late_s: int = 0
    ) -> bool:
        return signing.is_signed(secret, path, body, at, signature, NOW + timedelta(seconds=late_s))

    assert holds()
    assert holds(late_s=300)
    assert not holds(late_s=301)
    assert not holds(late_s=-301)
    assert not holds(secret=SECRET + "!")
    assert not holds(path="/other")
    assert not holds(body=BODY + b" ")
    assert not holds(at=str(int(timestamp) + 1))
    assert not holds(at="٣")
    assert not holds(at="")


@pytest.mark.parametrize(
    ("url", "in_development", "in_production"),
    [
        ("https://codes.example.com/issue", True, True),
        ("https://codes.example.com:8443/issue?shop=7", True, True),
        ("https://8.8.8.8/", True, True),
        ("http://codes.example.com/", False, False),
        ("http://127.0.0.1:8006/issuer/x", True, False),
        ("http://localhost:8006/issuer/x", True, False),
        ("https://127.0.0.1/", True, False),
        ("https://[::1]/", True, False),
        ("https://10.1.2.3/", False, False),
        ("https://192.168.0.9/", False, False),
        ("https://100.64.0.1/", False, False),
        ("https://169.254.169.254/", False, False),
        ("https://[fe80::1]/", False, False),
        ("https://[::ffff:10.0.0.1]/", False, False),
        ("https://[2002:7f00:1::]/", False, False),
        ("https://0.0.0.0/", False, False),
        ("https://[64:ff9b::a00:1]/", False, False),
        ("https://[fec0::1]/", False, False),
        ("https://name@codes.example.com/", False, False),
        ("file:///etc/passwd", False, False),
        ("https:///path", False, False),
        ("", False, False),
    ],
)
def test_only_public_https_is_called_and_loopback_where_developers_work(
    url: str, *, in_development: bool, in_production: bool
) -> None:
    for allowed, allow_loopback in ((in_development, True), (in_production, False)):
        try:
            check_url(url, allow_loopback=allow_loopback)
        except AddressRefused:
            assert not allowed
        else:
            assert allowed


@pytest.mark.parametrize(
    ("host", "addresses", "called"),
    [
        ("codes.example.com", ["93.184.216.34"], "93.184.216.34"),
        ("codes.example.com", ["93.184.216.34", "10.0.0.1"], None),
        ("codes.example.com", ["127.0.0.1"], None),
        ("codes.example.com", ["::1"], None),
        ("codes.example.com", [], None),
        ("localhost", ["127.0.0.1"], "127.0.0.1"),
        ("localhost", ["10.0.0.1"], None),
    ],
)
async def test_a_name_that_leads_into_our_own_house_is_not_called(
    host: str, addresses: list[str], called: str | None
) -> None:
    async def resolver(_: str, __: int) -> Sequence[str]:
        return addresses

    url = httpx.URL(f"https://{host}/")
    if called is None:
        with pytest.raises(AddressRefused):
            await address_of(url, allow_loopback=True, resolver=resolver)
    else:
        assert await address_of(url, allow_loopback=True, resolver=resolver) == called
