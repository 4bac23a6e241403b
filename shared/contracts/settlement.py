"""What settlement says: which uses were paid out to their merchant, and which payouts failed."""

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.contracts.base import Contract, Event, Fen


class PaidUse(Contract):
    unit_id: UUID
    use_no: Annotated[int, Field(strict=True, ge=1)]


class PayoutPaid(Event):
    """One instruction of a payout reached the merchant: gross less fee, for these uses."""

    topic = "settlement.payout_paid.v1"
    aggregate = "instruction_id"
    readers = ("redemption.mark_settled",)

    instruction_id: UUID
    payout_id: UUID
    merchant_id: UUID
    order_id: UUID
    gross_fen: Fen
    fee_fen: Fen
    net_fen: Fen
    paid_at: AwareDatetime
    uses: Annotated[tuple[PaidUse, ...], Field(max_length=1000)]


class PayoutFailed(Event):
    """An instruction was definitely refused: the merchant's payout account needs a look."""

    topic = "settlement.payout_failed.v1"
    aggregate = "instruction_id"
    readers = ("catalog.reopen_payout_account",)

    instruction_id: UUID
    payout_id: UUID
    merchant_id: UUID
    code: str


class ExternalRefundFound(Event):
    """The channel's book shows a refund that this system did not ask for.

    `refund_id` is derived from the trade and the channel's own number of the refund, so that one refund is found once.
    """

    topic = "settlement.external_refund_found.v1"
    aggregate = "refund_id"
    readers = ("checkout.record_external_refund",)

    refund_id: UUID
    order_id: UUID
    out_trade_no: str
    channel_refund_no: str
    amount_fen: Annotated[int, Field(strict=True, ge=1)]
    refunded_at: AwareDatetime


EVENTS: tuple[type[Event], ...] = (PayoutPaid, PayoutFailed, ExternalRefundFound)
