"""The form in which a place is registered."""

from services.web.forms.hours import hours
from services.web.forms.parts import Block, Field
from services.web.forms.values import DEGREES, LINE, PHONE

PLACE = Block(
    "place",
    (
        Field("name", LINE, needed=True, most=60),
        Field("city", LINE, needed=True, most=60, half=True),
        Field("phone", PHONE, needed=True, most=20, half=True),
        Field("address", LINE, needed=True, most=200),
    ),
)
POSITION = Block(
    "position",
    (
        Field("latitude", DEGREES, needed=True, least=3, most=54, half=True),
        Field("longitude", DEGREES, needed=True, least=73, most=136, half=True),
    ),
)
BLOCKS = (
    PLACE,
    POSITION,
    Block("opening", (hours("hours"),)),
    Block("proof", (Field("licence_evidence", LINE, needed=True, most=200),)),
)
