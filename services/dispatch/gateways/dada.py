"""达达 (errand runners): one account over HTTP."""

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

import httpx

from services.dispatch.domain.attempts import Snapshot
from services.dispatch.gateways import dada_mapper as mapper
from services.dispatch.gateways.dada_mapper import DadaAccount
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
    RiderPosition,
    Shipment,
    WebhookBatch,
)
from services.dispatch.gateways.transport import JSON, post
from services.dispatch.gateways.wire_values import yuan_as_fen
from shared.contracts.catalog import DeliveryMode

PROVIDER = "dada"
QUERY_FEE = "/api/order/queryDeliverFee"
ADD_AFTER_QUERY = "/api/order/addAfterQuery"
ADD_ORDER = "/api/order/addOrder"
STATUS_QUERY = "/api/order/status/query"
FORMAL_CANCEL = "/api/order/formalCancel"
ADD_TIP = "/api/order/addTip"
POSITION = "/api/order/transporter/position"
CONFIRM_GOODS = "/api/order/confirm/goods"


class DadaCarrier(PlainCarrier):
    """One 达达 account over HTTP."""

    provider = PROVIDER
    caps = Capabilities(
        mode=DeliveryMode.INSTANT,
        max_weight_g=50_000,
        query_by_our_key=True,
        cancel_by_our_key=True,
        # What a repeated origin_id does is not documented: an order is never sent twice, it is asked about.
        merges_repeats_for=None,
        silence=timedelta(seconds=60),
        quotes=True,
        position=True,
        tips=True,
        confirms_returns=True,
    )

    def __init__(self, account: DadaAccount, http: httpx.AsyncClient) -> None:
        self._account = account
        self._http = http

    @property
    def account(self) -> str:
        return self._account.name

    def label(self) -> str:
        return "达达"

    async def quote(self, shipment: Shipment, attempt_key: str, callback_url: str, /) -> Result[Quote]:
        answer = await self._call(QUERY_FEE, mapper.build_order(self._account, shipment, attempt_key, callback_url))
        if answer.value is None:
            return answer.failed()
        quote = mapper.parse_quote(answer.value)
        return Result(Outcome.UNKNOWN, code="no_price") if quote is None else Result(Outcome.OK, quote)

    async def create(
        self, shipment: Shipment, attempt_key: str, callback_url: str, quote: Quote | None = None, /
    ) -> Result[Snapshot]:
        if quote is not None and quote.token:
            answer = await self._call(ADD_AFTER_QUERY, {"deliveryNo": quote.token})
            return self._placed(answer, quote)
        return self._placed(
            await self._call(ADD_ORDER, mapper.build_order(self._account, shipment, attempt_key, callback_url))
        )

    def _placed(self, answer: Result[dict[str, Any]], quote: Quote | None = None) -> Result[Snapshot]:
        if answer.value is None:
            return answer.failed()
        placed = mapper.parse_created(answer.value)
        fee_fen = quote.fee_fen if quote and placed.fee_fen is None else placed.fee_fen
        return Result(Outcome.OK, replace(placed, fee_fen=fee_fen))

    async def query(self, ref: ProviderRef, /) -> Result[Snapshot]:
        answer = await self._call(STATUS_QUERY, {"order_id": ref.attempt_key})
        return answer.failed() if answer.value is None else Result(Outcome.OK, mapper.parse_status(answer.value))

    async def cancel(self, ref: ProviderRef, why: CancelReason, /) -> Result[Cancelled]:
        reason_id, text = mapper.CANCEL_REASONS[why]
        answer = await self._call(
            FORMAL_CANCEL, {"order_id": ref.attempt_key, "cancel_reason_id": reason_id, "cancel_reason": text}
        )
        if answer.value is None:
            return answer.failed()
        return Result(Outcome.OK, Cancelled(yuan_as_fen(answer.value.get("deduct_fee"))))

    async def position(self, ref: ProviderRef, /) -> Result[RiderPosition]:
        answer = await self._call(POSITION, {"orderIds": [ref.attempt_key]})
        if answer.value is None:
            return answer.failed()
        position = mapper.parse_position(answer.value, ref.attempt_key)
        return Result(Outcome.REJECTED, reason=Reason.NOT_FOUND) if position is None else Result(Outcome.OK, position)

    async def tip(self, ref: ProviderRef, tip_fen: int, /) -> Result[None]:
        answer = await self._call(ADD_TIP, mapper.build_tip(ref.attempt_key, tip_fen))
        return answer.failed() if answer.value is None else Result(Outcome.OK)

    async def confirm_return(self, ref: ProviderRef, /) -> Result[None]:
        answer = await self._call(CONFIRM_GOODS, {"order_id": ref.attempt_key})
        return answer.failed() if answer.value is None else Result(Outcome.OK)

    def webhook(self, raw: RawRequest, /) -> WebhookBatch:
        return mapper.parse_callback(raw.body)

    async def _call(self, path: str, body: Mapping[str, Any]) -> Result[dict[str, Any]]:
        content = mapper.build_request(self._account, body, int(time.time()))
        sent = await post(
            self._http,
            self._account.base_url.rstrip("/") + path,
            content,
            JSON,
            self._account.timeout_s,
        )
        if sent.value is None:
            return Result(sent.outcome, code=sent.code, retry_after_s=sent.retry_after_s)
        return mapper.parse_answer(self._account, sent.value)


class Dada(DadaAccount):
    """The account as a deployment sets it."""

    address: ClassVar[tuple[str, str]] = ("base_url", "/dada")

    def open(self, http: httpx.AsyncClient) -> DadaCarrier:
        """The account's client."""
        return DadaCarrier(self, http)


ACCOUNT_CLASS = Dada
