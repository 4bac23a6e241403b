"""A delivery address: personal data, so it crosses the bus only sealed for dispatch."""

from typing import Annotated

from pydantic import Field

from shared.contracts.base import Contract

Line = Annotated[str, Field(min_length=1, max_length=120)]


class Address(Contract):
    """Where goods go. Coordinates are GCJ-02; the phone is E.164 (`+8613800138000`)."""

    name: Annotated[str, Field(min_length=1, max_length=40)]
    phone: Annotated[str, Field(pattern=r"^\+[1-9]\d{6,14}$")]
    province: Line
    city: Line
    district: Line
    street: Line
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
