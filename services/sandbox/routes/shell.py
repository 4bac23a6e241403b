"""The landing page and the health answers."""

from collections.abc import Mapping

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from services.sandbox.routes.carriers import Simulator
from services.sandbox.routes.pages import page
from services.sandbox.store import outgoing
from services.sandbox.world import World

_OFFERS = (
    (
        "支付宝 Alipay",
        (
            ("/alipay/gateway.do", "RSA2 网关：支付、查询、关单、退款、确认结算、账单 · the gateway"),
            ("/_sim/alipay/pay", "代替买家付款 · pay as the buyer"),
            ("/_sim/alipay/app", "代替支付宝客户端打开订单串 · open an app's order string"),
            ("/_sim/alipay/book", "账本 · the book up to this moment"),
        ),
    ),
    (
        "身份 Identity",
        (
            ("/.well-known/openid-configuration", "OIDC 配置 · discovery"),
            ("/personas", "现成的身份 · ready personas"),
            ("/_sim/tokens", "任意身份的令牌 · a token for any subject"),
        ),
    ),
    (
        "时钟与故障 Clock and faults",
        (
            ("/clock", "时间旅行 · time travel"),
            ("/_sim/faults/{provider}", "故障脚本 · scripted faults"),
            ("/openapi.json", "接口文档 · the controls' schema"),
        ),
    ),
)


def build_router(world: World, simulators: Mapping[str, Simulator]) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    alipay, *others = _OFFERS
    offers = (alipay, ("配送 Carriers", _of_carriers(simulators)), *others)

    @router.get("/")
    async def landing() -> Response:
        now = f"{world.instant().now:%Y-%m-%d %H:%M:%S} UTC"
        return page("landing.html", {"now": now, "offset_s": world.offset_s, "offers": offers})

    @router.get("/livez")
    async def live() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/readyz")
    async def ready() -> Response:
        with world.db.reading() as tx:
            pending = outgoing.count_pending(tx)
        return JSONResponse({"status": "ok", "pending_deliveries": pending})

    return router


def _of_carriers(simulators: Mapping[str, Simulator]) -> tuple[tuple[str, str], ...]:
    own = [offer for simulator in simulators.values() for offer in simulator.offers]
    return (*own, (f"/_sim/{{{'|'.join(simulators)}}}/orders/…", "推动订单状态 · move a delivery on"))
