"""How many wrong codes a person, a device, a store and an address may try before they wait.

The levels widen, so that nobody is locked out by one colleague's mistakes: whoever reaches his own limit is refused
before the refusals of his reach the limit of what he shares with others (docs/security/code-guessing.md)."""

import ipaddress
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID


class Level(StrEnum):
    OPERATOR = "operator"
    DEVICE = "device"
    STORE = "store"
    SOURCE = "source"


@dataclass(frozen=True, slots=True)
class Limit:
    """So many wrong codes within so much real time."""

    level: Level
    wrong: int
    within: timedelta


SOON = timedelta(minutes=10)
DAY = timedelta(days=1)
LIMITS = (
    Limit(Level.OPERATOR, 10, SOON),
    Limit(Level.OPERATOR, 60, DAY),
    Limit(Level.DEVICE, 30, SOON),
    Limit(Level.DEVICE, 150, DAY),
    Limit(Level.STORE, 50, SOON),
    Limit(Level.STORE, 300, DAY),
    Limit(Level.SOURCE, 200, SOON),
    Limit(Level.SOURCE, 1000, DAY),
)


@dataclass(frozen=True, slots=True)
class Guesser:
    """Who tries, where, with what and from where. `source` is a keyed hash of the address."""

    operator: str
    store_id: UUID
    device_id: str | None = None
    source: bytes | None = None


def source_of(address: str) -> str | None:
    """What counts as one source: a public IPv4 address, or the /64 network that one IPv6 customer has to himself.

    A private address is our own pages' or a proxy's, behind which everybody stands: it is none."""
    try:
        read = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if not read.is_global:
        return None
    return str(read) if read.version == 4 else str(ipaddress.ip_network((read, 64), strict=False))
