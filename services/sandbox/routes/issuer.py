"""A merchant's own code issuer and till, and the controls that play them."""

import json
import time
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from services.sandbox.domain.issuer import SIGNATURE, TIMESTAMP, IssuerShop, Mode, holds, sign
from services.sandbox.domain.refusals import SandboxRefusal
from services.sandbox.routes.faulty import under_fault
from services.sandbox.store import issuer as store
from services.sandbox.use_cases import issuer
from services.sandbox.world import World

PROVIDER = "issuer"


class ShopBody(BaseModel):
    """How this issuer behaves, and with which secret it signs."""

    model_config = ConfigDict(extra="forbid")

    secret: str = Field(min_length=32, max_length=200)
    mode: Mode = Mode.AT_ONCE
    platform_url: str = Field(default="http://127.0.0.1:8003", max_length=200, description="Where redemption is")


class TillReport(BaseModel):
    """What the merchant's own till took."""

    model_config = ConfigDict(extra="forbid")

    merchant_id: UUID
    store_id: UUID
    code: str = Field(min_length=1, max_length=64)
    report_id: UUID = Field(default_factory=uuid4)


def build_router(world: World) -> APIRouter:
    router = APIRouter()

    @router.post("/issuer/{name}", include_in_schema=False)
    async def call(name: str, request: Request) -> Response:
        act = _Call(world, name, request, await request.body())
        return await under_fault(world, PROVIDER, act.operation, act.answer, act)

    @router.put("/_sim/issuer/{name}", tags=[PROVIDER])
    async def set_shop(name: str, body: ShopBody) -> ShopBody:
        """Open an issuer under this name, or change its mode: at_once, late, never, duplicate."""
        with world.db.transaction() as tx:
            store.save_shop(tx, IssuerShop(name[:60], body.secret, body.mode, body.platform_url.rstrip("/")))
        return body

    @router.get("/_sim/issuer/{name}/codes", tags=[PROVIDER])
    async def list_codes(name: str) -> list[dict[str, Any]]:
        """What was made, newest first, and what was taken back."""
        with world.db.reading() as tx:
            issuer.shop_named(tx, name)
            made = store.codes_of(tx, name)
        return [{"unit_id": o.unit_id, "order_id": o.order_id, "code": o.code, "void": o.void} for o in made]

    @router.post("/_sim/issuer/{name}/send/{order_id}", tags=[PROVIDER])
    async def send_codes(name: str, order_id: UUID) -> dict[str, Any]:
        """Hand the codes of an order over, however late it is."""
        with world.db.reading() as tx:
            shop = issuer.shop_named(tx, name)
            made = [one for one in store.codes_of(tx, name, str(order_id)) if not one.void]
        if not made:
            raise SandboxRefusal(404, "no_codes", "没有为该订单生成券码", "No codes were made for this order.")
        codes = [{"unit_id": one.unit_id, "code": one.code} for one in made]
        return await _put(shop, f"/merchants/{made[0].merchant_id}/issued-codes/{order_id}", {"codes": codes})

    @router.post("/_sim/issuer/{name}/till", tags=[PROVIDER])
    async def take_at_the_till(name: str, body: TillReport) -> dict[str, Any]:
        """The merchant's own till takes a code and reports it."""
        with world.db.reading() as tx:
            shop = issuer.shop_named(tx, name)
        used = {"code": body.code, "store_id": str(body.store_id), "used_at": datetime.now(UTC).isoformat()}
        return await _put(shop, f"/merchants/{body.merchant_id}/external-uses/{body.report_id}", used)

    return router


async def _put(shop: IssuerShop, path: str, content: dict[str, Any]) -> dict[str, Any]:
    """Send something signed to the platform; its status and answer."""
    body, timestamp = json.dumps(content).encode(), str(int(time.time()))
    headers = {
        "content-type": "application/json",
        TIMESTAMP: timestamp,
        SIGNATURE: sign(shop.secret, timestamp, path, body),
    }
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
            answer = await client.put(f"{shop.platform_url}{path}", content=body, headers=headers)
            return {"status": answer.status_code, "answer": answer.json()}
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as failure:
        return {"status": 0, "answer": type(failure).__name__}


class _Call:
    """One signed call of the platform, and how this issuer words its failures."""

    def __init__(self, world: World, name: str, request: Request, body: bytes) -> None:
        self._world = world
        self._name = name
        self._path = request.url.path
        self._timestamp = request.headers.get(TIMESTAMP, "")
        self._signature = request.headers.get(SIGNATURE, "")
        self._raw = body
        self._body = _read_object(body)
        self.operation = str(self._body.get("type", ""))

    def answer(self) -> Response:
        with self._world.db.transaction() as tx:
            shop = issuer.shop_named(tx, self._name)
            if not holds(shop.secret, self._timestamp, self._path, self._raw, self._signature, time.time()):
                return JSONResponse({"error": "signature"}, status_code=401)
            status, answer = issuer.perform(tx, shop, self._body)
        return JSONResponse(answer, status_code=status)

    def throttled(self) -> Response:
        return JSONResponse({"error": "throttled"}, status_code=429)

    def unknown(self) -> Response:
        return JSONResponse({"error": "unknown"}, status_code=503)

    def business_error(self, code: str) -> Response:
        return JSONResponse({"error": code}, status_code=400)

    def falsified(self, answer: Response) -> Response:
        return answer  # this issuer signs no answers: the platform called it under TLS


def _read_object(body: bytes) -> dict[str, Any]:
    try:
        read = json.loads(body)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}
