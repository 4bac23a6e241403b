"""Sealed texts open for their recipient only, and keys rotate."""

import base64

import pytest

from shared.sealed import CannotOpen, Seals


def key(letter: str) -> str:
    return base64.b64encode(letter.encode() * 32).decode()


def test_only_the_recipients_key_opens_and_no_bit_may_change() -> None:
    sealed = Seals({"dispatch": {"k1": key("a")}}).seal("dispatch", "龙华区 13800138000")
    assert "13800138000" not in sealed
    assert Seals({"dispatch": {"k1": key("a")}}).open(sealed) == "龙华区 13800138000"
    for stranger in ({"dispatch": {"k1": key("b")}}, {"checkout": {"k1": key("a")}}):
        with pytest.raises(CannotOpen):
            Seals(stranger).open(sealed)
    with pytest.raises(CannotOpen):
        Seals({"dispatch": {"k1": key("a")}}).open(sealed[:-4] + ("AAA=" if sealed[-4:] != "AAA=" else "BBB="))


def test_what_an_old_key_sealed_still_opens_after_rotation() -> None:
    old = Seals({"web": {"k1": key("a")}}).seal("web", "session")
    rotated = Seals({"web": {"k1": key("a"), "k2": key("b")}})
    assert rotated.open(old) == "session"
    assert ".k2." in rotated.seal("web", "session")
    assert rotated.lookup("web", "x") == Seals({"web": {"k1": key("a")}}).lookup("web", "x")
