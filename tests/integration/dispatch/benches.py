"""One bench per adapter: how the shared contract suite opens its account and what its carrier's controls are called."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
from pydantic import SecretStr

from services.dispatch.domain.attempts import Snapshot
from services.dispatch.gateways.dada import Dada
from services.dispatch.gateways.ishansong import Ishansong
from services.dispatch.gateways.kuaidi100 import Kuaidi100
from services.dispatch.gateways.port import Carrier, ProviderRef, Quote, RawRequest, Result, WebhookBatch
from shared.ids import new_id
from tests.integration.dispatch.shipments import SHIPMENT

NOBODY = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Bench:
    """An adapter with what differs between carriers, and nothing else."""

    provider: str
    open: Callable[[httpx.AsyncClient, str, str], Carrier]
    """(client, base address, secret) → the bare client of one account."""
    secret: str
    quote: str
    create: str
    query: str
    cancel: str
    accept: str = "accept"
    fetch: str = "fetch"
    drop: str | None = None
    quotes_bind: bool = True
    """Is the order placed at the quote, so that a stale one is refused?"""


def _dada(http: httpx.AsyncClient, base: str, secret: str) -> Carrier:
    return Dada(base_url=f"{base}/dada", app_secret=SecretStr(secret), timeout_s=0.5).open(http)


def _ishansong(http: httpx.AsyncClient, base: str, secret: str) -> Carrier:
    return Ishansong(base_url=f"{base}/ishansong", app_secret=SecretStr(secret), timeout_s=0.5).open(http)


def _kuaidi100(http: httpx.AsyncClient, base: str, secret: str) -> Carrier:
    order_url = f"{base}/kuaidi100/order/borderapi.do"
    return Kuaidi100(order_url=order_url, secret=SecretStr(secret), timeout_s=0.5).open(http)


BENCHES = (
    Bench("dada", _dada, "dada-secret", "queryDeliverFee", "addAfterQuery", "status/query", "formalCancel",
          drop="reassign"),
    Bench("ishansong", _ishansong, "ishansong-secret", "orderCalculate", "orderPlace", "orderInfo", "abortOrder",
          drop="drop"),
    Bench("kuaidi100", _kuaidi100, "kuaidi-secret", "price", "bOrder", "detail", "cancel", fetch="pickup",
          quotes_bind=False),
)  # fmt: skip


@dataclass
class Listener:
    """The shop's callback endpoint: reads with the adapter under test, and answers what the adapter says."""

    url: str = ""
    carrier: Carrier | None = None
    heard: list[tuple[RawRequest, WebhookBatch]] = field(default_factory=list)
    server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                assert listener.carrier is not None
                raw = RawRequest(body, self.headers["content-type"])
                batch = listener.carrier.webhook(raw)
                listener.heard.append((raw, batch))
                self.send_response(batch.ack.status)
                self.send_header("content-length", str(len(batch.ack.body.encode())))
                self.end_headers()
                self.wfile.write(batch.ack.body.encode())

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/callback"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        assert self.server is not None
        self.server.shutdown()
        self.server.server_close()


@dataclass
class Play:
    """One attempt at one carrier, as a test plays it."""

    bench: Bench
    carrier: Carrier
    sandbox: httpx.AsyncClient
    listener: Listener
    key: str = field(default_factory=lambda: new_id().hex)
    ref: ProviderRef = field(default_factory=lambda: ProviderRef(""))
    bound: Quote | None = None

    async def quote(self) -> Result[Quote]:
        return await self.carrier.quote(SHIPMENT, self.key, self.listener.url)

    async def order(self) -> Result[Snapshot]:
        """Quote and order, as dispatch does: what the quote told is kept before the order is sent."""
        if self.bound is None:
            quoted = await self.quote()
            assert quoted.value is not None, quoted
            self.bound = quoted.value
        self.ref = ProviderRef(self.key, token=self.bound.token, phone=SHIPMENT.dropoff.phone)
        placed = await self.carrier.create(SHIPMENT, self.key, self.listener.url, self.bound)
        if placed.value is not None:
            self.ref = ProviderRef(
                self.key, placed.value.provider_id, placed.value.waybill, SHIPMENT.dropoff.phone, self.bound.token
            )
        return placed

    async def find_out(self) -> Result[Snapshot]:
        """What dispatch does about an unknown outcome: ask by our own key, or repeat where repeating is merged."""
        if self.carrier.caps.query_by_our_key:
            return await self.carrier.query(self.ref)
        return await self.order()

    async def fault(self, operation: str, fault: str, **more: Any) -> None:
        script = {"operation": operation, "fault": fault, "seconds": 2, **more}
        answer = await self.sandbox.put(f"/_sim/faults/{self.bench.provider}", json=[script])
        assert answer.status_code == 200, answer.text

    async def act(self, *actions: str, **query: Any) -> None:
        for action in actions:
            path = f"/_sim/{self.bench.provider}/orders/{self.key}/{action}"
            answer = await self.sandbox.post(path, params=query)
            assert answer.status_code == 200, answer.text

    async def shown(self) -> dict[str, Any]:
        answer = await self.sandbox.get(f"/_sim/{self.bench.provider}/orders/{self.key}")
        seen: dict[str, Any] = answer.json() if answer.status_code == 200 else {"placed": 0, "callbacks": []}
        return seen
