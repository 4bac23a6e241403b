"""What a deal must say beyond its items, by category: catering, hotel, tourism."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.catalog.domain.text import Line, LongLine, Paragraph, ShortLine
from shared.contracts.hours import Clock

People = Annotated[int, Field(strict=True, ge=1, le=200)]


class Catering(BaseModel):
    """For how many people it is, and whether it may be taken away."""

    model_config = ConfigDict(frozen=True)

    party_min: People
    party_max: People
    dine_in_only: bool = False


class Surcharge(BaseModel):
    """What is paid at the desk for each night from `from_date` to `until_date`, both included."""

    model_config = ConfigDict(frozen=True)

    from_date: date
    until_date: date
    amount_fen: Annotated[int, Field(strict=True, ge=1, le=10_000_000)]
    note: Annotated[Line, Field(max_length=60)] = ""


class Hotel(BaseModel):
    """The room, for how long, and when one comes and goes; times are Shanghai's."""

    model_config = ConfigDict(frozen=True)

    room_type: ShortLine
    nights: Annotated[int, Field(strict=True, ge=1, le=30)]
    guests: Annotated[int, Field(strict=True, ge=1, le=20)]
    breakfasts: Annotated[int, Field(strict=True, ge=0, le=100)] = 0
    check_in_from: Clock
    check_out_until: Clock
    surcharges: Annotated[tuple[Surcharge, ...], Field(max_length=60)] = ()


class Tourism(BaseModel):
    """The journey: who, how long, what happens each day, what is included, and what cancelling costs."""

    model_config = ConfigDict(frozen=True)

    party_min: People
    party_max: People
    days: Annotated[int, Field(strict=True, ge=1, le=60)]
    itinerary: Annotated[tuple[LongLine, ...], Field(max_length=60)]
    includes: Paragraph = ""
    excludes: Paragraph = ""
    cancellation: Paragraph
