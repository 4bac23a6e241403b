"""The promises between services: names, readers, and schemas that do not change by accident."""

import importlib.util
import json
import re
from datetime import UTC, datetime

import pytest

from services.console.documents import documents
from shared.contracts import EVENTS, SERVICES, Event, published_by, read_by
from shared.ids import new_id
from shared.messaging import topology


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


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_the_same_files(service: str) -> None:
    for name in ("app", "settings", "routes", "consumers", "use_cases", "store", "domain"):
        assert importlib.util.find_spec(f"services.{service}.{name}"), f"{service} has no {name}"
