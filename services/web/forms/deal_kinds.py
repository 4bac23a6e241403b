"""What each form of a deal says of its own: items, a voucher's worth, a card's uses, where codes come from."""

from services.web.forms.deal_basics import PRICE_MOST
from services.web.forms.parts import Block, Field, Rows
from services.web.forms.values import CHOICE, LINE, WHOLE, YUAN


def items(*, needed: bool, portions: bool) -> Block:
    """What the buyer gets, line by line; a meal says how much one portion is."""
    fields = (
        Field("name", LINE, needed=True, most=60),
        Field("quantity", WHOLE, needed=True, least=1, most=10_000, half=True),
        Field("price_fen", YUAN, needed=True, most=PRICE_MOST, half=True),
        Field("portion", LINE, needed=portions, most=30),
    )
    return Block("items", (Rows("items", fields, blank=2, needed=needed),))


CASH = Block(
    "cash",
    (
        Field("cash.face_value_fen", YUAN, needed=True, most=PRICE_MOST, half=True),
        Field("cash.threshold_fen", YUAN, most=PRICE_MOST, half=True),
    ),
)
CARD = Block("card", (Field("uses_per_unit", WHOLE, needed=True, least=2, most=100),))
CODES = Block("codes", (Field("code_source", CHOICE, needed=True, options=("POOL", "CALLBACK")),))
