"""Checkout as the pages see it: orders, payments, refunds."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from services.web.gateways.catalog.deals import CashTerms, Form, Kind
from services.web.gateways.service import Asker, Service, View
from shared.clock import start_of_day
from shared.money import split_evenly

Channel = Literal["ALIPAY_WAP", "ALIPAY_PAGE", "ALIPAY_QR"]
OrderFilter = Literal["all", "to_pay", "to_use", "delivering", "refund"]


class Unit(View):
    unit_id: UUID
    state: Literal["OPEN", "USED", "FINAL", "REFUNDING", "REFUNDED"]
    paid_fen: int
    uses: int = 1
    uses_left: int | None = None

    @property
    def left_fen(self) -> int:
        """What a refund of this unit pays: a card's uses are consumed from the first, and what is left goes back."""
        left = self.uses if self.uses_left is None else min(self.uses_left, self.uses)
        return sum(split_evenly(self.paid_fen, self.uses)[self.uses - left :])

    @property
    def worth_fen(self) -> int:
        """What money that went back elsewhere can have been for it: what is left, or of a used one all of it."""
        return self.left_fen or self.paid_fen


class Review(View):
    """What was said about a refund that is reviewed; null is not yet, or never: silence until `due_at` is a yes."""

    due_at: datetime
    agreed: bool | None = None
    answer_reason: str | None = None
    appeal_until: datetime | None = None
    appeal_text: str | None = None
    upheld: bool | None = None
    arbitration_reason: str | None = None


class Refund(View):
    refund_id: UUID
    order_id: UUID
    state: str
    cause: str = "BUYER"
    unit_ids: tuple[UUID, ...] = ()
    amount_fen: int = 0
    refused_code: str | None = None
    requested_at: datetime | None = None
    succeeded_at: datetime | None = None
    expected_by: date | None = None
    money_back_by: date | None = None
    reason: str = ""
    deadline: datetime | None = None
    review: Review | None = None
    undelivered: bool = False


class OrderDelivery(View):
    mode: Literal["SELF", "INSTANT", "COURIER"]
    fee_fen: int = 0
    parcel_state: str | None = None
    masked_phone: str = ""
    masked_address: str = ""


class Happening(View):
    """One line of a timeline."""

    at: datetime
    what: str
    text_zh: str = ""
    text_en: str = ""


class Order(View):
    order_id: UUID
    order_no: str
    state: Literal["PLACED", "PAID", "FULFILLING", "COMPLETED", "CLOSED"]
    kind: Kind
    form: Form | None = None
    cash: CashTerms | None = None
    refund_policy: Literal["ANY_TIME", "ON_EXPIRY"] = "ANY_TIME"
    deal_id: UUID
    deal_version: int = 1
    title: str
    cover: str = ""
    merchant_id: UUID
    store_ids: tuple[UUID, ...] = ()
    quantity: int
    unit_price_fen: int
    delivery_fee_fen: int = 0
    total_fen: int
    placed_at: datetime
    expires_at: datetime | None = None
    paid_at: datetime | None = None
    closed_at: datetime | None = None
    refunded_fen: int = 0
    units: tuple[Unit, ...] = ()
    refunds: tuple[Refund, ...] = ()
    delivery: OrderDelivery | None = None
    timeline: tuple[Happening, ...] = ()
    masked_buyer: str = ""
    """For staff only."""


class OrderPage(View):
    items: list[Order]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class WantedOrders:
    """Which of a merchant's orders to list; the days are Shanghai's, and both are in the list."""

    state: str | None = None
    deal_id: UUID | None = None
    since: date | None = None
    until: date | None = None

    def asked(self) -> dict[str, str | None]:
        """The same as checkout is asked; its `until` itself is no longer in the list."""
        after = self.until + timedelta(days=1) if self.until else None
        return {
            "state": self.state,
            "deal_id": str(self.deal_id) if self.deal_id else None,
            "from": start_of_day(self.since).isoformat() if self.since else None,
            "until": start_of_day(after).isoformat() if after else None,
        }


class ReviewedRefund(View):
    """A refund that is reviewed as merchant and operator see it; the buyer is masked."""

    refund: Refund
    order_no: str = ""
    title: str = ""
    merchant_id: UUID
    merchant_name: str | None = None
    buyer: str = ""


class ReviewPage(View):
    items: list[ReviewedRefund]
    next_cursor: str | None = None


class Payment(View):
    """`pay_url`, or the drawn code, is null once there is nothing left to pay; a code also while Alipay has not given
    it."""

    attempt_id: UUID
    state: str
    pay_url: str | None = None
    qr_svg: str | None = None
    expires_at: datetime | None = None


class ExternalRefund(View):
    """Money that went back at the channel, for which an operator is to name the units."""

    refund_id: UUID
    order_id: UUID
    channel_refund_no: str
    amount_fen: int
    refunded_at: datetime


class MassRefund(View):
    """A campaign that was called off; the counts only where one is looked at."""

    mass_refund_id: UUID
    deal_id: UUID
    reason: str
    started_at: datetime
    state: str
    found: int = 0
    under_way: int = 0
    refunded: int = 0
    refused: int = 0
    failed: int = 0
    unpaid: int = 0
    done: bool = False


class MassRefundPage(View):
    items: list[MassRefund]
    next_cursor: str | None = None


class Checkout(Service):
    async def place(self, asker: Asker, order_id: UUID, body: dict[str, Any]) -> Order:
        return Order.model_validate(await self.put(asker, f"/orders/{order_id}", body))

    async def pay(self, asker: Asker, order_id: UUID, attempt_id: UUID, channel: Channel) -> Payment:
        body = {"channel": channel}
        return Payment.model_validate(await self.put(asker, f"/orders/{order_id}/payments/{attempt_id}", body))

    async def order(self, asker: Asker, order_id: UUID) -> Order:
        return Order.model_validate(await self.get(asker, f"/orders/{order_id}"))

    async def orders(self, asker: Asker, which: OrderFilter, cursor: str | None = None) -> OrderPage:
        return OrderPage.model_validate(await self.get(asker, "/orders", filter=which, cursor=cursor, limit=20))

    async def refund(self, asker: Asker, refund_id: UUID, order_id: UUID, unit_ids: list[UUID], reason: str) -> Refund:
        body = {"order_id": str(order_id), "unit_ids": [str(unit) for unit in unit_ids], "reason": reason}
        return Refund.model_validate(await self.put(asker, f"/refunds/{refund_id}", body))

    async def orders_of_merchant(
        self, asker: Asker, merchant_id: UUID, wanted: WantedOrders, cursor: str | None
    ) -> OrderPage:  # fmt: skip
        path = f"/merchants/{merchant_id}/orders"
        return OrderPage.model_validate(await self.get(asker, path, **wanted.asked(), cursor=cursor, limit=20))

    async def mass_refunds(self, asker: Asker, cursor: str | None = None) -> MassRefundPage:
        return MassRefundPage.model_validate(await self.get(asker, "/admin/mass-refunds", cursor=cursor, limit=20))

    async def mass_refund(self, asker: Asker, mass_refund_id: UUID) -> MassRefund:
        return MassRefund.model_validate(await self.get(asker, f"/admin/mass-refunds/{mass_refund_id}"))

    async def call_off(self, asker: Asker, mass_refund_id: UUID, deal_id: UUID, reason: str) -> None:
        body = {"deal_id": str(deal_id), "reason": reason, "units": "OPEN"}
        await self.put(asker, f"/admin/mass-refunds/{mass_refund_id}", body)

    async def stop_mass_refund(self, asker: Asker, mass_refund_id: UUID, reason: str) -> None:
        await self.put(asker, f"/admin/mass-refunds/{mass_refund_id}/stop", {"reason": reason})

    async def external_refunds(self, asker: Asker) -> list[ExternalRefund]:
        answer = await self.get(asker, "/admin/external-refunds")
        return [ExternalRefund.model_validate(one) for one in answer["items"]]

    async def allocate(
        self, asker: Asker, refund_id: UUID, unit_ids: list[UUID], together_with: list[UUID]
    ) -> Refund:  # fmt: skip
        body = {"unit_ids": [str(one) for one in unit_ids], "together_with": [str(one) for one in together_with]}
        return Refund.model_validate(await self.put(asker, f"/admin/external-refunds/{refund_id}/allocation", body))

    async def reviews(
        self, asker: Asker, merchant_id: UUID, state: str | None, cursor: str | None = None
    ) -> ReviewPage:
        answer = await self.get(asker, f"/merchants/{merchant_id}/reviews", state=state, cursor=cursor, limit=20)
        return ReviewPage.model_validate(answer)

    async def answer_review(self, asker: Asker, refund_id: UUID, *, agreed: bool, reason: str | None) -> Refund:
        body = {"agreed": agreed, "reason": reason}
        return Refund.model_validate(await self.put(asker, f"/refunds/{refund_id}/review", body))

    async def appeal(self, asker: Asker, refund_id: UUID, text: str) -> Refund:
        return Refund.model_validate(await self.put(asker, f"/refunds/{refund_id}/appeal", {"text": text}))

    async def arbitrations(self, asker: Asker, cursor: str | None = None) -> ReviewPage:
        return ReviewPage.model_validate(await self.get(asker, "/operator/arbitrations", cursor=cursor, limit=20))

    async def arbitrate(self, asker: Asker, refund_id: UUID, *, upheld: bool, reason: str) -> Refund:
        body = {"upheld": upheld, "reason": reason}
        return Refund.model_validate(await self.put(asker, f"/refunds/{refund_id}/arbitration", body))
