"""达达 (errand runners): one account over HTTP."""

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx

from services.dispatch.domain.attempts import Snapshot
from services.dispatch.gateways import dada_mapper as mapper
from services.dispatch.gateways.dada_mapper import DadaAccount
from services.dispatch.gateways.port import (
    Cancelled,
    CancelReason,
    Capabilities,
    Outcome,
    ProviderRef,
    RawRequest,
    Result,
    Shipment,
    WebhookBatch,
)
from services.dispatch.gateways.transport import post
from services.dispatch.gateways.wire_values import yuan_as_fen
from shared.contracts.catalog import DeliveryMode

PROVIDER = "dada"
ADD_ORDER = "/api/order/addOrder"
STATUS_QUERY = "/api/order/status/query"
FORMAL_CANCEL = "/api/order/formalCancel"


class DadaCarrier:
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
    )

    def __init__(self, account: DadaAccount, http: httpx.AsyncClient) -> None:
        self._account = account
        self._http = http

    @property
    def account(self) -> str:
        return self._account.name

    def label(self) -> str:
        return PROVIDER

    async def create(self, shipment: Shipment, attempt_key: str, callback_url: str) -> Result[Snapshot]:
        answer = await self._call(ADD_ORDER, mapper.build_order(self._account, shipment, attempt_key, callback_url))
        return answer.failed() if answer.value is None else Result(Outcome.OK, mapper.parse_created(answer.value))

    async def query(self, ref: ProviderRef) -> Result[Snapshot]:
        answer = await self._call(STATUS_QUERY, {"order_id": ref.attempt_key})
        return answer.failed() if answer.value is None else Result(Outcome.OK, mapper.parse_status(answer.value))

    async def cancel(self, ref: ProviderRef, why: CancelReason) -> Result[Cancelled]:
        reason_id, text = mapper.CANCEL_REASONS[why]
        answer = await self._call(
            FORMAL_CANCEL, {"order_id": ref.attempt_key, "cancel_reason_id": reason_id, "cancel_reason": text}
        )
        if answer.value is None:
            return Result(answer.outcome, None, answer.reason, answer.code, answer.message, answer.retry_after_s)
        return Result(Outcome.OK, Cancelled(yuan_as_fen(answer.value.get("deduct_fee"))))

    def webhook(self, raw: RawRequest) -> WebhookBatch:
        return mapper.parse_callback(raw.body)

    async def _call(self, path: str, body: Mapping[str, Any]) -> Result[dict[str, Any]]:
        content = mapper.build_request(self._account, body, int(time.time()))
        sent = await post(
            self._http,
            self._account.base_url.rstrip("/") + path,
            content,
            {"content-type": "application/json"},
            self._account.timeout_s,
        )
        if sent.value is None:
            return Result(sent.outcome, code=sent.code, retry_after_s=sent.retry_after_s)
        return mapper.parse_answer(self._account, sent.value)
