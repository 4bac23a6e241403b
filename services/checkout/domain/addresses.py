"""Phones and addresses: the one form in which they are kept, and the masked one in which they are shown."""

from services.checkout.domain.refusals import PhoneInvalid
from shared.contracts.address import Address
from shared.phones import normal_phone


def e164(typed: str) -> str:
    """A phone as typed, in the form `+8613800138000`. Raises PhoneInvalid."""
    phone = normal_phone(typed)
    if phone is None:
        raise PhoneInvalid
    return phone


def masked_phone(phone: str) -> str:
    """`+8613800138000` as `138****8000`."""
    national = phone.removeprefix("+86")
    return f"{national[:3]}****{national[-4:]}"


def masked_address(address: Address) -> str:
    """Down to the district; the street stays hidden."""
    parts = dict.fromkeys((address.province, address.city, address.district))
    return f"{''.join(parts)}****"


def masked_subject(subject: str) -> str:
    """An account for staff: enough to tell two buyers of one day apart, and nobody's name."""
    return f"{subject[:1]}***{subject[-2:]}" if len(subject) > 5 else "***"
