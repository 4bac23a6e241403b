"""Keyset cursors: where a page ended, opaque to clients."""

import base64
import binascii
from datetime import datetime
from uuid import UUID

from shared.errors import Invalid


class CursorInvalid(Invalid):
    code = "cursor_invalid"
    zh = "翻页参数有误"
    en = "The cursor is not one of ours"


def cursor(at: datetime, id: UUID) -> str:
    """The cursor of the last row of a page."""
    return base64.urlsafe_b64encode(f"{at.isoformat()}|{id}".encode()).decode()


def read_cursor(text: str | None) -> tuple[datetime, UUID] | None:
    """The row after which the next page starts. Raises CursorInvalid."""
    if text is None:
        return None
    try:
        at, _, id = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True).decode().partition("|")
        moment = datetime.fromisoformat(at)
        found = UUID(id)
    except (ValueError, binascii.Error) as error:
        raise CursorInvalid from error
    if moment.tzinfo is None:
        raise CursorInvalid
    return moment, found
