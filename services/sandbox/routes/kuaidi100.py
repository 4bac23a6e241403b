"""快递100's endpoints, and the controls that play its couriers."""

from collections.abc import Callable
from dataclasses import replace
from sqlite3 import Connection
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel, ConfigDict, Field

from services.sandbox.domain import kuaidi100 as rules
from services.sandbox.domain.kuaidi100 import Kuaidi100Shop, KuaidiOrder, KuaidiRefusal, Trace
from services.sandbox.domain.refusals import SandboxRefusal
from services.sandbox.routes.carriers import Simulator, walk_step
from services.sandbox.routes.faulty import CarrierDialect, under_fault
from services.sandbox.routes.parsing import form_params
from services.sandbox.store import kuaidi100 as store
from services.sandbox.store import outgoing
from services.sandbox.use_cases import kuaidi100, kuaidi100_tracks
from services.sandbox.world import World


class TraceBody(BaseModel):
    """Something that a waybill passes; `state` as in track answers."""

    model_config = ConfigDict(extra="forbid")

    state: str = Field(pattern=r"^(0|1|2|3|4|5|6|7|8|10|11|12|13|14)$")
    context: str = Field(min_length=1, max_length=200)


def build_router(world: World) -> APIRouter:
    router = APIRouter()
    _add_protocol(router, world)
    _add_controls(router, world)
    return router


def _add_protocol(router: APIRouter, world: World) -> None:
    settings = world.settings
    shop = settings.shop(Kuaidi100Shop)

    @router.post("/kuaidi100/order/borderapi.do", include_in_schema=False)
    async def order_call(request: Request) -> Response:
        form = await form_params(request)

        def act() -> dict[str, Any]:
            with world.db.transaction() as tx:
                step = walk_step(tx, settings)
                secret = shop.secret.get_secret_value()
                return kuaidi100.perform(tx, form, shop.key, secret, step, world.instant())

        def pick_up() -> None:
            with world.db.transaction() as tx:
                order = _find(tx, str(kuaidi100.read_param(form.get("param", "")).get("orderId", "")))
                _act(tx, order, "pickup", world)

        reply = _Reply(act, pick_up)
        return await under_fault(world, "kuaidi100", form.get("method", ""), reply.answer, reply)

    @router.post("/kuaidi100/poll", include_in_schema=False)
    async def subscribe(request: Request) -> Response:
        form = await form_params(request)

        def act() -> dict[str, Any]:
            with world.db.transaction() as tx:
                param = kuaidi100.read_param(form.get("param", ""))
                kuaidi100_tracks.subscribe(tx, param, shop.key, world.instant())
            return {"message": "提交成功"}

        reply = _Reply(act)
        return await under_fault(world, "kuaidi100", "poll", reply.answer, reply)

    @router.post("/kuaidi100/poll/query.do", include_in_schema=False)
    async def query_track(request: Request) -> Response:
        form = await form_params(request)

        def act() -> dict[str, Any]:
            with world.db.reading() as tx:
                return kuaidi100_tracks.query(tx, form, shop.key, shop.customer)

        reply = _Reply(act)
        return await under_fault(world, "kuaidi100", "query", reply.answer, reply)


def _add_controls(router: APIRouter, world: World) -> None:
    @router.get("/_sim/kuaidi100/orders/{order_id}", tags=["kuaidi100"])
    async def show_order(order_id: str) -> dict[str, Any]:
        with world.db.reading() as tx:
            order = _find(tx, order_id)
            sent = [*outgoing.of_ref(tx, order.order_id), *outgoing.of_ref(tx, order.kuaidinum)]
            passed = store.traces(tx, order.kuaidinum)
            placed = store.count_by_third(tx, order.third_order_id)
        calls = [{"state": c.state, "attempts": c.attempts, "last_answer": c.last_answer} for c in sent]
        told = {"traces": [trace.state for trace in passed], "placed": placed, "callbacks": calls}
        return {**kuaidi100.view(order), **told}

    @router.post("/_sim/kuaidi100/orders/{order_id}/{action}", tags=["kuaidi100"])
    async def act_as_courier(
        order_id: str,
        action: str,
        code: Annotated[int, Query(ge=0, le=100_000)] = 777,
        freight_fen: Annotated[int | None, Query(ge=0, le=10**8)] = None,
    ) -> dict[str, Any]:
        """accept, pickup, transit, deliver, sign, problem, refuse, return, returned, carrier-cancel, fail; fee and
        reweigh bring a new freight; status only calls back with `code`."""
        at = world.instant()
        with world.db.transaction() as tx:
            order = _find(tx, order_id)
            if action in ("fee", "reweigh"):
                order = replace(order, fee_fen=order.fee_fen if freight_fen is None else freight_fen)
                store.save_order(tx, order)
                kuaidi100.tell(tx, order, rules.SETTLED_FEE if action == "fee" else rules.REWEIGHED, at)
            elif action == "status":
                kuaidi100.tell(tx, order, code, at)
            elif action in rules.ACTIONS:
                order = _act(tx, order, action, world)
            else:
                raise SandboxRefusal(404, "action_unknown", "没有这个动作", "There is no such action.")
        return kuaidi100.view(order)

    @router.post("/_sim/kuaidi100/tracks/{number}", tags=["kuaidi100"], status_code=204)
    async def add_trace(number: str, body: TraceBody) -> None:
        """Let a waybill of any origin pass something: also ones that the shop brought itself."""
        at = world.instant()
        with world.db.transaction() as tx:
            kuaidi100_tracks.add_trace(tx, number, Trace(body.state, body.context, at.now), at)


def _act(tx: Connection, order: KuaidiOrder, action: str, world: World) -> KuaidiOrder:
    try:
        return kuaidi100.act(tx, order, action, world.instant())
    except KuaidiRefusal as refusal:
        raise SandboxRefusal(409, "move_illegal", refusal.message, "The order cannot make this step.") from None


def _find(tx: Connection, order_id: str) -> KuaidiOrder:
    """By the provider's orderId, or by the shop's own thirdOrderId."""
    order = store.find_order(tx, order_id) or store.find_by_third(tx, order_id)
    if order is None:
        raise SandboxRefusal(404, "order_not_found", "订单不存在", "There is no such order.")
    return order


class _Reply(CarrierDialect):
    """How 快递100 words success and failure."""

    def __init__(self, act: Callable[[], dict[str, Any]], pick_up: Callable[[], None] | None = None) -> None:
        self._act = act
        self._pick_up = pick_up

    def answer(self) -> Response:
        try:
            return JSONResponse({"result": True, "returnCode": "200", **self._act()})
        except KuaidiRefusal as refusal:
            return _failed(refusal.code, refusal.message)

    def throttled(self) -> Response:
        return PlainTextResponse("Too Many Requests", status_code=429)

    def unknown(self) -> Response:
        return _failed("500", "服务器错误")

    def business_error(self, code: str) -> Response:
        return _failed(code or "500", "按脚本返回的业务错误")

    def balance_short(self) -> Response:
        return _failed("601", "账户余额不足")

    def stale_quote(self) -> Response:
        return _failed("500", "价格已变化")

    def lost_to_pickup(self) -> Response:
        if self._pick_up is not None:
            self._pick_up()
        return self.answer()


def _failed(code: str, message: str) -> Response:
    return JSONResponse({"result": False, "returnCode": code, "message": message})


SIMULATOR = Simulator(
    offers=(("/kuaidi100/order/borderapi.do", "快递100 商家寄件 · courier"),),
    build_router=build_router,
    build_channel=lambda settings: kuaidi100.Kuaidi100Channel(settings.shop(Kuaidi100Shop).callback_intervals_s),
    walk=lambda _world, tx, at, step: kuaidi100.walk(tx, at, step),
)
