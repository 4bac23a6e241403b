"""Alipay's gateway and bill downloads."""

import json
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from services.sandbox.domain.refusals import AlipayRefusal
from services.sandbox.routes.faulty import under_fault
from services.sandbox.routes.pages import error_page
from services.sandbox.routes.parsing import form_params
from services.sandbox.use_cases import alipay_bills, alipay_buyer, alipay_gateway
from services.sandbox.use_cases.alipay_gateway import PAGE_METHODS, Addresses, envelope, failure, success
from services.sandbox.world import World


def build_router(world: World) -> APIRouter:
    router = APIRouter(prefix="/alipay", include_in_schema=False)

    @router.api_route("/gateway.do", methods=["GET", "POST"])
    async def gateway(request: Request) -> Response:
        params = await form_params(request)
        method = params.get("method", "")
        addresses = Addresses(str(request.base_url).rstrip("/"), world.settings.public_url)
        act = _Call(world, params, method, addresses)
        return await under_fault(world, "alipay", method.removeprefix("alipay."), act.answer, act)

    @router.get("/bills/{token}/{_filename}")
    async def download_bill(token: str, _filename: str) -> Response:
        with world.db.transaction() as tx:
            archive = alipay_bills.fetch_bill(tx, world.terms, token, world.instant())
        disposition = f'attachment; filename="{world.terms.seller_id}.csv.zip"'
        return Response(archive, media_type="application/zip", headers={"content-disposition": disposition})

    return router


class _Call:
    """One call of the gateway, and how Alipay words its failures."""

    def __init__(self, world: World, params: dict[str, str], method: str, addresses: Addresses) -> None:
        self._world = world
        self._params = params
        self._method = method
        self._addresses = addresses

    def answer(self) -> Response:
        try:
            alipay_gateway.check_request(self._params, self._world.terms, self._world.keys.app_public)
            if self._method in PAGE_METHODS:
                return self._to_cashier()
            with self._world.db.transaction() as tx:
                node = alipay_gateway.perform(
                    tx, self._world.terms, self._params, self._addresses, self._world.instant()
                )
        except AlipayRefusal as refusal:
            return self._refused(refusal)
        return self._signed(success(node))

    def throttled(self) -> Response:
        return self._refused(AlipayRefusal("isv.app-call-limited", "应用调用次数超限", code="40005"))

    def unknown(self) -> Response:
        return self._refused(AlipayRefusal("isp.unknow-error", "系统繁忙", code="20000"))

    def business_error(self, code: str) -> Response:
        return self._refused(AlipayRefusal(code or "ACQ.SYSTEM_ERROR", "按脚本返回的业务错误"))

    def falsified(self, answer: Response) -> Response:
        name = f"{self._method.replace('.', '_')}_response"
        try:
            node: dict[str, Any] = json.loads(bytes(answer.body))[name]
        except (ValueError, KeyError):
            return answer  # a redirect carries no signature that could be false
        return self._signed(node, forged=True)

    def _to_cashier(self) -> Response:
        with self._world.db.transaction() as tx:
            token = alipay_buyer.keep_pay_link(tx, self._world.terms, self._params, self._world.instant())
        return RedirectResponse(f"/alipay/cashier/{token}", status_code=302)

    def _refused(self, refusal: AlipayRefusal) -> Response:
        if self._method in PAGE_METHODS:
            return error_page(refusal.sub_msg, refusal.sub_code)
        return self._signed(failure(refusal))

    def _signed(self, node: dict[str, Any], forged: bool = False) -> Response:
        text = envelope(self._method, node, self._world.keys.alipay_private, forged)
        return Response(text, media_type="application/json;charset=utf-8")
