"""The promises between services: names, readers, and schemas that do not change by accident."""

import importlib.util
import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.console.documents import documents, made_nowhere
from shared.contracts import EVENTS, SERVICES, Event, copies_of, keeps_copy, published_by, read_by
from shared.ids import new_id
from shared.messaging import topology
from shared.messaging.copies import of_publisher
from shared.messaging.handlers import Handler
from shared.service import create_app

MADE = made_nowhere()
HANDLERS = [handler for service in MADE.values() for handler in service.handlers.by_queue.values()]
# Who can say its state anew, and who keeps copies of it.
REPLAYED = [
    (publisher, consumer)
    for publisher in SERVICES
    if MADE[publisher].snapshots
    for consumer in SERVICES
    if copies_of(publisher, consumer)
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.topic)
def test_a_topic_names_its_owner_its_event_and_a_version(event: type[Event]) -> None:
    module = event.__module__.rpartition(".")[2]
    assert re.fullmatch(rf"{module}\.[a-z_]+\.v[1-9]\d*", event.topic)
    assert all(re.fullmatch(rf"({'|'.join(SERVICES)})\.[a-z_]+", reader) for reader in event.readers)
    assert not any(reader.startswith(f"{module}.") for reader in event.readers), "a service does not read itself"


def test_no_two_events_share_a_topic_and_no_two_share_a_queue() -> None:
    topics = [event.topic for event in EVENTS]
    queues = [reader for event in EVENTS for reader in event.readers]
    assert len(set(topics)) == len(topics)
    assert len(set(queues)) == len(queues)


def test_everything_generated_from_the_code_is_what_the_code_says() -> None:
    stale = [str(path) for path, content in documents() if not path.exists() or path.read_text() != content]
    assert not stale, "run `make contracts` and look at what changed"


def test_an_added_field_does_not_break_an_older_reader() -> None:
    from shared.contracts.settlement import PayoutFailed

    said = PayoutFailed(
        occurred_at=datetime.now(UTC), instruction_id=new_id(), payout_id=new_id(), merchant_id=new_id(), code="x"
    )
    later = {**json.loads(said.model_dump_json()), "explanation": "added in a later release"}
    assert PayoutFailed.model_validate_json(json.dumps(later)) == said


@pytest.mark.parametrize("service", SERVICES)
def test_a_broker_user_may_say_only_its_own_topics_and_bind_only_what_it_reads(service: str) -> None:
    [allowed] = [entry for entry in topology.topic_permissions(service) if entry["exchange"] == "events"]
    for event in EVENTS:
        assert bool(re.search(allowed["write"], event.topic)) == (event in published_by(service))
        assert bool(re.search(allowed["read"], event.topic)) == (event in read_by(service).values())


@pytest.mark.parametrize("user", [*SERVICES, "sandbox"])
def test_a_broker_user_may_replay_its_own_topics_to_copies_of_them_and_nothing_else(user: str) -> None:
    written = topology.permissions(user)["write"]
    by_topic = {entry["exchange"]: entry for entry in topology.topic_permissions(user)}
    for consumer in SERVICES:
        exchange = topology.replay_exchange(consumer)
        copied = copies_of(user, consumer).values()
        assert bool(re.search(written, exchange)) == bool(copied)
        # Without an entry of its own the broker would let every topic pass.
        assert (exchange in by_topic) == bool(copied)
        assert not re.search(topology.permissions(user)["read"], exchange)
        for event in EVENTS if copied else ():
            assert bool(re.search(by_topic[exchange]["write"], event.topic)) == (event in copied)


@pytest.mark.parametrize("consumer", SERVICES)
def test_a_replay_reaches_exactly_the_queues_whose_handlers_only_keep_copies(consumer: str) -> None:
    bound = {
        (entry["destination"], entry["routing_key"])
        for entry in topology.topology()["bindings"]
        if entry["source"] == topology.replay_exchange(consumer)
    }
    assert bound == {(queue, event.topic) for queue, event in read_by(consumer).items() if keeps_copy(queue)}
    assert all(queue.startswith(f"{consumer}.keep_") for queue, _ in bound)


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.queue)
def test_a_handler_is_named_keep_exactly_when_no_inbox_tells_it_copies_apart(handler: Handler) -> None:
    """A replay says the same state under a new id: an inbox would not stop it, only versions do."""
    names = handler.handle.__code__.co_names
    assert ("is_duplicate" in names) != keeps_copy(handler.queue)


@pytest.mark.parametrize(("publisher", "consumer"), REPLAYED)
def test_what_can_be_replayed_to_a_service_can_be_emptied_there_and_nothing_else(publisher: str, consumer: str) -> None:
    copies = of_publisher(MADE[consumer].copies, publisher)
    assert set(copies) == set(copies_of(publisher, consumer).values())
    assert len(set(copies.values())) == len(copies)


def test_no_table_can_be_emptied_that_nobody_can_fill_again() -> None:
    declared = {(publisher, name) for name in SERVICES for publisher in SERVICES
                if of_publisher(MADE[name].copies, publisher)}  # fmt: skip
    assert declared <= set(REPLAYED)


def test_a_service_that_cannot_say_anew_what_others_copy_does_not_start() -> None:
    catalog = MADE["catalog"]
    with pytest.raises(LookupError, match=r"catalog\.deal_changed\.v1"):
        create_app(replace(catalog, snapshots=catalog.snapshots[:-1]))


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_the_same_files(service: str) -> None:
    for name in ("app", "settings", "routes", "consumers", "use_cases", "store", "domain"):
        assert importlib.util.find_spec(f"services.{service}.{name}"), f"{service} has no {name}"
