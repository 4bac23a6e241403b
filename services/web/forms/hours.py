"""Hours of the week, row by row."""

from services.web.forms.parts import Field, Rows
from services.web.forms.values import CLOCK, WEEKDAYS

DAYS_OF_WEEK = tuple("1234567")


def hours(path: str) -> Rows:
    """Days, from, until."""
    days = Field("weekdays", WEEKDAYS, needed=True, options=DAYS_OF_WEEK)
    return Rows(
        path, (days, Field("opens", CLOCK, needed=True, half=True), Field("closes", CLOCK, needed=True, half=True))
    )
