"""Writes, or checks, what is generated from the code: schema snapshots, docs/asyncapi, docs/openapi."""

import importlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from faststream.rabbit import RabbitBroker
from faststream.specification.asyncapi import AsyncAPI

from services.console import env_example
from services.console.environment import PORTS, Local, environment
from services.console.system import ROOT
from services.sandbox.keys import make_missing
from shared.contracts import EVENTS, SERVICES, published_by
from shared.messaging import topology
from shared.messaging.consuming import describe
from shared.service import Service, create_app


def documents() -> Iterator[tuple[Path, str]]:
    """Every generated file with its content."""
    for event in EVENTS:
        yield ROOT / "shared/contracts/snapshots" / f"{event.topic}.json", _json(event.model_json_schema())
    for name, service in made_nowhere().items():
        yield ROOT / "docs/openapi" / f"{name}.json", _json(create_app(service).openapi())
        yield ROOT / "docs/asyncapi" / f"{name}.json", _json(_asyncapi(service))
    yield ROOT / "deploy/rabbitmq/topology.json", _json(topology.topology())
    yield ROOT / ".env.example", env_example.text()


def made_nowhere() -> dict[str, Service]:
    """Every service as it declares itself, in a system that is never started."""
    with tempfile.TemporaryDirectory() as directory:
        local = _nowhere(Path(directory))
        return {name: _made(name, local) for name in SERVICES}


def _nowhere(directory: Path) -> Local:
    """A system that is never started: enough for its applications to be built."""
    make_missing(directory / "keys")
    database = dict.fromkeys(SERVICES, "postgresql://nobody@127.0.0.1/nothing")
    broker = dict.fromkeys((*SERVICES, "sandbox"), "amqp://127.0.0.1/")
    return Local(var=directory, ports=PORTS, database_urls=database, amqp_urls=broker)


def _made(name: str, local: Local) -> Service:
    """The service as its own process would make it; this process's environment is afterwards as it was."""
    before = dict(os.environ)
    os.environ.update(environment(name, local))
    try:
        service: Service = importlib.import_module(f"services.{name}.app").make()
        return service
    finally:
        os.environ.clear()
        os.environ.update(before)


def _asyncapi(service: Service) -> dict[str, Any]:
    broker = RabbitBroker(apply_types=False)
    describe(broker, service.handlers)
    for event in published_by(service.name):
        broker.publisher(
            routing_key=event.topic,
            exchange=topology.EVENTS,
            schema=event,
            title=event.topic,
            description=(event.__doc__ or "").strip(),
            persist=True,
            mandatory=bool(event.readers),
        )
    document: dict[str, Any] = AsyncAPI(
        broker, title=f"groupbuy {service.name}", version="1", schema_version="3.0.0"
    ).to_specification().to_jsonable()  # fmt: skip
    return document


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def main() -> None:
    """`write` writes every document; `check` says which ones differ, with exit code 1."""
    if sys.argv[1:] not in (["write"], ["check"]):
        raise SystemExit("usage: python -m services.console.documents write|check")
    stale = []
    for path, content in documents():
        if sys.argv[1] == "write":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        elif not path.exists() or path.read_text() != content:
            stale.append(str(path.relative_to(ROOT)))
    if stale:
        raise SystemExit(
            "not what the code says; run `make contracts` and look at the change:\n  " + "\n  ".join(stale)
        )


if __name__ == "__main__":
    main()
