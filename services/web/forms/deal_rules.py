"""When, and how many together, what was bought may be used; booking and refunds."""

from services.web.forms.deal_basics import REFUND
from services.web.forms.hours import DAYS_OF_WEEK, hours
from services.web.forms.parts import Block, Field
from services.web.forms.values import DAYS, FLAG, LINE, MOMENT, WEEKDAYS, WHOLE


def validity(*, stacking_needed: bool) -> Block:
    """How long it holds, and how many may be used at once."""
    stacking = Field("rules.max_count", WHOLE, needed=stacking_needed, least=1, most=10, half=True)
    days = Field("rules.valid_days", WHOLE, least=1, most=730, half=True)
    return Block("validity", (days, stacking))


REFUNDS = Block("refunds", (REFUND,))

EXCEPTIONS = Block(
    "exceptions",
    (
        Field("rules.use_from", MOMENT),
        Field("rules.use_until", MOMENT),
        Field("rules.blackout_weekdays", WEEKDAYS, options=DAYS_OF_WEEK),
        Field("rules.blackout_dates", DAYS),
        hours("rules.usable_hours"),
        hours("rules.blackout_hours"),
    ),
    folded=True,
)
BOOKING = Block(
    "booking",
    (
        Field("booking.needed", FLAG),
        Field("booking.hours_ahead", WHOLE, least=0, most=720),
        Field("booking.hint", LINE, most=200),
    ),
    folded=True,
)
