"""The port that every carrier fits: what can be asked of it, and the five things an answer can mean."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

from services.dispatch.domain.attempts import Snapshot
from services.dispatch.domain.routing import GeoPoint
from shared.contracts.catalog import DeliveryMode

T = TypeVar("T")


class Outcome(StrEnum):
    """What is known after a call."""

    OK = "OK"
    REJECTED = "REJECTED"
    """Definitely not done."""
    RATE_LIMITED = "RATE_LIMITED"
    """Definitely not done, and worth the same call later."""
    NOT_SENT = "NOT_SENT"
    """Certainly never arrived."""
    UNKNOWN = "UNKNOWN"
    """Done or not, nobody knows: ask before repeating."""


class Reason(StrEnum):
    """Why a carrier rejected a call."""

    BAD_INPUT = "BAD_INPUT"
    OUT_OF_AREA = "OUT_OF_AREA"
    OVERWEIGHT = "OVERWEIGHT"
    CATEGORY = "CATEGORY"
    CLOSED = "CLOSED"
    FUNDS = "FUNDS"
    AUTH = "AUTH"
    QUOTE_STALE = "QUOTE_STALE"
    DUPLICATE = "DUPLICATE"
    TOO_LATE = "TOO_LATE"
    ALREADY = "ALREADY"
    NOT_FOUND = "NOT_FOUND"
    UNSUPPORTED = "UNSUPPORTED"
    """This carrier has no such call."""
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class Result(Generic[T]):
    """The outcome of one call. `value` is there exactly when the outcome is OK; `code` and `message` are the
    carrier's own."""

    outcome: Outcome
    value: T | None = None
    reason: Reason | None = None
    code: str = ""
    message: str = ""
    retry_after_s: float | None = None

    def failed(self) -> "Result[Any]":
        """This failure as the failure of a call that would have returned something else."""
        return Result(self.outcome, None, self.reason, self.code, self.message, self.retry_after_s)


def unsupported(call: str) -> "Result[Any]":
    """The answer of a carrier that has no such call."""
    return Result(Outcome.REJECTED, reason=Reason.UNSUPPORTED, code=call)


@dataclass(frozen=True, slots=True)
class Party:
    """Who hands over or receives, and where. `phone` is as dialled in the country (`13800138000`)."""

    name: str
    phone: str
    city: str
    address: str
    place: GeoPoint


@dataclass(frozen=True, slots=True)
class Shipment:
    """What is to be carried from where to where."""

    pickup: Party
    dropoff: Party
    title: str
    units: int
    weight_g: int
    category: str
    value_fen: int
    order_no: str
    needs_code: bool = False
    """The goods are worth so much that only the buyer's code proves their delivery, where a carrier can ask for one."""


@dataclass(frozen=True, slots=True)
class Quote:
    """What a carrier would take for one attempt. `token` names the offer when the order is placed; at some carriers it
    is already the number of the order that would be placed, so it is kept with the attempt before the order is sent."""

    fee_fen: int
    distance_m: int | None = None
    eta: timedelta | None = None
    """From the order to the door."""
    token: str | None = None
    expires_at: datetime | None = None
    """None: the carrier does not say."""


@dataclass(frozen=True, slots=True)
class ProviderRef:
    """An attempt as the carrier knows it: always by our own key, by its ids once it told us."""

    attempt_key: str
    provider_id: str | None = None
    waybill: str | None = None
    phone: str = ""
    """The recipient's phone: some carriers show a track only to those who know it."""
    token: str | None = None
    """Of the quote that the order was placed with."""


class CancelReason(StrEnum):
    NO_RIDER = "NO_RIDER"
    BUYER_REFUND = "BUYER_REFUND"
    MERCHANT = "MERCHANT"
    FENCE = "FENCE"


@dataclass(frozen=True, slots=True)
class Cancelled:
    """A cancellation that the carrier confirmed. A fee of None is unknown, which is not zero."""

    fee_fen: int | None


@dataclass(frozen=True, slots=True)
class CancelTerms:
    """What taking an order back would cost now. None is unknown, which is not zero."""

    fee_fen: int | None


@dataclass(frozen=True, slots=True)
class RiderPosition:
    """Where the rider is, in GCJ-02 whatever the carrier measures in."""

    place: GeoPoint
    at: datetime | None = None
    """None: the carrier does not say."""


class Trust(StrEnum):
    """How far a webhook proves its sender."""

    STRONG = "STRONG"
    WEAK = "WEAK"
    """Anybody who knows the address could have sent it: ask the carrier before believing anything that matters."""
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class RawRequest:
    """A webhook as it arrived, byte for byte. `query` is what stood behind the question mark, still encoded: decoded as
    a form, the `+` of a signature would become a space."""

    body: bytes
    content_type: str = ""
    query: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class RawResponse:
    """Exactly what the carrier wants to hear."""

    status: int
    body: str
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class WebhookBatch:
    """What a webhook said. `attempt_key` is None when it does not say which order it is about. `ask`: it tells of
    something that only a query can settle."""

    trust: Trust
    ack: RawResponse
    snapshots: tuple[Snapshot, ...] = ()
    attempt_key: str | None = None
    ask: bool = False
    provider_id: str | None = None
    """The carrier's number of the order, where the callback has one."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a carrier can do, as far as dispatch must know."""

    mode: DeliveryMode
    max_weight_g: int
    query_by_our_key: bool
    """Can an order be found by the number that we gave it?"""
    cancel_by_our_key: bool
    """Can an order be cancelled by our number, even one that may not exist?"""
    merges_repeats_for: timedelta | None
    """How long the same order sent again is answered by the first one instead of becoming a second."""
    silence: timedelta
    """After how long without a word a live attempt is asked about."""
    quotes: bool = False
    needs_quote: bool = False
    """Can an order be placed only with the token of a quote?"""
    cancel_terms: bool = False
    position: bool = False
    tips: bool = False
    confirms_returns: bool = False
    subscribes: bool = False


class Carrier(Protocol):
    """One account at one carrier. Calls never raise for what the network or the carrier does."""

    @property
    def provider(self) -> str: ...

    @property
    def account(self) -> str: ...

    @property
    def caps(self) -> Capabilities: ...

    @property
    def address_token(self) -> str | None:
        """The secret part of the one callback address that the carrier has for this account; None where each order is
        given its own."""
        ...

    async def holds_back(self) -> bool:
        """Whether new orders do not go out for now, because too many calls failed. Those that exist are not held."""
        ...

    def label(self) -> str:
        """The name under which the buyer knows the carrier."""
        ...

    async def quote(self, shipment: Shipment, attempt_key: str, callback_url: str, /) -> Result[Quote]:
        """What the delivery would cost. The offer is for this one attempt: its key and address may be part of it."""
        ...

    async def create(
        self, shipment: Shipment, attempt_key: str, callback_url: str, quote: Quote | None = None, /
    ) -> Result[Snapshot]:
        """Order the delivery under our own key, at the quote if there is one."""
        ...

    async def query(self, ref: ProviderRef, /) -> Result[Snapshot]:
        """Where the attempt is now. REJECTED with NOT_FOUND: the carrier has no such order."""
        ...

    async def cancel_terms(self, ref: ProviderRef, /) -> Result[CancelTerms]:
        """What taking the order back would cost now."""
        ...

    async def cancel(self, ref: ProviderRef, why: CancelReason, /) -> Result[Cancelled]:
        """Take the order back, if the goods have not been picked up."""
        ...

    async def position(self, ref: ProviderRef, /) -> Result[RiderPosition]:
        """Where the rider is."""
        ...

    async def tip(self, ref: ProviderRef, tip_fen: int, /) -> Result[None]:
        """Promise riders this much more. Once per attempt: carriers differ in whether another tip adds to the first."""
        ...

    async def confirm_return(self, ref: ProviderRef, /) -> Result[None]:
        """Say that the goods are back in the store."""
        ...

    async def subscribe(self, ref: ProviderRef, callback_url: str, /) -> Result[None]:
        """Have the track of the attempt's waybill pushed. Subscribing twice is as good as once."""
        ...

    def webhook(self, raw: RawRequest, /) -> WebhookBatch:
        """Read and verify a webhook. Pure; never raises."""
        ...
