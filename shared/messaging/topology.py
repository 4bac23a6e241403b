"""Exchanges, queues and permissions of the whole system, derived from the contracts: the one place that names them."""

import base64
import hashlib
import json
import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any, cast

from faststream.rabbit import ExchangeType, QueueType, RabbitExchange, RabbitQueue
from faststream.rabbit.schemas.queue import QuorumQueueArgs

from shared.contracts import SERVICES, Event, copied_from, copies_of, published_by, read_by

EVENTS_EXCHANGE = "events"
CLOCK_EXCHANGE = "clock"

# Declared by whoever sets the broker up; a service may not, so it only looks for them.
EVENTS = RabbitExchange(EVENTS_EXCHANGE, type=ExchangeType.TOPIC, durable=True, declare=False)
CLOCK = RabbitExchange(CLOCK_EXCHANGE, type=ExchangeType.FANOUT, durable=True, declare=False)


def queue_arguments(service: str) -> dict[str, Any]:
    """Arguments of a service's queue. Failures are counted in Postgres; the broker's limit only catches messages
    that kill the process, so it is far above what a few restarts cost an innocent neighbour."""
    return {
        "x-queue-type": "quorum",
        "x-delivery-limit": 200,
        "x-max-length": 1_000_000,
        "x-overflow": "reject-publish",
        "x-dead-letter-exchange": f"{service}.dead",
        "x-dead-letter-strategy": "at-least-once",
    }


def _dead_queue_arguments() -> dict[str, Any]:
    return {"x-queue-type": "quorum", "x-max-length": 100_000, "x-overflow": "reject-publish"}


def queue(service: str, name: str, topic: str) -> RabbitQueue:
    """The queue of one handler, declared exactly as the definitions have it."""
    return RabbitQueue(
        name, queue_type=QueueType.QUORUM, durable=True, routing_key=topic, arguments=_untyped(queue_arguments(service))
    )


def dead_queue(service: str) -> RabbitQueue:
    """Where the broker puts what killed the process of a service too often."""
    return RabbitQueue(
        f"{service}.dead", queue_type=QueueType.QUORUM, durable=True, arguments=_untyped(_dead_queue_arguments())
    )


def _untyped(arguments: dict[str, Any]) -> QuorumQueueArgs:
    """The arguments without the queue's type, which FastStream adds itself."""
    return cast(QuorumQueueArgs, {name: value for name, value in arguments.items() if name != "x-queue-type"})


def dead_exchange(service: str) -> RabbitExchange:
    """The dead-letter exchange of a service."""
    return RabbitExchange(f"{service}.dead", type=ExchangeType.FANOUT, durable=True, declare=False)


def replay_exchange(consumer: str) -> str:
    """Where a publisher says its present state anew to the copies of one consumer, and to nothing else there."""
    return f"replay.{consumer}"


def topology() -> dict[str, Any]:
    """Exchanges, queues and bindings, in the form of RabbitMQ's definitions for one virtual host."""
    exchanges = [_exchange(EVENTS_EXCHANGE, "topic"), _exchange(CLOCK_EXCHANGE, "fanout")]
    queues, bindings = [], []
    for service in SERVICES:
        dead = f"{service}.dead"
        exchanges.append(_exchange(dead, "fanout"))
        queues.append(_queue(dead, _dead_queue_arguments()))
        bindings.append(_binding(dead, dead, ""))
        for name, event in read_by(service).items():
            queues.append(_queue(name, queue_arguments(service)))
            bindings.append(_binding(EVENTS_EXCHANGE, name, event.topic))
        copies = _copies(service)
        if copies:
            exchanges.append(_exchange(replay_exchange(service), "topic"))
        bindings += [_binding(replay_exchange(service), name, event.topic) for name, event in copies.items()]
    return {"exchanges": exchanges, "queues": queues, "bindings": bindings}


def _copies(consumer: str) -> dict[str, type[Event]]:
    return {name: event for publisher in SERVICES for name, event in copies_of(publisher, consumer).items()}


def _exchange(name: str, kind: str) -> dict[str, Any]:
    return {"name": name, "type": kind, "durable": True, "auto_delete": False, "arguments": {}}


def _queue(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "durable": True, "auto_delete": False, "arguments": arguments}


def _binding(source: str, destination: str, key: str) -> dict[str, Any]:
    return {
        "source": source,
        "destination": destination,
        "destination_type": "queue",
        "routing_key": key,
        "arguments": {},
    }


def permissions(user: str) -> dict[str, str]:
    """`configure`, `write` and `read` patterns of a service's broker user, or of the sandbox's."""
    if user == "sandbox":
        return {"configure": f"^{CLOCK_EXCHANGE}$", "write": f"^{CLOCK_EXCHANGE}$", "read": "^$"}
    own = rf"{user}\..*"
    again = "".join(f"|{_exactly(replay_exchange(consumer))}" for consumer in copied_from(user))
    return {
        "configure": f"^{own}$",
        "write": f"^({own}|{EVENTS_EXCHANGE}{again})$",
        "read": f"^({own}|{EVENTS_EXCHANGE}|{CLOCK_EXCHANGE})$",
    }


def topic_permissions(user: str) -> list[dict[str, str]]:
    """What a service may publish on, and bind from, each topic exchange that it may write to at all."""
    if user == "sandbox":
        return [{"exchange": EVENTS_EXCHANGE, "write": "^$", "read": "^$"}]
    said, heard = _topics(published_by(user)), _topics(read_by(user).values())
    return [
        {"exchange": EVENTS_EXCHANGE, "write": said, "read": heard},
        *(
            {
                "exchange": replay_exchange(consumer),
                "write": _topics(copies_of(user, consumer).values()),
                "read": "^$",
            }
            for consumer in copied_from(user)
        ),
    ]


def _topics(events: Iterable[type[Event]]) -> str:
    return f"^({'|'.join(sorted({_exactly(event.topic) for event in events}))})$"


def _exactly(name: str) -> str:
    return name.replace(".", r"\.")


def definitions(passwords: Mapping[str, str], vhost: str, administrator: tuple[str, str]) -> dict[str, Any]:
    """A whole definitions file: the topology of one virtual host, and a user per service who may touch only its own."""
    users = [{"name": name, "tags": "", **hashed(password)} for name, password in passwords.items()]
    users.append({"name": administrator[0], "tags": "administrator", **hashed(administrator[1])})
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    parts = topology()
    return {
        "vhosts": [{"name": vhost}],
        "users": users,
        "permissions": [
            *({"user": name, "vhost": vhost, **permissions(name)} for name in passwords),
            {"user": administrator[0], "vhost": vhost, **everything},
        ],
        "topic_permissions": [
            {"user": name, "vhost": vhost, **entry} for name in passwords for entry in topic_permissions(name)
        ],
        **{kind: [{**entry, "vhost": vhost} for entry in entries] for kind, entries in parts.items()},
    }


def password_hash(password: str, salt: bytes) -> str:
    """RabbitMQ's `rabbit_password_hashing_sha256` of a password with a salt of four bytes."""
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def hashed(password: str) -> dict[str, str]:
    """A broker user's password as definitions files hold it."""
    return {
        "password_hash": password_hash(password, os.urandom(4)),
        "hashing_algorithm": "rabbit_password_hashing_sha256",
    }


def main() -> None:
    """Print the topology (`topology`), or a definitions file for the users in the environment (`definitions`):
    GROUPBUY_BROKER_PASSWORD_<USER> for each service, sandbox and admin; vhost GROUPBUY_BROKER_VHOST."""
    if sys.argv[1:] == ["topology"]:
        json.dump(topology(), sys.stdout, indent=1)
        return
    names = (*SERVICES, "sandbox")
    passwords = {name: os.environ[f"GROUPBUY_BROKER_PASSWORD_{name.upper()}"] for name in names}
    administrator = ("admin", os.environ["GROUPBUY_BROKER_PASSWORD_ADMIN"])
    vhost = os.environ.get("GROUPBUY_BROKER_VHOST", "groupbuy")
    json.dump(definitions(passwords, vhost, administrator), sys.stdout, indent=1)


if __name__ == "__main__":
    main()
