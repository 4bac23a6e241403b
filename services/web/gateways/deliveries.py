"""What a merchant sees of one delivery and does about it: carriers, prices, penalties, and what leaving costs."""

from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote
from uuid import UUID

from services.web.gateways.checkout import Happening
from services.web.gateways.dispatch import Receiver, Rider
from services.web.gateways.service import Asker, Service, View

Next = Literal["NEXT", "SELF"]


class Attempt(View):
    """One order at one carrier. A cancel fee of None is unknown, which is not zero."""

    attempt_id: UUID
    number: int
    provider: str
    state: str
    fee_fen: int | None = None
    quote_fee_fen: int | None = None
    tip_fen: int = 0
    tip_unconfirmed_fen: int | None = None
    cancel_fee_fen: int | None = None
    cancel_terms_fen: int | None = None
    fee_state: str = "NONE"
    cancelled_by: str | None = None
    cancel_words: str | None = None
    penalty_borne_by: str | None = None

    @property
    def price_fen(self) -> int | None:
        return self.quote_fee_fen if self.fee_fen is None else self.fee_fen

    @property
    def may_cost(self) -> bool:
        """Whether taking it back cost something, or may have."""
        return self.state == "CANCELLED" and (self.fee_state == "PENDING" or bool(self.penalty_fen))

    @property
    def penalty_fen(self) -> int | None:
        return self.cancel_terms_fen if self.cancel_fee_fen is None else self.cancel_fee_fen


class Delivery(View):
    """A parcel as the merchant's people see it. `actions` is what can be done about it now."""

    parcel_id: UUID
    order_id: UUID
    order_no: str = ""
    title: str = ""
    units: int | None = None
    state: str
    dispatch_state: str = ""
    mode: str
    carrier: str | None = None
    waybill: str | None = None
    rider: Rider | None = None
    receiver: Receiver | None = None
    accept_by: datetime | None = None
    hand_over_by: datetime | None = None
    delivered_at: datetime | None = None
    timeline: tuple[Happening, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    actions: tuple[str, ...] = ()

    @property
    def live(self) -> Attempt | None:
        """The order that a carrier has now."""
        over = {"DELIVERED", "CANCELLED", "RETURNED", "REJECTED", "LOST", "FENCED"}
        return next((one for one in reversed(self.attempts) if one.state not in over), None)


class Candidate(View):
    provider: str
    rank: int | None = None
    refused: tuple[str, ...] = ()
    quoted: bool = False
    fee_fen: int | None = None
    eta_s: int | None = None
    tries: int = 0


class Decision(View):
    """Who was considered for a parcel, best first, and why the first was chosen."""

    at: datetime
    chosen: str | None = None
    why: str = ""
    candidates: tuple[Candidate, ...] = ()


class CancelTerms(View):
    """What leaving the carrier costs now; a fee of None is unknown. Without an attempt nobody has the parcel."""

    attempt_id: UUID | None = None
    provider: str | None = None
    fee_fen: int | None = None
    needs_confirmation: bool = False


class Alert(View):
    """A carrier account that gets no orders now."""

    provider: str
    account: str
    balance_short_since: datetime | None = None
    disabled_since: datetime | None = None


class OpenFee(View):
    """What a cancelled order cost, which its carrier never said."""

    attempt_id: UUID
    provider: str
    account: str
    provider_id: str | None = None
    given_up_at: datetime
    terms_fen: int | None = None
    penalty_borne_by: str | None = None


class OpenFees(View):
    items: list[OpenFee]
    next_cursor: str | None = None


class Deliveries(Service):
    """Dispatch again, for the desks of merchants and operators."""

    async def of_order(self, asker: Asker, order_id: UUID) -> Delivery:
        return Delivery.model_validate(await self.get(asker, f"/orders/{order_id}/parcel"))

    async def decisions(self, asker: Asker, parcel_id: UUID) -> list[Decision]:
        found = await self.get(asker, f"/parcels/{parcel_id}/decisions")
        return [Decision.model_validate(one) for one in found["items"]]

    async def alerts(self, asker: Asker, merchant_id: UUID) -> list[Alert]:
        found = await self.get(asker, "/board/alerts", merchant_id=str(merchant_id))
        return [Alert.model_validate(one) for one in found["items"]]

    async def cancel_terms(self, asker: Asker, parcel_id: UUID) -> CancelTerms:
        return CancelTerms.model_validate(await self.get(asker, f"/parcels/{parcel_id}/cancel-terms"))

    async def tip(self, asker: Asker, parcel_id: UUID, attempt_id: UUID, tip_fen: int) -> None:
        await self.put(asker, f"/parcels/{parcel_id}/attempts/{attempt_id}/tip", {"tip_fen": tip_fen})

    async def switch(
        self, asker: Asker, parcel_id: UUID, attempt_id: UUID, to: Next, most_fee_fen: int, *, also_unknown: bool
    ) -> None:
        body: dict[str, Any] = {"to": to, "most_fee_fen": most_fee_fen, "accept_unknown_fee": also_unknown}
        await self.put(asker, f"/parcels/{parcel_id}/attempts/{attempt_id}/switch", body)

    async def refuse(
        self, asker: Asker, parcel_id: UUID, reason: str, most_fee_fen: int, *, also_unknown: bool
    ) -> None:
        body = {"reason": reason, "most_fee_fen": most_fee_fen, "accept_unknown_fee": also_unknown}
        await self.put(asker, f"/parcels/{parcel_id}/refusal", body)

    async def decide(self, asker: Asker, parcel_id: UUID, what: Literal["search", "self-delivery", "return"]) -> None:
        """Keep waiting, deliver it ourselves, or confirm that it came back."""
        await self.put(asker, f"/parcels/{parcel_id}/{what}", {})

    async def left_out(self, asker: Asker) -> list[Alert]:
        """Every account that gets no orders now; for operators."""
        found = await self.get(asker, "/admin/carrier-accounts")
        return [Alert.model_validate(one) for one in found["items"]]

    async def lift(self, asker: Asker, provider: str, account: str) -> None:
        await self.delete(asker, f"/admin/carrier-accounts/{provider}/{quote(account)}")

    async def open_fees(self, asker: Asker, cursor: str | None) -> OpenFees:
        return OpenFees.model_validate(await self.get(asker, "/admin/cancel-fees", cursor=cursor))

    async def settle_fee(self, asker: Asker, attempt_id: UUID, fee_fen: int) -> None:
        await self.put(asker, f"/admin/attempts/{attempt_id}/cancel-fee", {"fee_fen": fee_fen})
