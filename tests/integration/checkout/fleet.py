"""Several real checkout processes on one schema, an issuer whose tokens they accept, and a crowd of buyers."""

import asyncio
import itertools
import json
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from uuid import UUID

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from services.console.environment import environment as variables
from services.console.local.ports import free_port
from services.console.local.processes import Processes
from shared.auth import AUDIENCE
from tests.support.environment import Environment
from tests.support.servers import ROOT
from tests.support.wire import Answer, Wire

READY_S = 60.0
PATIENCE_S = 60.0


class Issuer:
    """Signs tokens, and publishes the key by HTTP on loopback."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def token(self, subject: str) -> str:
        now = int(time.time())
        claims = {"iss": self.url, "aud": AUDIENCE, "sub": subject, "iat": now, "exp": now + 600}
        return jwt.encode(claims, self._key, "ES256", headers={"kid": "k1"})

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._answer, "127.0.0.1", self.port)
        async with server:
            yield

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        jwk = {**ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True), "kid": "k1", "alg": "ES256", "use": "sig"}
        body = json.dumps({"keys": [jwk]}).encode()
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
        writer.write(f"{head}connection: close\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()


@dataclass
class Fleet:
    """Checkout, several times over."""

    environment: Environment
    issuer: Issuer
    ports: dict[str, int]
    processes: Processes = field(init=False)

    def __post_init__(self) -> None:
        self.processes = Processes(self.environment.local.var)

    def launch(self, name: str) -> None:
        """Start one of them (again) without waiting."""
        ports = {**self.environment.local.ports, "checkout": self.ports[name]}
        env = variables("checkout", replace(self.environment.local, ports=ports))
        env |= {"GROUPBUY_ISSUER": self.issuer.url, "GROUPBUY_JWKS_URL": self.issuer.url}
        env |= {"GROUPBUY_LOG_LEVEL": "WARNING"}
        del env["GROUPBUY_CLOCK_URL"]
        self.processes.start(name, [sys.executable, "-m", "services.checkout"], env=env, cwd=ROOT)

    def await_ready(self, name: str) -> None:
        url = f"http://127.0.0.1:{self.ports[name]}/readyz"

        def answers() -> bool:
            try:
                return httpx.get(url, trust_env=False, timeout=5).status_code == 200
            except httpx.TransportError:
                return False

        self.processes.await_ready(name, answers, READY_S)


@asynccontextmanager
async def running_fleet(environment: Environment, size: int) -> AsyncIterator[Fleet]:
    """So many processes, ready, and gone afterwards."""
    fleet = Fleet(environment, Issuer(), {f"checkout-{n}": free_port() for n in range(size)})
    async with fleet.issuer.serving():
        try:
            for name in fleet.ports:
                fleet.launch(name)
            for name in fleet.ports:
                await asyncio.to_thread(fleet.await_ready, name)
            yield fleet
        finally:
            await asyncio.to_thread(fleet.processes.stop_all)


@dataclass(frozen=True)
class Wish:
    """One order that somebody wants."""

    order_id: UUID
    buyer: str
    deal_id: UUID
    quantity: int


@dataclass
class Crowd:
    """Buyers who ask any process, and ask again, with the same id, as long as they have no answer."""

    fleet: Fleet
    answers: dict[UUID, Answer] = field(default_factory=dict)
    unanswered: int = 0
    _reached: list[tuple[int, asyncio.Event]] = field(default_factory=list)

    async def until(self, answers: int) -> None:
        """Wait until so many are answered."""
        event = asyncio.Event()
        self._reached.append((answers, event))
        await event.wait()

    async def ask_all(self, wishes: list[Wish], at_once: int) -> None:
        """Everybody, so many at a time, in this order."""
        queue = iter(wishes)
        async with asyncio.TaskGroup() as group:
            for number in range(at_once):
                group.create_task(self._one_after_another(queue, number))

    async def _one_after_another(self, queue: Iterator[Wish], number: int) -> None:
        wires = [Wire(port) for port in self.fleet.ports.values()]
        turns = itertools.cycle(wires[number % len(wires) :] + wires[: number % len(wires)])
        for wish in queue:
            answer = self.answers[wish.order_id] = await self._ask(wish, turns)
            assert answer[0] < 500, answer
            for answers, event in self._reached:
                if len(self.answers) >= answers:
                    event.set()
        for wire in wires:
            wire.close()

    async def _ask(self, wish: Wish, turns: Iterator[Wire]) -> Answer:
        body = {"deal_id": str(wish.deal_id), "deal_version": 1, "quantity": wish.quantity}
        token = self.fleet.issuer.token(wish.buyer)
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            try:
                answer = await next(turns).put(f"/orders/{wish.order_id}", token, body)
            except (OSError, EOFError):
                self.unanswered += 1
            else:
                # While it starts or ends, a process says so.
                if answer[0] != 503:
                    return answer
            await asyncio.sleep(0.02)
        raise AssertionError(f"nobody answers {wish}")
