"""快递100 商家寄件 (couriers): one account over HTTP."""

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

import httpx

from services.dispatch.domain.attempts import AttemptState, Snapshot
from services.dispatch.gateways import kuaidi100_mapper as mapper
from services.dispatch.gateways.kuaidi100_mapper import Kuaidi100Account
from services.dispatch.gateways.plain import PlainCarrier
from services.dispatch.gateways.port import (
    Cancelled,
    CancelReason,
    Capabilities,
    Outcome,
    ProviderRef,
    Quote,
    RawRequest,
    Reason,
    Result,
    Shipment,
    WebhookBatch,
)
from services.dispatch.gateways.transport import FORM, post
from services.dispatch.gateways.wire_values import read_json
from shared.contracts.catalog import DeliveryMode

PROVIDER = "kuaidi100"
COMPANIES = {
    "yuantong": "圆通速递",
    "zhongtong": "中通快递",
    "shentong": "申通快递",
    "yunda": "韵达快递",
    "jtexpress": "极兔速递",
    "shunfeng": "顺丰速运",
    "jd": "京东物流",
    "debangkuaidi": "德邦快递",
    "ems": "EMS",
    "youzhengguonei": "邮政快递包裹",
}
"""The provider's code of a courier → the name on its vans."""


class Kuaidi100Carrier(PlainCarrier):
    """One 快递100 account over HTTP."""

    provider = PROVIDER
    caps = Capabilities(
        mode=DeliveryMode.COURIER,
        max_weight_g=100_000,
        # The provider finds an order only by its own ids, but answers our number with the first order for 48 hours.
        query_by_our_key=False,
        cancel_by_our_key=False,
        merges_repeats_for=timedelta(hours=47),
        silence=timedelta(hours=2),
        quotes=True,
        subscribes=True,
    )

    def __init__(self, account: Kuaidi100Account, http: httpx.AsyncClient) -> None:
        self._account = account
        self._http = http

    @property
    def account(self) -> str:
        return self._account.name

    def label(self) -> str:
        return COMPANIES.get(self._account.company, self._account.company)

    async def quote(self, shipment: Shipment, _attempt_key: str, _callback_url: str, /) -> Result[Quote]:
        answer = await self._call("price", mapper.build_price(self._account, shipment))
        if answer.value is None:
            return answer.failed()
        quote = mapper.parse_quote(answer.value)
        return Result(Outcome.UNKNOWN, code="no_price") if quote is None else Result(Outcome.OK, quote)

    async def create(
        self, shipment: Shipment, attempt_key: str, callback_url: str, _quote: Quote | None = None, /
    ) -> Result[Snapshot]:
        answer = await self._call("bOrder", mapper.build_order(self._account, shipment, attempt_key, callback_url))
        if answer.value is None:
            decided = answer.outcome is not Outcome.REJECTED or answer.code not in mapper.DECIDES_NOTHING
            return answer.failed() if decided else Result(Outcome.UNKNOWN, None, Reason.OTHER, answer.code)
        created = mapper.parse_created(answer.value)
        return Result(Outcome.UNKNOWN, code="no_ids") if created is None else Result(Outcome.OK, created)

    async def query(self, ref: ProviderRef, /) -> Result[Snapshot]:
        if ref.provider_id is None:
            return Result(Outcome.REJECTED, reason=Reason.NOT_FOUND, code="no_task_id")
        answer = await self._call("detail", {"taskId": ref.provider_id.partition("/")[0]})
        if answer.value is None:
            return answer.failed()
        order = mapper.parse_order(answer.value)
        if order.state is AttemptState.CANCELLED:
            order = replace(order, cancel_fee_fen=self._account.cancel_fee_fen)
        waybill = order.waybill or ref.waybill
        if order.state is not AttemptState.IN_TRANSIT or not waybill:
            return Result(Outcome.OK, order)
        track = await self._track(waybill, ref.phone)
        return Result(Outcome.OK, order if track is None or track.state is None else track)

    async def cancel(self, ref: ProviderRef, why: CancelReason, /) -> Result[Cancelled]:
        if ref.provider_id is None:
            return Result(Outcome.REJECTED, reason=Reason.NOT_FOUND, code="no_task_id")
        task_id, _, order_id = ref.provider_id.partition("/")
        answer = await self._call(
            "cancel", {"taskId": task_id, "orderId": order_id, "cancelMsg": mapper.CANCEL_TEXTS[why][:30]}
        )
        if answer.value is None:
            return answer.failed()
        return Result(Outcome.OK, Cancelled(self._account.cancel_fee_fen))

    async def subscribe(self, ref: ProviderRef, callback_url: str, /) -> Result[None]:
        """Have the track pushed. An order asks for that itself; this is for a waybill that became known later."""
        if ref.waybill is None:
            return Result(Outcome.REJECTED, reason=Reason.NOT_FOUND, code="no_waybill")
        content = mapper.build_subscription(self._account, ref.waybill, ref.phone, callback_url)
        sent = await post(self._http, self._account.subscribe_url, content, FORM, self._account.timeout_s)
        if sent.value is None:
            return Result(sent.outcome, code=sent.code, retry_after_s=sent.retry_after_s)
        return mapper.parse_subscribed(sent.value)

    def webhook(self, raw: RawRequest, /) -> WebhookBatch:
        return mapper.parse_webhook(raw, self._account.salt.get_secret_value())

    async def _track(self, waybill: str, phone: str) -> Snapshot | None:
        """The track of a waybill that was picked up; None while there is none to be had."""
        content = mapper.build_track(self._account, waybill, phone)
        sent = await post(self._http, self._account.track_url, content, FORM, self._account.timeout_s)
        if sent.value is None:
            return None
        try:
            track = read_json(sent.value)
        except ValueError:
            return None
        return mapper.parse_track(track) if isinstance(track, dict) and "state" in track else None

    async def _call(self, method: str, param: Mapping[str, Any]) -> Result[dict[str, Any]]:
        content = mapper.build_call(self._account, method, param, int(time.time() * 1000))
        sent = await post(self._http, self._account.order_url, content, FORM, self._account.timeout_s)
        if sent.value is None:
            return Result(sent.outcome, code=sent.code, retry_after_s=sent.retry_after_s)
        return mapper.parse_answer(sent.value)


class Kuaidi100(Kuaidi100Account):
    """The account as a deployment sets it."""

    address: ClassVar[tuple[str, str]] = ("order_url", "/kuaidi100/order/borderapi.do")

    def open(self, http: httpx.AsyncClient) -> Kuaidi100Carrier:
        """The account's client."""
        return Kuaidi100Carrier(self, http)


ACCOUNT_CLASS = Kuaidi100
