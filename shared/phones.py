"""Phone numbers: the one form in which they are compared, and the keyed hash by which a buyer's orders are found."""

import phonenumbers

from shared.sealed import Seals

RECIPIENT = "phone"
"""Whose key hashes phones: checkout, which hears them, and redemption, which is asked for them, both hold it."""
_HOME_REGION = "CN"


def normal_phone(typed: str) -> str | None:
    """A phone as typed, in the form `+8613800138000`; None if there can be no such number."""
    try:
        number = phonenumbers.parse(typed, _HOME_REGION)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def phone_lookup(seals: Seals, phone: str) -> str | None:
    """The keyed hash of a number in its normal form, in hexadecimal; None in a process that was not given the key."""
    return seals.lookup(RECIPIENT, phone).hex() if seals.holds(RECIPIENT) else None
