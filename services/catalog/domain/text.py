"""Text that people write: limits of length, and no control characters, which Postgres and pages cannot take."""

from typing import Annotated

from pydantic import Field, StringConstraints

Line = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f]*$")]
ShortLine = Annotated[Line, Field(min_length=1, max_length=60)]
LongLine = Annotated[Line, Field(min_length=1, max_length=200)]
Paragraph = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]
Phone = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^\+?[0-9][0-9 -]{4,18}$")]
Cover = Annotated[str, Field(pattern=r"^([a-z0-9-]{1,40}|https://[^\s\"'<>\x00-\x1f\x7f]{1,400})$")]
"""The name of a drawn cover (`hotpot`), or an https URL."""

Url = Annotated[str, Field(max_length=500, pattern=r"^https://[^\s\"'<>\x00-\x1f\x7f]+$")]
"""An https URL at the host platform."""
