"""What stands around every carrier account: a pace for all calls, and a breaker on new orders only."""

from datetime import timedelta

from aiolimiter import AsyncLimiter
from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import OpenedState

from services.dispatch.domain.attempts import Snapshot
from services.dispatch.gateways.port import (
    Cancelled,
    CancelReason,
    Capabilities,
    Carrier,
    Outcome,
    ProviderRef,
    RawRequest,
    Result,
    Shipment,
    WebhookBatch,
)

BREAKER_OPEN = "breaker_open"
_COUNTS = frozenset({Outcome.UNKNOWN, Outcome.NOT_SENT})


class _Counted(Exception):
    """A failure that the breaker counts, carrying the result past it."""

    def __init__(self, result: Result[Snapshot]) -> None:
        super().__init__(result.code)
        self.result = result


class Guarded:
    """A carrier account behind its breaker and its pace. Queries and cancels pass an open breaker: otherwise orders
    that are under way would go dark exactly when they need watching."""

    def __init__(self, carrier: Carrier, *, threshold: int, open_for: timedelta, calls_per_s: float) -> None:
        self._carrier = carrier
        self._pace = AsyncLimiter(max(calls_per_s, 1.0), 1.0)
        self._open_for_s = open_for.total_seconds()
        self._breakers = AsyncCircuitBreakerFactory(default_threshold=threshold, default_ttl=self._open_for_s)

    @property
    def provider(self) -> str:
        return self._carrier.provider

    @property
    def account(self) -> str:
        return self._carrier.account

    @property
    def caps(self) -> Capabilities:
        return self._carrier.caps

    def label(self) -> str:
        return self._carrier.label()

    async def create(self, shipment: Shipment, attempt_key: str, callback_url: str) -> Result[Snapshot]:
        breaker = await self._breakers.get_breaker(f"{self.provider}/{self.account}")
        try:
            async with breaker:
                await self._pace.acquire()
                result = await self._carrier.create(shipment, attempt_key, callback_url)
                if result.outcome in _COUNTS:
                    raise _Counted(result)
                return result
        except _Counted as counted:
            return counted.result
        except OpenedState:
            return Result(Outcome.NOT_SENT, code=BREAKER_OPEN, retry_after_s=self._open_for_s)

    async def query(self, ref: ProviderRef) -> Result[Snapshot]:
        await self._pace.acquire()
        return await self._carrier.query(ref)

    async def cancel(self, ref: ProviderRef, why: CancelReason) -> Result[Cancelled]:
        await self._pace.acquire()
        return await self._carrier.cancel(ref, why)

    def webhook(self, raw: RawRequest) -> WebhookBatch:
        return self._carrier.webhook(raw)
