"""The forms of a deal: what an order freezes of them and tells, what goods cost to bring, and when money goes back."""

from typing import Any

import pytest

from services.checkout.consumers import fulfilment
from shared.contracts.catalog import (
    CashVoucherTerms,
    CodeSource,
    DealForm,
    DealKind,
    DeliveryMode,
    DeliveryTerms,
    ModeFee,
    RefundPolicy,
)
from shared.contracts.checkout import OrderPaid, RefundRequested
from shared.contracts.dispatch import ParcelFailed, ParcelFailure
from shared.ids import derived_id, new_id
from tests.integration.checkout.catalog_side import Deal
from tests.integration.checkout.redemption_side import fence, use
from tests.integration.checkout.stage import ADDRESS, Purchase, Stage, a_buyer, code_of

pytestmark = pytest.mark.usefixtures("alipay_sandbox")

CASH = CashVoucherTerms(face_value_fen=10_000, threshold_fen=30_000)
TERMS = DeliveryTerms(
    modes=(DeliveryMode.SELF, DeliveryMode.INSTANT, DeliveryMode.COURIER),
    fee_fen=600,
    weight_g=500,
    category="fruit",
    mode_fees=(ModeFee(mode=DeliveryMode.INSTANT, fee_fen=900), ModeFee(mode=DeliveryMode.SELF, fee_fen=0)),
    free_from_fen=3 * 12_800,
)


@pytest.mark.parametrize(
    ("deal", "form"),
    [
        pytest.param(Deal(), DealForm.SET, id="a voucher from before forms existed"),
        pytest.param(Deal(kind=DealKind.GOODS), DealForm.GOODS, id="goods from before forms existed"),
        pytest.param(Deal(form=DealForm.SET), DealForm.SET, id="set"),
        pytest.param(Deal(form=DealForm.CASH_VOUCHER, cash=CASH), DealForm.CASH_VOUCHER, id="cash voucher"),
        pytest.param(Deal(form=DealForm.TIMES_CARD, uses=3), DealForm.TIMES_CARD, id="times-card"),
        pytest.param(
            Deal(form=DealForm.THIRD_PARTY_CODE, code_source=CodeSource.POOL),
            DealForm.THIRD_PARTY_CODE,
            id="third-party code",
        ),
    ],
)
async def test_a_paid_order_tells_the_form_it_froze(stage: Stage, deal: Deal, form: DealForm) -> None:
    purchase = await stage.placed(await stage.sell(deal))
    # What is sold from now on is something else.
    await stage.keep_version(Deal(deal.deal_id, deal.merchant_id, form=DealForm.SET), 2)
    await stage.keep_deal(deal, version=2, deal_version=2)
    await purchase.pay()

    (paid,) = await stage.said(OrderPaid, purchase.order_id)
    assert (paid.form, paid.cash, paid.code_source) == (form, deal.cash, deal.code_source)
    assert (paid.kind, len(paid.units[0].uses)) == (deal.kind, deal.uses)
    view = await purchase.view()
    assert (view["form"], view["refund_policy"]) == (form, "ANY_TIME")
    assert view["cash"] == (CASH.model_dump() if deal.cash else None)


async def test_rows_from_before_forms_existed_still_sell_and_still_refund(stage: Stage) -> None:
    deal = await stage.sell()
    await stage.value("update deal_versions set form = null where deal_id = $1", deal.deal_id)
    purchase = await stage.placed(deal, quantity=2)
    await stage.value("update orders set form = null where order_id = $1", purchase.order_id)
    await purchase.pay()

    assert (await stage.said(OrderPaid, purchase.order_id))[0].form is DealForm.SET
    used, unused = await purchase.unit_ids()
    await use(stage, purchase, used)
    # The use was recorded before uses had numbers.
    await stage.value("update units set used_nos = '{}' where unit_id = $1", used)
    view = await purchase.view()
    assert (view["form"], [unit["uses_left"] for unit in view["units"]]) == ("SET", [0, 1])
    assert (await purchase.request_refund(unused)).json()["amount_fen"] == 12_800


async def _ordered(stage: Stage, deal: Deal, **more: Any) -> Any:
    body = {"deal_id": str(deal.deal_id), "deal_version": 1, "quantity": 1, **more}
    return await stage.put(a_buyer(), f"/orders/{new_id()}", body)


async def test_the_placement_that_led_to_an_order_travels_with_its_money(stage: Stage) -> None:
    deal, buyer, order_id = await stage.sell(), a_buyer(), new_id()
    token = "v1_" + "aZ09-" * 19 + "_x"
    body = {"deal_id": str(deal.deal_id), "deal_version": 1, "quantity": 1, "source": token}

    assert len(token) == 100
    assert (await stage.put(buyer, f"/orders/{order_id}", body)).status_code == 201
    other = await stage.put(buyer, f"/orders/{order_id}", body | {"source": "another"})
    assert code_of(other) == (409, "id_taken")
    purchase = Purchase(stage, deal, buyer, order_id)
    await purchase.pay()

    (paid,) = await stage.said(OrderPaid, order_id)
    assert paid.source == token
    unplaced = await stage.paid(deal)
    assert (await stage.said(OrderPaid, unplaced.order_id))[0].source is None


@pytest.mark.parametrize("source", ["", " ", "a b", "a/b", "a=", "视频", "a\n", "\u0000", "x" * 101, 7])
async def test_a_placement_that_catalog_never_made_is_malformed(stage: Stage, source: object) -> None:
    assert code_of(await _ordered(stage, await stage.sell(), source=source)) == (422, "malformed_input")


@pytest.mark.parametrize(
    ("mode", "quantity", "fee_fen"),
    [
        pytest.param("COURIER", 1, 600, id="the common fee"),
        pytest.param("INSTANT", 1, 900, id="the mode's own fee"),
        pytest.param("SELF", 2, 0, id="a mode that costs nothing"),
        pytest.param("COURIER", 2, 600, id="a fen below free delivery"),
        pytest.param("COURIER", 3, 0, id="free from an amount on"),
        pytest.param("INSTANT", 4, 0, id="free whatever the mode costs"),
    ],
)
async def test_the_fee_is_decided_by_mode_and_by_what_the_goods_cost(
    stage: Stage, mode: str, quantity: int, fee_fen: int
) -> None:
    deal = await stage.sell(Deal(kind=DealKind.GOODS, terms=TERMS))

    answer = await _ordered(stage, deal, quantity=quantity, delivery={"mode": mode, "address": ADDRESS})

    assert answer.status_code == 201, answer.text
    order = answer.json()
    assert (order["delivery_fee_fen"], order["total_fen"]) == (fee_fen, quantity * 12_800 + fee_fen)
    assert sum(unit["paid_fen"] for unit in order["units"]) == order["total_fen"]


async def test_a_deal_refunded_on_expiry_only_is_not_refunded_before(stage: Stage) -> None:
    purchase = await stage.paid(await stage.sell(Deal(policy=RefundPolicy.ON_EXPIRY)))
    (unit,) = await purchase.unit_ids()

    refused = await purchase.request_refund()

    assert code_of(refused) == (409, "refund_on_expiry_only")
    assert await purchase.unit_states() == ["OPEN"]
    english = await stage.http.put(
        f"/refunds/{new_id()}",
        json={"order_id": str(purchase.order_id), "unit_ids": [str(unit)], "reason": "x"},
        headers={"authorization": f"Bearer {purchase.buyer}", "accept-language": "en"},
    )
    assert refused.json()["title"] == "该团购不支持主动退款，到期未使用自动退款"
    assert english.json()["title"] == "This deal is refunded only when it expires unused, and then by itself"

    stage.later(days=31)
    refund_id = await purchase.refunding()
    await fence(stage, purchase, refund_id, unit)
    await stage.act("send_refund", refund_id)
    assert await purchase.unit_states() == ["REFUNDED"]


async def test_the_policy_is_the_one_that_was_bought(stage: Stage) -> None:
    deal = await stage.sell()
    purchase = await stage.paid(deal)
    await stage.keep_version(Deal(deal.deal_id, deal.merchant_id, policy=RefundPolicy.ON_EXPIRY), 2)
    await stage.keep_deal(deal, version=2, deal_version=2)

    assert (await purchase.request_refund()).status_code == 201


async def test_what_fails_by_itself_is_refunded_whatever_the_policy(stage: Stage) -> None:
    deal = await stage.sell(Deal(kind=DealKind.GOODS, policy=RefundPolicy.ON_EXPIRY))
    purchase = await stage.paid(deal)
    event = ParcelFailed(
        occurred_at=stage.now(), parcel_id=new_id(), order_id=purchase.order_id,
        unit_ids=tuple(await purchase.unit_ids()), failure=ParcelFailure.LOST,
    )  # fmt: skip

    await fulfilment.refund_failed_parcel(event, stage.db)

    assert len(await stage.said(RefundRequested, derived_id(purchase.order_id, "PARCEL_FAILED"))) == 1


async def test_goods_never_expire_so_their_buyer_may_always_ask(stage: Stage) -> None:
    deal = await stage.sell(Deal(kind=DealKind.GOODS, policy=RefundPolicy.ON_EXPIRY))

    assert (await (await stage.paid(deal)).request_refund()).status_code == 201
