"""RabbitMQ's management API over HTTP: virtual hosts, users, rights, definitions, and what is in the queues."""

import base64
import json
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Management:
    """One broker's API. Errors are urllib's own: `HTTPError` for a refusal, `URLError` while nobody answers."""

    url: str
    user: str
    password: str

    def answers(self) -> bool:
        try:
            self.get("/overview")
        except (OSError, ValueError):
            return False
        return True

    def create_vhost(self, vhost: str) -> None:
        self._send("PUT", f"/vhosts/{_name(vhost)}", {})

    def delete_vhost(self, vhost: str) -> None:
        """Delete the virtual host with all that is in it; it may be gone already."""
        self._delete(f"/vhosts/{_name(vhost)}")

    def import_definitions(self, vhost: str, definitions: dict[str, Any]) -> None:
        """Declare exchanges, queues and bindings of `definitions` in one virtual host.

        Takes the file of a whole broker too: entries of other kinds are left out and `vhost` keys are replaced.
        """
        kinds = ("exchanges", "queues", "bindings", "policies", "parameters")
        own = {
            kind: [
                {key: value for key, value in entry.items() if key != "vhost"} for entry in definitions.get(kind, [])
            ]
            for kind in kinds
        }
        self._send("POST", f"/definitions/{_name(vhost)}", own)

    def create_user(self, user: str, password: str, *, tags: str = "") -> None:
        """Create the user, or give it this password; `tags` are comma-separated, none for a mere service."""
        self._send("PUT", f"/users/{_name(user)}", {"password": password, "tags": tags})

    def delete_user(self, user: str) -> None:
        self._delete(f"/users/{_name(user)}")

    def set_permissions(self, vhost: str, user: str, *, configure: str, write: str, read: str) -> None:
        """Regular expressions over names of exchanges and queues; the empty one matches nothing."""
        rights = {"configure": configure, "write": write, "read": read}
        self._send("PUT", f"/permissions/{_name(vhost)}/{_name(user)}", rights)

    def set_topic_permissions(self, vhost: str, user: str, *, exchange: str, write: str, read: str) -> None:
        """Regular expressions over routing keys of one topic exchange."""
        rights = {"exchange": exchange, "write": write, "read": read}
        self._send("PUT", f"/topic-permissions/{_name(vhost)}/{_name(user)}", rights)

    def close_all_connections(self, vhost: str | None = None) -> int:
        """Close every AMQP connection (of one virtual host); how many there were."""
        connections = self.get("/connections" if vhost is None else f"/vhosts/{_name(vhost)}/connections")
        for connection in connections:
            self._delete(f"/connections/{_name(connection['name'])}")
        return len(connections)

    def queue_depths(self, vhost: str) -> dict[str, int]:
        """Messages ready and unacknowledged per queue, as the broker last counted them (about a second old)."""
        queues = self.get(f"/queues/{_name(vhost)}")
        return {queue["name"]: int(queue.get("messages", 0)) for queue in queues}

    def get(self, path: str) -> Any:
        return self._send("GET", path)

    def _delete(self, path: str) -> None:
        try:
            self._send("DELETE", path)
        except HTTPError as refusal:
            if refusal.code != 404:
                raise

    def _send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        login = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.url}/api{path}", data=data, headers=headers, method=method)
        try:
            with urlopen(request, timeout=_TIMEOUT_S) as answer:
                text = answer.read()
        except HTTPError as refusal:
            refusal.add_note(f"{method} {path}: {refusal.read().decode(errors='replace')}")
            raise
        return json.loads(text) if text else None


def _name(value: str) -> str:
    return quote(value, safe="")
