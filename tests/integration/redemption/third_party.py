"""Deals whose codes a third party makes: pools that a merchant fills, and an issuer that is asked."""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx

from services.redemption.gateways.issuer import HttpIssuer
from services.sandbox import keys as sandbox_keys
from services.sandbox.app import build_app
from services.sandbox.domain.issuer import SIGNATURE, TIMESTAMP, sign
from services.sandbox.settings import Settings as SandboxSettings
from shared.contracts.catalog import CodeSource, DealForm, StaffRole
from shared.contracts.checkout import OrderPaid
from shared.contracts.redemption import CertificateIssueFailed, CertificatesIssued
from shared.ids import new_id
from tests.integration.redemption.stage import Shop, Stage, as_, units_of

TEN_MINUTES = timedelta(minutes=10)
"""Whoever has no code by then is refunded."""

SECRET = "the merchant's own secret, long enough"


def codes(count: int, prefix: str = "") -> list[str]:
    """Codes that nobody else has."""
    prefix = prefix or uuid4().hex[:12].upper()
    return [f"{prefix}{number:05d}" for number in range(count)]


@dataclass(slots=True)
class Deal:
    """A deal with codes of a third party, seen from its merchant's side."""

    stage: Stage
    shop: Shop
    deal_id: UUID = field(default_factory=new_id)

    async def fill(self, texts: list[str], import_id: UUID | None = None, caller: str = "") -> httpx.Response:
        """Import codes."""
        return await self.stage.http.put(
            f"/merchants/{self.shop.merchant_id}/code-pools/{self.deal_id}/imports/{import_id or new_id()}",
            json={"codes": texts},
            headers=as_(caller or self.shop.clerk),
        )

    async def state(self) -> dict[str, int]:
        """How many codes are in which state."""
        answer = await self.stage.http.get(
            f"/merchants/{self.shop.merchant_id}/code-pools/{self.deal_id}", headers=as_(self.shop.clerk)
        )
        assert answer.status_code == 200, answer.text
        return {name: value for name, value in answer.json().items() if name != "deal_id"}

    async def sell(self, units: int = 1, *, source: CodeSource = CodeSource.POOL, uses: int = 1) -> OrderPaid:
        """An order that is paid."""
        return await self.stage.pay(
            self.shop,
            units,
            uses=uses,
            form=DealForm.THIRD_PARTY_CODE,
            code_source=source,
            deal_id=self.deal_id,
        )

    async def shown(self, order: OrderPaid) -> list[str | None]:
        """The codes that the buyer sees."""
        return [one["code"] for one in await self.stage.certificates(order)]

    async def signed_put(
        self, path: str, content: dict[str, Any], *, secret: str = SECRET, age: timedelta = timedelta()
    ) -> httpx.Response:
        """What the merchant's system sends, signed with the sandbox's code and not ours."""
        path = f"/merchants/{self.shop.merchant_id}/{path}"
        body, timestamp = json.dumps(content).encode(), str(int((datetime.now(UTC) - age).timestamp()))
        headers = {TIMESTAMP: timestamp, SIGNATURE: sign(secret, timestamp, path, body)}
        return await self.stage.http.put(path, content=body, headers={**headers, "content-type": "application/json"})


async def deal_of(stage: Stage) -> Deal:
    """A deal of a shop whose clerk is its owner."""
    shop = await stage.open_shop()
    await stage.keep_staff(shop, version=2, role=StaffRole.OWNER)
    return Deal(stage, shop)


async def name_issuer(deal: Deal, url: str = "http://127.0.0.1:9/", secret: str = SECRET) -> httpx.Response:
    """The owner says where codes come from."""
    return await deal.stage.http.put(
        f"/merchants/{deal.shop.merchant_id}/code-issuer",
        json={"url": url, "secret": secret},
        headers=as_(deal.shop.clerk),
    )


async def issued(stage: Stage, order: OrderPaid) -> list[set[UUID]]:
    """Which units were said to be issued, event by event."""
    return [set(event.unit_ids) for event in await stage.said(CertificatesIssued, order.order_id)]


async def failures(stage: Stage, order: OrderPaid) -> list[int]:
    """How often each unit was said to have failed."""
    return [len(await stage.said(CertificateIssueFailed, unit_id)) for unit_id in units_of(order)]


@dataclass(slots=True)
class Simulator:
    """The sandbox's issuer in this process, called by redemption's real client."""

    http: httpx.AsyncClient
    name: str = field(default_factory=lambda: f"issuer-{uuid4().hex[:8]}")

    async def behave(self, mode: str, secret: str = SECRET, platform_url: str = "http://127.0.0.1:9") -> None:
        body = {"secret": secret, "mode": mode, "platform_url": platform_url}
        answer = await self.http.put(f"/_sim/issuer/{self.name}", json=body)
        assert answer.status_code == 200, answer.text

    async def made(self) -> dict[str, dict[str, Any]]:
        """What the issuer made, by unit."""
        found = (await self.http.get(f"/_sim/issuer/{self.name}/codes")).json()
        return {one["unit_id"]: one for one in found}

    async def break_next(self, operation: str, fault: str, times: int = 1) -> None:
        answer = await self.http.put(
            "/_sim/faults/issuer", json=[{"operation": operation, "fault": fault, "times": times, "seconds": 0}]
        )
        assert answer.status_code == 200, answer.text


def simulate(stage: Stage, directory: Path) -> Simulator:
    """Connect the stage's redemption with a sandbox of its own."""
    sandbox_keys.make_missing(directory / "keys")
    settings = SandboxSettings(state=directory / "state.sqlite3", keys=directory / "keys", amqp_url=None)
    transport = httpx.ASGITransport(app=build_app(settings, sandbox_keys.read(settings.keys)))

    async def resolver(_: str, __: int) -> list[str]:
        return ["127.0.0.1"]

    client = httpx.AsyncClient(transport=transport)
    stage.world = replace(stage.world, issuer=HttpIssuer(client, allow_loopback=True, resolver=resolver))
    return Simulator(httpx.AsyncClient(transport=transport, base_url="http://sandbox.test"))


async def asked(deal: Deal, units: int = 1) -> OrderPaid:
    """An order of which the issuer was asked once."""
    order = await deal.sell(units, source=CodeSource.CALLBACK)
    await deal.stage.act()
    await deal.stage.act_outside()
    return order


async def ask_again(stage: Stage, after: timedelta = timedelta(seconds=31)) -> None:
    """Time goes on, and whoever is due is asked."""
    await stage.pass_time(after)
    await stage.act_outside()


async def timers_of(stage: Stage, kind: str, order: OrderPaid) -> int:
    """How many timers of this kind the order has."""
    async with stage.db.transaction() as tx:
        count: int = await tx.value(
            "select count(*) from timers where kind = $1 and key = $2", kind, str(order.order_id)
        )
    return count
