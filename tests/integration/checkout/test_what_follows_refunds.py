"""What follows a refund, whatever its cause: the stock, the buyer's limit, the date; and what no log ever shows."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from services.checkout.consumers import fulfilment, losses, refunds
from services.checkout.use_cases import mass_refunds
from shared.contracts.catalog import DealKind
from shared.contracts.dispatch import GoodsRefundFenced, ParcelFailed, ParcelFailure
from shared.contracts.redemption import CertificateExpired, CertificateIssueFailed, CertificateRecalled, RecallReason
from shared.ids import derived_id, new_id
from tests.integration.checkout.catalog_side import Deal
from tests.integration.checkout.channel_side import WHOLE, found
from tests.integration.checkout.redemption_side import fence
from tests.integration.checkout.stage import ADDRESS, Purchase, Stage, code_of

pytestmark = pytest.mark.usefixtures("alipay_sandbox")

Open = Callable[[Stage, Purchase, UUID], Awaitable[UUID]]


async def buyer_asks(_: Stage, purchase: Purchase, unit: UUID) -> UUID:
    return await purchase.refunding(unit)


async def expires(stage: Stage, purchase: Purchase, unit: UUID) -> UUID:
    event = CertificateExpired(
        occurred_at=stage.now(), unit_id=unit, order_id=purchase.order_id, merchant_id=purchase.deal.merchant_id,
        uses_left=1, expired_at=stage.now(),
    )  # fmt: skip
    await losses.refund_expired(event, stage.db)
    return derived_id(unit, "EXPIRED")


async def has_no_code(stage: Stage, purchase: Purchase, unit: UUID) -> UUID:
    event = CertificateIssueFailed(occurred_at=stage.now(), unit_id=unit, order_id=purchase.order_id)
    await fulfilment.refund_issue_failed(event, stage.db)
    return derived_id(unit, "ISSUE_FAILED")


async def is_recalled(stage: Stage, purchase: Purchase, unit: UUID) -> UUID:
    event = CertificateRecalled(
        occurred_at=stage.now(), unit_id=unit, order_id=purchase.order_id, merchant_id=purchase.deal.merchant_id,
        reason=RecallReason.STORE_CLOSED, uses_left=1,
    )  # fmt: skip
    await fulfilment.refund_recalled(event, stage.db)
    return derived_id(unit, "RECALLED")


async def campaign_is_called_off(stage: Stage, purchase: Purchase, unit: UUID) -> UUID:
    mass = new_id()
    body = {"deal_id": str(purchase.deal.deal_id), "reason": "x"}
    assert (await stage.put(await stage.operator(), f"/admin/mass-refunds/{mass}", body)).status_code == 201
    await stage.act(mass_refunds.MASS_REFUND, mass)
    return derived_id(purchase.order_id if purchase.deal.kind is DealKind.GOODS else unit, "CAMPAIGN")


async def parcel_fails(stage: Stage, purchase: Purchase, unit: UUID) -> UUID:
    event = ParcelFailed(
        occurred_at=stage.now(), parcel_id=new_id(), order_id=purchase.order_id, unit_ids=(unit,),
        failure=ParcelFailure.LOST,
    )  # fmt: skip
    await fulfilment.refund_failed_parcel(event, stage.db)
    return derived_id(purchase.order_id, "PARCEL_FAILED")


async def is_refunded_outside(stage: Stage, purchase: Purchase, _: UUID) -> UUID:
    event = found(stage, purchase, WHOLE)
    await losses.record_external_refund(event, stage.db)
    return event.refund_id


@pytest.mark.parametrize(
    ("kind", "happens", "cause"),
    [
        (DealKind.VOUCHER, buyer_asks, "BUYER"),
        (DealKind.VOUCHER, expires, "EXPIRED"),
        (DealKind.VOUCHER, has_no_code, "ISSUE_FAILED"),
        (DealKind.VOUCHER, is_recalled, "RECALLED"),
        (DealKind.VOUCHER, campaign_is_called_off, "CAMPAIGN"),
        (DealKind.VOUCHER, is_refunded_outside, "EXTERNAL"),
        (DealKind.GOODS, buyer_asks, "BUYER"),
        (DealKind.GOODS, parcel_fails, "PARCEL_FAILED"),
        (DealKind.GOODS, campaign_is_called_off, "CAMPAIGN"),
        (DealKind.GOODS, is_refunded_outside, "EXTERNAL"),
    ],
)
async def test_stock_and_limit_follow_once_the_money_is_back_and_not_before(
    stage: Stage, kind: DealKind, happens: Open, cause: str
) -> None:
    deal = await stage.sell(Deal(kind=kind, quota=2, limit=1))
    purchase = await stage.paid(deal)
    (unit,) = await purchase.unit_ids()
    refund_id = await happens(stage, purchase, unit)
    if cause != "EXTERNAL":
        assert await stage.stock(deal) == (0, 1), "as long as the money is not back, the unit is sold"
        assert code_of(await stage.place(deal, purchase.buyer)) == (409, "buyer_limit_reached")
        assert (await _refund(purchase))["money_back_by"] is None
        await _fence(stage, purchase, refund_id, unit)
        await stage.act("send_refund", refund_id)
    refund = await _refund(purchase)
    assert (refund["refund_id"], refund["cause"], refund["state"]) == (str(refund_id), cause, "SUCCEEDED")
    assert refund["money_back_by"] > refund["succeeded_at"][:10]
    assert await stage.stock(deal) == (0, 0)
    assert (await stage.place(deal, purchase.buyer)).status_code == 201
    assert await stage.misfits(deal.deal_id, purchase.order_id, unit) == []


async def _refund(purchase: Purchase) -> dict[str, str]:
    (refund,) = (await purchase.view())["refunds"]
    return dict(refund)


async def _fence(stage: Stage, purchase: Purchase, refund_id: UUID, unit: UUID) -> None:
    if purchase.deal.kind is DealKind.VOUCHER:
        await fence(stage, purchase, refund_id, unit)
        return
    event = GoodsRefundFenced(
        occurred_at=stage.now(), refund_id=refund_id, order_id=purchase.order_id, unit_ids=(unit,)
    )
    await refunds.approve_goods_refund(event, stage.db)


async def test_no_log_shows_a_phone_or_an_address(stage: Stage, capfd: pytest.CaptureFixture[str]) -> None:
    deal = await stage.sell(Deal(kind=DealKind.GOODS))
    purchase = await stage.paid(deal)
    (unit,) = await purchase.unit_ids()
    refund_id = await purchase.refunding()
    await _fence(stage, purchase, refund_id, unit)
    await stage.faults("http_500", "trade.refund")
    await stage.act("send_refund", refund_id)
    await stage.act_when_due("send_refund", refund_id)
    assert await purchase.refund_state(refund_id) == "SUCCEEDED"
    bad = {**ADDRESS, "phone": "138 0013"}
    body = {
        "deal_id": str(deal.deal_id), "deal_version": 1, "quantity": 1, "delivery": {"mode": "COURIER", "address": bad},
    }  # fmt: skip
    assert code_of(await stage.put(purchase.buyer, f"/orders/{new_id()}", body)) == (422, "phone_invalid")
    body["quantity"] = 0
    assert code_of(await stage.put(purchase.buyer, f"/orders/{new_id()}", body)) == (422, "malformed_input")

    logged = "".join(capfd.readouterr())
    assert str(refund_id) in logged or "request_answered" in logged, "the logs were caught"
    for secret in ("13800138000", "138 0013", "8000", ADDRESS["street"], ADDRESS["name"], ADDRESS["district"]):
        assert str(secret) not in logged.replace("138****8000", ""), secret
