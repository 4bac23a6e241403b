"""Self-delivery: the merchant's own rider, moved by the merchant's own app, so that nothing goes over a wire."""

from datetime import timedelta

from services.dispatch.domain.attempts import AttemptState, Snapshot
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
    RawResponse,
    Result,
    Shipment,
    Trust,
    WebhookBatch,
)
from shared.contracts.catalog import DeliveryMode

PROVIDER = "self"
ACCOUNT = "merchant"


class NativeCarrier(PlainCarrier):
    """The merchant. Every answer is known at once, and nobody sends webhooks."""

    provider = PROVIDER
    account = ACCOUNT
    caps = Capabilities(
        mode=DeliveryMode.SELF,
        max_weight_g=100_000,
        query_by_our_key=False,
        cancel_by_our_key=True,
        merges_repeats_for=None,
        silence=timedelta(days=365),
        quotes=True,
        cancel_terms=True,
    )

    def label(self) -> str:
        return PROVIDER

    async def quote(self, _shipment: Shipment, _key: str, _url: str, /) -> Result[Quote]:
        return Result(Outcome.OK, Quote(0))

    async def create(
        self, _shipment: Shipment, _key: str, _url: str, _quote: Quote | None = None, /
    ) -> Result[Snapshot]:
        return Result(Outcome.OK, Snapshot("assigned", AttemptState.ASSIGNED, fee_fen=0))

    async def query(self, _ref: ProviderRef, /) -> Result[Snapshot]:
        return Result(Outcome.OK, Snapshot("unchanged", None))

    async def cancel_terms(self, _ref: ProviderRef, /) -> Result[CancelTerms]:
        return Result(Outcome.OK, CancelTerms(0))

    async def cancel(self, _ref: ProviderRef, _why: CancelReason, /) -> Result[Cancelled]:
        return Result(Outcome.OK, Cancelled(0))

    def webhook(self, _raw: RawRequest, /) -> WebhookBatch:
        return WebhookBatch(Trust.FAILED, RawResponse(404, "{}"))
