"""What dispatch answers, as JSON: phones and names masked, except for the merchant's own rider, who needs the door."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from services.dispatch.domain.actions import LiveAttempt, actions
from services.dispatch.domain.attempts import TERMINAL
from services.dispatch.domain.parcels import DispatchState, ParcelState
from services.dispatch.domain.timeline import TEXTS
from services.dispatch.store.attempts import Attempt
from services.dispatch.store.happenings import Happening
from services.dispatch.use_cases.reading import Seen
from shared.contracts.address import Address
from shared.contracts.catalog import DeliveryMode


class RiderView(BaseModel):
    name: str
    masked_phone: str


class ReceiverView(BaseModel):
    """The door. Whole while the merchant delivers; masked while somebody else does."""

    name: str
    phone: str
    address: str


class Line(BaseModel):
    at: datetime
    what: str
    text_zh: str
    text_en: str
    reason: str | None = Field(default=None, description="In the words of whoever gave one")


class AttemptView(BaseModel):
    attempt_id: UUID
    number: int
    provider: str
    state: str
    fee_fen: int | None
    cancel_fee_fen: int | None = Field(description="Null: unknown, which is not zero")
    fee_state: str
    refusal_code: str | None
    quote_fee_fen: int | None = None
    tip_fen: int = 0
    tip_unconfirmed_fen: int | None = Field(default=None, description="Offered, and never answered by the carrier")
    cancel_terms_fen: int | None = Field(default=None, description="What the carrier said that leaving would cost")
    cancelled_by: str | None = None
    cancel_words: str | None = Field(default=None, description="Why, in the carrier's words")
    penalty_borne_by: str | None = Field(default=None, description="MERCHANT or PLATFORM, never the buyer")
    rider_epoch: int = Field(default=0, description="How many riders dropped out")


class ParcelCard(BaseModel):
    """A parcel on the merchant's board."""

    parcel_id: UUID
    order_id: UUID
    order_no: str
    title: str
    units: int
    store_id: UUID
    state: ParcelState
    dispatch_state: DispatchState
    mode: DeliveryMode
    carrier: str | None
    waybill: str | None
    rider: RiderView | None
    placed_at: datetime
    accept_by: datetime
    hand_over_by: datetime
    delivered_at: datetime | None
    received_by: datetime | None = Field(description="When receipt becomes automatic")
    attempt_state: str | None = None
    receiver: ReceiverView | None = None


class ParcelView(ParcelCard):
    """A parcel with its story."""

    receive_code: str | None = Field(description="For the buyer, while somebody is on the way who asks for it")
    timeline: list[Line]
    attempts: list[AttemptView] | None = Field(description="For staff")
    actions: list[str] = Field(default=[], description="For staff: what can be done about the parcel now")


class Board(BaseModel):
    items: list[ParcelCard]
    next_cursor: str | None


def card(seen: Seen) -> ParcelCard:
    """The board's line."""
    parcel, latest = seen.parcel, seen.latest
    own = parcel.mode is DeliveryMode.SELF or parcel.dispatch_state is DispatchState.MANUAL
    own = own or (latest is not None and latest.carried_as is DeliveryMode.SELF)
    return ParcelCard(
        parcel_id=parcel.parcel_id,
        order_id=parcel.order_id,
        order_no=parcel.order_no,
        title=parcel.title,
        units=len(parcel.unit_ids),
        store_id=parcel.store_id,
        state=parcel.state,
        dispatch_state=parcel.dispatch_state,
        mode=parcel.mode,
        carrier=seen.carrier,
        waybill=latest.waybill if latest and seen.carrier else None,
        rider=RiderView(name=seen.rider.name, masked_phone=masked_phone(seen.rider.phone)) if seen.rider else None,
        placed_at=parcel.placed_at,
        accept_by=parcel.accept_by,
        hand_over_by=parcel.hand_over_by,
        delivered_at=parcel.delivered_at,
        received_by=parcel.receive_by,
        attempt_state=latest.state.value if latest and seen.as_staff else None,
        receiver=_receiver(seen.receiver, whole=own and parcel.state in _TO_BE_CARRIED) if seen.receiver else None,
    )


_TO_BE_CARRIED = frozenset({ParcelState.ACCEPTED, ParcelState.HANDED_OVER})


def view(seen: Seen) -> ParcelView:
    """The whole story, as far as this caller may know it."""
    return ParcelView(
        **card(seen).model_dump(),
        receive_code=seen.receive_code,
        timeline=timeline(seen, as_staff=seen.as_staff),
        attempts=[_attempt(one) for one in seen.attempts] if seen.as_staff else None,
        actions=[one.value for one in actions(seen.parcel.state, seen.parcel.dispatch_state, _live(seen))]
        if seen.as_staff
        else [],
    )


def timeline(seen: Seen, *, as_staff: bool) -> list[Line]:
    """What happened. The buyer does not read of the search for carriers, nor the same line again for the next one."""
    if as_staff:
        return [_line(one) for one in seen.happenings]
    told = [one for one in seen.happenings if TEXTS[one.what].for_buyer]
    return [
        _line(one)
        for before, one in zip((None, *told), told, strict=False)
        if before is None or before.what is not one.what
    ]


def _live(seen: Seen) -> LiveAttempt | None:
    latest = seen.latest
    if latest is None or latest.state in TERMINAL:
        return None
    return LiveAttempt(
        latest.state,
        latest.carried_as,
        latest.picked_up,
        tippable=seen.takes_tips and latest.tip_wanted_fen is None,
        leaving=latest.cancel_reason is not None,
    )


def _line(happening: Happening) -> Line:
    text = TEXTS[happening.what]
    return Line(at=happening.at, what=happening.what.value, text_zh=text.zh, text_en=text.en, reason=happening.reason)


def _attempt(attempt: Attempt) -> AttemptView:
    return AttemptView(
        attempt_id=attempt.attempt_id,
        number=attempt.number,
        provider=attempt.provider,
        state=attempt.state.value,
        fee_fen=attempt.fee_fen,
        cancel_fee_fen=attempt.cancel_fee_fen,
        fee_state=attempt.fee_state,
        refusal_code=attempt.refusal_code,
        quote_fee_fen=attempt.quote_fee_fen,
        tip_fen=attempt.tip_fen,
        tip_unconfirmed_fen=attempt.tip_wanted_fen if attempt.tip_wanted_fen and not attempt.tip_fen else None,
        cancel_terms_fen=attempt.cancel_terms_fen,
        cancelled_by=attempt.cancelled_by,
        cancel_words=attempt.cancel_words,
        penalty_borne_by=attempt.penalty_borne_by,
        rider_epoch=attempt.rider_epoch,
    )


def _receiver(address: Address, *, whole: bool) -> ReceiverView:
    if whole:
        street = f"{address.province}{address.city}{address.district}{address.street}"
        return ReceiverView(name=address.name, phone=address.phone, address=street)
    return ReceiverView(
        name=f"{address.name[:1]}**",
        phone=masked_phone(address.phone),
        address=f"{address.province}{address.city}{address.district}***",
    )


def masked_phone(phone: str) -> str:
    """138****8000."""
    digits = phone.removeprefix("+86")
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) >= 8 else "****" if digits else ""
