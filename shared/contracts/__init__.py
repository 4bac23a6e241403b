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


__all__ = ["EVENTS", "SERVICES", "Contract", "Event", "published_by", "read_by"]
