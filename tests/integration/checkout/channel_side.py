"""Refunds that were made at the channel itself, and how settlement tells of them."""

from typing import Any

from shared.contracts.settlement import ExternalRefundFound
from shared.ids import derived_id
from tests.integration.checkout.stage import Purchase, Stage

WHOLE = 12_800


def found(stage: Stage, purchase: Purchase, amount_fen: int, number: str = "merchant-1", **facts: Any) -> (
    ExternalRefundFound
):  # fmt: skip
    """What settlement says once the channel's book shows the refund."""
    wanted = {
        "occurred_at": stage.now(), "refund_id": derived_id(purchase.attempt_id, number),
        "order_id": purchase.order_id, "out_trade_no": purchase.out_trade_no, "channel_refund_no": number,
        "amount_fen": amount_fen, "refunded_at": stage.now(),
    }  # fmt: skip
    return ExternalRefundFound(**{**wanted, **facts})


async def outside(stage: Stage, purchase: Purchase, amount_fen: int) -> None:
    """The merchant refunds in Alipay's own backend."""
    body = {"out_trade_no": purchase.out_trade_no, "amount_fen": amount_fen}
    answer = await stage.sandbox.post("/_sim/alipay/external-refund", json=body)
    assert answer.status_code < 300, answer.text
