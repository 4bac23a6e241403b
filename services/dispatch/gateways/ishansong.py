"""闪送 (errand runners): one account over HTTP."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import httpx

from services.dispatch.domain.attempts import AttemptState, Snapshot
from services.dispatch.gateways import ishansong_mapper as mapper
from services.dispatch.gateways.ishansong_mapper import IshansongAccount
from services.dispatch.gateways.plain import PlainCarrier
from services.dispatch.gateways.port import (
    Cancelled,
    CancelReason,
    CancelTerms,
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
from services.dispatch.gateways.transport import FORM, post
from shared.contracts.catalog import DeliveryMode

PROVIDER = "ishansong"
_API = "/openapi/merchants/v5/"
_SMALLEST_TIP_FEN = 100


class IshansongCarrier(PlainCarrier):
    """One 闪送 account over HTTP. The quote gives the number under which the order will exist, so that after a call
    whose outcome is unknown the carrier can be asked about exactly that order."""

    provider = PROVIDER
    caps = Capabilities(
        mode=DeliveryMode.INSTANT,
        max_weight_g=50_000,
        query_by_our_key=True,
        cancel_by_our_key=True,
        # Whether placing the same number again is merged is not documented: it is asked about instead.
        merges_repeats_for=None,
        silence=timedelta(seconds=60),
        quotes=True,
        needs_quote=True,
        cancel_terms=True,
        position=True,
        tips=True,
        confirms_returns=True,
    )

    def __init__(self, account: IshansongAccount, http: httpx.AsyncClient) -> None:
        self._account = account
        self._http = http

    @property
    def account(self) -> str:
        return self._account.name

    @property
    def address_token(self) -> str | None:
        return self._account.callback_token.get_secret_value() or None

    def label(self) -> str:
        return "闪送"

    async def quote(self, shipment: Shipment, attempt_key: str, _callback_url: str, /) -> Result[Quote]:
        answer = await self._call("orderCalculate", mapper.build_quote(shipment, attempt_key))
        if answer.value is None:
            return answer.failed()
        quote = mapper.parse_quote(self._account, answer.value, datetime.now(UTC))
        return Result(Outcome.UNKNOWN, code="no_number") if quote is None else Result(Outcome.OK, quote)

    async def create(
        self, _shipment: Shipment, _attempt_key: str, _callback_url: str, quote: Quote | None = None, /
    ) -> Result[Snapshot]:
        if quote is None or quote.token is None:
            return Result(Outcome.REJECTED, reason=Reason.QUOTE_STALE, code="no_quote")
        answer = await self._call("orderPlace", {"issOrderNo": quote.token})
        if answer.value is None:
            return answer.failed()
        return Result(Outcome.OK, mapper.parse_placed(answer.value, quote.token))

    async def query(self, ref: ProviderRef, /) -> Result[Snapshot]:
        number = ref.provider_id or ref.token
        answer = await self._call("orderInfo", _named(ref))
        return (
            answer.failed()
            if answer.value is None
            else Result(Outcome.OK, mapper.parse_status(self._account, answer.value, number or ""))
        )

    async def cancel_terms(self, ref: ProviderRef, /) -> Result[CancelTerms]:
        answer = await self._call("preAbortOrder", _named(ref))
        if answer.value is None:
            return answer.failed()
        return Result(Outcome.OK, CancelTerms(mapper.parse_cancel_fee(answer.value)))

    async def cancel(self, ref: ProviderRef, _why: CancelReason, /) -> Result[Cancelled]:
        answer = await self._call("abortOrder", {**_named(ref), "deductFlag": self._account.agree_to_deduct})
        if answer.value is None:
            return answer.failed()
        # A rider who has the goods takes the cancellation too, and brings them back: only the order itself tells.
        seen = await self.query(ref)
        if seen.value is None:
            return Result(Outcome.UNKNOWN, code="cancelled_unconfirmed")
        if seen.value.state is not AttemptState.CANCELLED:
            return Result(Outcome.REJECTED, reason=Reason.TOO_LATE, code=f"status_{seen.value.raw_status}")
        return Result(Outcome.OK, Cancelled(mapper.parse_cancel_fee(answer.value)))

    async def position(self, ref: ProviderRef, /) -> Result[RiderPosition]:
        answer = await self._call("courierInfo", _named(ref))
        if answer.value is None:
            return answer.failed()
        position = mapper.parse_position(answer.value)
        return Result(Outcome.REJECTED, reason=Reason.NOT_FOUND) if position is None else Result(Outcome.OK, position)

    async def tip(self, ref: ProviderRef, tip_fen: int, /) -> Result[None]:
        whole_yuan = tip_fen // _SMALLEST_TIP_FEN * _SMALLEST_TIP_FEN
        answer = await self._call("addition", {**_named(ref), "additionAmount": whole_yuan})
        return answer.failed() if answer.value is None else Result(Outcome.OK)

    async def confirm_return(self, ref: ProviderRef, /) -> Result[None]:
        answer = await self._call("confirmGoodsReturn", _named(ref))
        return answer.failed() if answer.value is None else Result(Outcome.OK)

    def webhook(self, raw: RawRequest, /) -> WebhookBatch:
        return mapper.parse_callback(self._account, raw.body)

    async def _call(self, operation: str, body: Mapping[str, Any]) -> Result[dict[str, Any]]:
        content = mapper.build_call(self._account, body, datetime.now(UTC))
        url = self._account.base_url.rstrip("/") + _API + operation
        sent = await post(self._http, url, content, FORM, self._account.timeout_s)
        if sent.value is None:
            return Result(sent.outcome, code=sent.code, retry_after_s=sent.retry_after_s)
        return mapper.parse_answer(self._account, sent.value)


def _named(ref: ProviderRef) -> dict[str, str]:
    """The order by the carrier's number where we have it, else by ours."""
    number = ref.provider_id or ref.token
    return {"issOrderNo": number} if number else {"thirdOrderNo": ref.attempt_key}


class Ishansong(IshansongAccount):
    """The account as a deployment sets it."""

    address: ClassVar[tuple[str, str]] = ("base_url", "/ishansong")

    def open(self, http: httpx.AsyncClient) -> IshansongCarrier:
        """The account's client."""
        return IshansongCarrier(self, http)


ACCOUNT_CLASS = Ishansong
