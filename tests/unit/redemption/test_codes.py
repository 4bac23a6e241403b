"""Codes, QR tokens and tokens for verify."""

import base64
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from services.redemption.domain.codes import Codes, Prepared, masked, normalised
from services.redemption.domain.refusals import CodeUnknown, PreparationExpired, PreparationMismatch, QrExpired
from shared.sealed import Seals

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
KEY = base64.b64encode(bytes(range(32))).decode()
OTHER_KEY = base64.b64encode(bytes(range(1, 33))).decode()


def make_codes(key: str = KEY) -> Codes:
    return Codes(Seals({"redemption": {"k1": key}}))


@pytest.mark.parametrize("typed", ["837146205519", "8371 4620 5519", " 8371-4620-5519\n"])
def test_a_code_is_read_however_people_space_it(typed: str) -> None:
    assert normalised(typed) == "837146205519"


@pytest.mark.parametrize(
    "typed", ["", "83714620551", "8371462055190", "83714620551x", "GB1:ABC", "８３７１４６２０５５１９"]
)
def test_what_is_not_twelve_digits_is_no_code(typed: str) -> None:
    assert normalised(typed) is None


def test_a_masked_code_shows_its_last_four_digits() -> None:
    assert masked("837146205519") == "********5519"


def test_a_sealed_code_opens_and_its_lookup_reveals_nothing() -> None:
    codes = make_codes()
    sealed = codes.seal("837146205519")
    assert codes.open(sealed) == "837146205519"
    assert "837146205519" not in sealed
    assert codes.lookup("837146205519") != make_codes(OTHER_KEY).lookup("837146205519")


def test_a_qr_token_names_its_unit_for_sixty_seconds() -> None:
    codes, unit_id = make_codes(), uuid4()
    token, expires_at = codes.qr_token(unit_id, NOW)
    assert expires_at == NOW + timedelta(seconds=60)
    assert codes.read_qr(token, expires_at - timedelta(milliseconds=1)) == unit_id
    with pytest.raises(QrExpired):
        codes.read_qr(token, expires_at)


def test_a_qr_token_fits_the_alphanumeric_mode_of_a_small_qr_code() -> None:
    token, _ = make_codes().qr_token(uuid4(), NOW)
    assert len(token) == 52
    assert set(token) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")


def test_a_qr_token_with_any_changed_character_is_unknown() -> None:
    codes = make_codes()
    token, _ = codes.qr_token(uuid4(), NOW)
    for position, character in enumerate(token):
        changed = token[:position] + ("A" if character != "A" else "B") + token[position + 1 :]
        with pytest.raises(CodeUnknown):
            codes.read_qr(changed, NOW)


@pytest.mark.parametrize("text", ["", "GB1:", "GB1:====", "GB1:AAAA", "https://example.org", "GB1:" + "A" * 48, "é"])
def test_a_foreign_qr_code_is_unknown(text: str) -> None:
    with pytest.raises(CodeUnknown):
        make_codes().read_qr(text, NOW)


def test_a_qr_token_signed_with_another_key_is_unknown() -> None:
    token, _ = make_codes(OTHER_KEY).qr_token(uuid4(), NOW)
    with pytest.raises(CodeUnknown):
        make_codes().read_qr(token, NOW)


def test_a_preparation_holds_for_two_minutes_for_its_operator_store_and_certificates() -> None:
    codes = make_codes()
    prepared = Prepared("clerk", uuid4(), uuid4(), (uuid4(), uuid4()))
    token, expires_at = codes.preparation_token(prepared, NOW)
    assert expires_at == NOW + timedelta(minutes=2)
    some = prepared.unit_ids[:1]
    assert codes.read_preparation(token, "clerk", prepared.store_id, some, NOW) == prepared
    with pytest.raises(PreparationExpired):
        codes.read_preparation(token, "clerk", prepared.store_id, some, expires_at)
    for operator, store_id, units in (
        ("another", prepared.store_id, some),
        ("clerk", uuid4(), some),
        ("clerk", prepared.store_id, (*some, uuid4())),
    ):
        with pytest.raises(PreparationMismatch):
            codes.read_preparation(token, operator, store_id, units, NOW)


def test_a_sealed_code_is_no_preparation() -> None:
    codes = make_codes()
    for text in (codes.seal("837146205519"), "1.redemption.k1.AAAA", "nonsense"):
        with pytest.raises(PreparationMismatch):
            codes.read_preparation(text, "clerk", uuid4(), (), NOW)
