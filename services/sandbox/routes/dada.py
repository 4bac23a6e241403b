"""达达's endpoints, and the controls that play its riders."""

import json
from datetime import timedelta
from sqlite3 import Connection
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from services.sandbox.domain import dada as rules
from services.sandbox.domain.dada import DadaRefusal, DadaShop
from services.sandbox.domain.refusals import SandboxRefusal
from services.sandbox.routes.carriers import Simulator, walk_step
from services.sandbox.routes.faulty import CarrierDialect, under_fault
from services.sandbox.store import dada as store
from services.sandbox.store import outgoing
from services.sandbox.use_cases import dada, dada_moves
from services.sandbox.use_cases.dada import DadaTerms, Result
from services.sandbox.world import World

# What a rider or the system does → (status, cancel_from).
_ACTIONS = {
    "accept": (2, 0),
    "arrive": (100, 0),
    "fetch": (3, 0),
    "finish": (4, 0),
    "rider-cancel": (5, 1),
    "cancel": (5, 3),
    "expire": (5, 3),
    "return": (9, 0),
    "returned": (10, 0),
    "fail": (1000, 0),
}


def build_router(world: World) -> APIRouter:
    router = APIRouter()

    @router.post("/dada/api/{operation:path}", include_in_schema=False)
    async def call(operation: str, request: Request) -> Response:
        act = _Call(world, operation, await request.body())
        return await under_fault(world, "dada", operation.removeprefix("order/"), act.answer, act)

    @router.get("/_sim/dada/orders/{origin_id}", tags=["dada"])
    async def show_order(origin_id: str) -> dict[str, Any]:
        with world.db.reading() as tx:
            order = _find(tx, origin_id)
            sent = outgoing.of_ref(tx, origin_id)
        calls = [{"state": c.state, "attempts": c.attempts, "last_answer": c.last_answer} for c in sent]
        return {**dada.status_view(order), "callback": order.terms["callback"], "placed": 1, "callbacks": calls}

    @router.post("/_sim/dada/orders/{origin_id}/{action}", tags=["dada"])
    async def act_as_rider(
        origin_id: str,
        action: str,
        code: Annotated[int, Query(ge=0, le=100_000)] = 777,
        reason: Annotated[str, Query(max_length=100)] = "",
    ) -> dict[str, Any]:
        """accept, arrive, fetch, finish, rider-cancel, cancel, expire, return, returned, fail; reassign and transfer
        change the rider; status only calls back with `code`."""
        at = world.instant()
        with world.db.transaction() as tx:
            order = _find(tx, origin_id)
            if action == "status":
                dada_moves.tell(tx, order, code, at, reason=reason)
            elif action in ("reassign", "transfer"):
                lost = action == "reassign"
                order = dada_moves.move(tx, order, 1 if lost else 2, at, repeat_reason=1 if lost else 2)
            elif action in _ACTIONS:
                status, cancel_from = _ACTIONS[action]
                try:
                    rules.check_move(order.status, status)
                except DadaRefusal as refusal:
                    raise SandboxRefusal(409, "move_illegal", refusal.msg, "The order cannot make this step.") from None
                order = dada_moves.move(tx, order, status, at, cancel_from=cancel_from, reason=reason)
            else:
                raise SandboxRefusal(404, "action_unknown", "没有这个动作", "There is no such action.")
        return dada.status_view(order)

    return router


def _find(tx: Connection, origin_id: str) -> rules.DadaOrder:
    try:
        return dada.find(tx, {"order_id": origin_id})
    except DadaRefusal:
        raise SandboxRefusal(404, "order_not_found", "订单不存在", "There is no such order.") from None


class _Call(CarrierDialect):
    """One call of 达达's API, and how it words its failures."""

    def __init__(self, world: World, operation: str, body: bytes) -> None:
        self._world = world
        self._operation = operation
        self._body = body

    def answer(self) -> Response:
        try:
            envelope = _read_object(self._body)
            with self._world.db.transaction() as tx:
                terms = _terms(self._world, walk_step(tx, self._world.settings))
                body = dada.read_envelope(envelope, terms)
                result = dada.perform(tx, self._operation, body, terms, self._world.instant())
        except DadaRefusal as refusal:
            return _failed(refusal.code, refusal.msg)
        return _succeeded(result)

    def throttled(self) -> Response:
        return _failed(rules.THROTTLED, "请求过于频繁")

    def unknown(self) -> Response:
        return _failed(2155, "系统繁忙")

    def business_error(self, code: str) -> Response:
        return _failed(int(code) if code.isdecimal() else rules.STATE_WRONG, "按脚本返回的业务错误")

    def balance_short(self) -> Response:
        return _failed(rules.BALANCE_SHORT, "账户余额不足")

    def stale_quote(self) -> Response:
        return _failed(rules.QUOTE_STALE, "运费查询已失效，请重新查询")

    def lost_to_pickup(self) -> Response:
        at = self._world.instant()
        with self._world.db.transaction() as tx:
            terms = _terms(self._world, None)
            order = dada.find(tx, dada.read_envelope(_read_object(self._body), terms))
            for status in (2, 3):
                if order.status != 3:
                    order = dada_moves.move(tx, order, status, at)
        return self.answer()


def _read_object(body: bytes) -> dict[str, Any]:
    try:
        read = json.loads(body)
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise DadaRefusal(rules.PARAMETER_WRONG, "请求不是 JSON 对象")
    return read


def _terms(world: World, step: timedelta | None) -> DadaTerms:
    return DadaTerms(world.settings.shop(DadaShop), step)


def _succeeded(result: Result) -> Response:
    return JSONResponse({"status": "success", "code": 0, "msg": "成功", "result": result, "errorCode": 0})


def _failed(code: int, msg: str) -> Response:
    return JSONResponse({"status": "fail", "code": code, "msg": msg, "result": None, "errorCode": code})


SIMULATOR = Simulator(
    offers=(("/dada/api/order/…", "达达 · instant delivery"),),
    build_router=build_router,
    build_channel=lambda settings: dada_moves.DadaChannel(settings.shop(DadaShop).callback_intervals_s),
    walk=lambda _world, tx, at, step: dada_moves.walk(tx, at, step),
    purge=lambda tx, at: store.purge_quotes(tx, at.now),
)
