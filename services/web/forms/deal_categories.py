"""What a category asks for: a meal's party, a room, a journey."""

from services.web.forms.parts import Block, Field, Rows
from services.web.forms.values import CLOCK, DAY, FLAG, LINE, LINES, PARAGRAPH, WHOLE, YUAN


def _party(category: str) -> tuple[Field, Field]:
    low, high = (Field(f"{category}.party_{end}", WHOLE, needed=True, least=1, most=200, half=True)
                 for end in ("min", "max"))  # fmt: skip
    return low, high


CATEGORIES = ("CATERING", "HOTEL", "TOURISM", "OTHER")
TEMPLATES: dict[str, Block] = {
    "CATERING": Block("catering", (*_party("catering"), Field("catering.dine_in_only", FLAG))),
    "HOTEL": Block(
        "hotel",
        (
            Field("hotel.room_type", LINE, needed=True, most=60),
            Field("hotel.nights", WHOLE, needed=True, least=1, most=30, half=True),
            Field("hotel.guests", WHOLE, needed=True, least=1, most=20, half=True),
            Field("hotel.check_in_from", CLOCK, needed=True, half=True),
            Field("hotel.check_out_until", CLOCK, needed=True, half=True),
            Field("hotel.breakfasts", WHOLE, least=0, most=100),
            Rows(
                "hotel.surcharges",
                (
                    Field("from_date", DAY, needed=True, half=True),
                    Field("until_date", DAY, needed=True, half=True),
                    Field("amount_fen", YUAN, needed=True, most=100_000, half=True),
                    Field("note", LINE, most=60, half=True),
                ),
            ),
        ),
    ),
    "TOURISM": Block(
        "tourism",
        (
            *_party("tourism"),
            Field("tourism.days", WHOLE, needed=True, least=1, most=60),
            Field("tourism.itinerary", LINES, needed=True),
            Field("tourism.includes", PARAGRAPH, most=2000),
            Field("tourism.excludes", PARAGRAPH, most=2000),
            Field("tourism.cancellation", PARAGRAPH, needed=True, most=2000),
        ),
    ),
}
