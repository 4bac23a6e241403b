"""Identifiers: UUIDv7 made by whoever creates the thing, so that repeating a request names the same thing."""

from uuid import UUID, uuid5

from uuid_utils.compat import uuid7

__all__ = ["derived_id", "new_id"]


def new_id() -> UUID:
    """A new UUIDv7: sorts by creation time, so that indexes grow at one end."""
    return uuid7()


def derived_id(parent: UUID, purpose: str) -> UUID:
    """The id of what follows from `parent` for `purpose`: the same cause always names the same effect (UUIDv5)."""
    return uuid5(parent, purpose)
