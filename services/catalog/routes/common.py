"""What several routes take: a decision, and the version that the caller saw."""

import hashlib
import re
from typing import Annotated

from fastapi import Depends, Header
from pydantic import BaseModel, Field

from services.catalog.domain.deals import ReviewTemplate
from services.catalog.domain.text import Line
from shared.errors import PreconditionFailed

_ETAG = re.compile(r'"(\d{1,18})"')


class Decision(BaseModel):
    """An operator's yes, or no with the reason that the merchant reads."""

    approve: bool
    reason: Annotated[Line, Field(max_length=500)] | None = None


class ReviewDecision(Decision):
    """A no to a draft may also give, or only give, a reason of the list."""

    template: ReviewTemplate | None = None


def _seen(if_match: Annotated[str | None, Header()] = None) -> int | None:
    if if_match is None or if_match == "*":
        return None
    found = _ETAG.fullmatch(if_match)
    if found is None:
        raise PreconditionFailed
    return int(found.group(1))


Seen = Annotated[int | None, Depends(_seen)]
"""The version in `If-Match`, if the caller sent one."""


def etag(version: int) -> dict[str, str]:
    """The header that a later `If-Match` quotes."""
    return {"ETag": f'"{version}"'}


IfNoneMatch = Annotated[str | None, Header()]


def body_etag(body: BaseModel) -> str:
    """A weak ETag of what is answered, for answers that change with the clock and with several rows."""
    return f'W/"{hashlib.sha256(body.model_dump_json().encode()).hexdigest()[:32]}"'


def is_known(tag: str, if_none_match: str | None) -> bool:
    """Whether the caller has this answer already (RFC 9110 §13.1.2: any of the list, compared weakly)."""
    known = {one.strip().removeprefix("W/") for one in (if_none_match or "").split(",")}
    return "*" in known or tag.removeprefix("W/") in known
