"""Which kind of device asks, by what its browser says of itself."""

import re

# Every browser of a phone says one of these, the ones inside apps too.
_PHONE = re.compile(r"Mobi|iPhone|iPod|\(Phone;", re.IGNORECASE)


def is_phone(user_agent: str, mobile_hint: str = "") -> bool:
    """Whether a phone asks: `mobile_hint` is Sec-CH-UA-Mobile, which few browsers send. Whoever says nothing sits at a
    desk: Alipay's page for desks can be used on a phone, and shows a code that any phone can scan."""
    return mobile_hint.strip() == "?1" or _PHONE.search(user_agent) is not None
