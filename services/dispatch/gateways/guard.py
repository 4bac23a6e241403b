"""What stands around every carrier account: a pace for all calls, and a breaker on new business only."""

import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

from aiolimiter import AsyncLimiter
from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import OPENED, OpenedState

from services.dispatch.domain.attempts import Snapshot
from services.dispatch.gateways.port import (
    Cancelled,
    CancelReason,
    CancelTerms,
    Capabilities,
    Carrier,
    Outcome,
    ProviderRef,
    Quote,
    RawRequest,
    Result,
    RiderPosition,
    Shipment,
    WebhookBatch,
)

T = TypeVar("T")

BREAKER_OPEN = "breaker_open"
# A refusal is an answer, and so is "too fast": the carrier works.
_COUNTS = frozenset({Outcome.UNKNOWN, Outcome.NOT_SENT})


class _Counted(Exception):
    """A failure that the breaker counts, carrying the result past it."""

    def __init__(self, result: Result[Any]) -> None:
        super().__init__(result.code)
        self.result = result


class Guarded:
    """A carrier account behind its breaker and its pace. Whatever concerns an order that exists passes an open
    breaker: otherwise orders that are under way would go dark exactly when they need watching."""

    def __init__(self, carrier: Carrier, *, threshold: int, open_for: timedelta, calls_per_s: float) -> None:
        self._carrier = carrier
        self._pace = AsyncLimiter(max(calls_per_s, 1.0), 1.0)
        self._name = f"{carrier.provider}/{carrier.account}"
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

    @property
    def address_token(self) -> str | None:
        return self._carrier.address_token

    async def holds_back(self) -> bool:
        """Looking does not count as a call: when the breaker's time is over the next order is its trial."""
        context = (await self._breakers.get_breaker(self._name)).context
        return context.state == OPENED and time.time() <= (context.opened_at or 0.0) + self._open_for_s

    def label(self) -> str:
        return self._carrier.label()

    async def quote(self, shipment: Shipment, attempt_key: str, callback_url: str) -> Result[Quote]:
        return await self._new_business(lambda: self._carrier.quote(shipment, attempt_key, callback_url))

    async def create(
        self, shipment: Shipment, attempt_key: str, callback_url: str, quote: Quote | None = None
    ) -> Result[Snapshot]:
        return await self._new_business(lambda: self._carrier.create(shipment, attempt_key, callback_url, quote))

    async def query(self, ref: ProviderRef) -> Result[Snapshot]:
        return await self._paced(lambda: self._carrier.query(ref))

    async def cancel_terms(self, ref: ProviderRef) -> Result[CancelTerms]:
        return await self._paced(lambda: self._carrier.cancel_terms(ref))

    async def cancel(self, ref: ProviderRef, why: CancelReason) -> Result[Cancelled]:
        return await self._paced(lambda: self._carrier.cancel(ref, why))

    async def position(self, ref: ProviderRef) -> Result[RiderPosition]:
        return await self._paced(lambda: self._carrier.position(ref))

    async def tip(self, ref: ProviderRef, tip_fen: int) -> Result[None]:
        return await self._paced(lambda: self._carrier.tip(ref, tip_fen))

    async def confirm_return(self, ref: ProviderRef) -> Result[None]:
        return await self._paced(lambda: self._carrier.confirm_return(ref))

    async def subscribe(self, ref: ProviderRef, callback_url: str) -> Result[None]:
        return await self._paced(lambda: self._carrier.subscribe(ref, callback_url))

    def webhook(self, raw: RawRequest) -> WebhookBatch:
        return self._carrier.webhook(raw)

    async def _paced(self, call: Callable[[], Awaitable[Result[T]]]) -> Result[T]:
        await self._pace.acquire()
        return await call()

    async def _new_business(self, call: Callable[[], Awaitable[Result[T]]]) -> Result[T]:
        breaker = await self._breakers.get_breaker(self._name)
        try:
            async with breaker:
                result = await self._paced(call)
                if result.outcome in _COUNTS:
                    raise _Counted(result)
                return result
        except _Counted as counted:
            return counted.result
        except OpenedState:
            return Result(Outcome.NOT_SENT, code=BREAKER_OPEN, retry_after_s=self._open_for_s)
