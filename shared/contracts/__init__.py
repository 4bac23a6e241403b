"""Every event of the system, by publisher: the one list from which queues, permissions and documents are made."""

from shared.contracts import catalog, checkout, dispatch, redemption, settlement
from shared.contracts.base import Contract, Event

SERVICES = ("catalog", "checkout", "redemption", "dispatch", "settlement")

EVENTS: tuple[type[Event], ...] = (
    *catalog.EVENTS,
    *checkout.EVENTS,
    *redemption.EVENTS,
    *dispatch.EVENTS,
    *settlement.EVENTS,
)


def published_by(service: str) -> tuple[type[Event], ...]:
    """The events that a service owns."""
    return tuple(event for event in EVENTS if event.topic.startswith(f"{service}."))


def read_by(service: str) -> dict[str, type[Event]]:
    """The queues of a service and the event that each of them carries."""
    return {queue: event for event in EVENTS for queue in event.readers if queue.startswith(f"{service}.")}


def copies_of(publisher: str, consumer: str) -> dict[str, type[Event]]:
    """The queues of `consumer` whose handlers only keep a copy of what `publisher` says: by name, `keep_…`."""
    said = published_by(publisher)
    return {queue: event for queue, event in read_by(consumer).items() if keeps_copy(queue) and event in said}


def keeps_copy(queue: str) -> bool:
    """Whether the handler of this queue only keeps a copy: it may hear the same state again and again."""
    return queue.partition(".")[2].startswith("keep_")


def copied_from(publisher: str) -> tuple[str, ...]:
    """The services that keep copies of what `publisher` says."""
    return tuple(service for service in SERVICES if copies_of(publisher, service))


__all__ = [
    "EVENTS",
    "SERVICES",
    "Contract",
    "Event",
    "copied_from",
    "copies_of",
    "keeps_copy",
    "published_by",
    "read_by",
]
