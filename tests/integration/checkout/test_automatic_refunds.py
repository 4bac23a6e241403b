"""Refunds that nobody asks for: certificates that were recalled or expired, codes that never came."""

from uuid import UUID

import pytest

from services.checkout.consumers import fulfilment, losses, refunds
from services.checkout.domain.refusals import UnitNotOfOrder
from shared.contracts.catalog import RefundPolicy
from shared.contracts.checkout import RefundCause, RefundRequested, RefundSucceeded, UseValue
from shared.contracts.redemption import (
    CertificateExpired,
    CertificateIssueFailed,
    CertificateRecalled,
    FencedUnit,
    RecallReason,
    RefundFenced,
)
from shared.errors import NotYet
from shared.ids import derived_id, new_id
from tests.integration.checkout.catalog_side import Deal
from tests.integration.checkout.redemption_side import fence, refuse, use
from tests.integration.checkout.stage import Purchase, Stage

pytestmark = pytest.mark.usefixtures("alipay_sandbox")

CAUSES = ["RECALLED", "ISSUE_FAILED", "EXPIRED"]


async def report(
    stage: Stage,
    order_id: UUID,
    unit_id: UUID,
    cause: str = "RECALLED",
    reason: RecallReason = RecallReason.STORE_CLOSED,
) -> None:
    """Redemption reports that a certificate was recalled or never got its code."""
    if cause == "ISSUE_FAILED":
        failed = CertificateIssueFailed(occurred_at=stage.now(), unit_id=unit_id, order_id=order_id)
        await fulfilment.refund_issue_failed(failed, stage.db)
        return
    if cause == "EXPIRED":
        await losses.refund_expired(an_expiry(stage, order_id, unit_id), stage.db)
        return
    recalled = CertificateRecalled(
        occurred_at=stage.now(), unit_id=unit_id, order_id=order_id, merchant_id=new_id(), reason=reason, uses_left=1
    )
    await fulfilment.refund_recalled(recalled, stage.db)


def an_expiry(stage: Stage, order_id: UUID, unit_id: UUID) -> CertificateExpired:
    return CertificateExpired(
        occurred_at=stage.now(), unit_id=unit_id, order_id=order_id, merchant_id=new_id(), uses_left=1,
        expired_at=stage.now(),
    )  # fmt: skip


async def asked(stage: Stage, unit_id: UUID, cause: str = "RECALLED") -> list[RefundRequested]:
    return await stage.said(RefundRequested, derived_id(unit_id, cause))


@pytest.mark.parametrize("cause", CAUSES)
async def test_a_reported_unit_is_refunded_once_by_itself_and_the_others_stay(stage: Stage, cause: str) -> None:
    purchase = await stage.paid(quantity=2)
    unit, other = await purchase.unit_ids()
    await report(stage, purchase.order_id, unit, cause)
    await report(stage, purchase.order_id, unit, cause)

    (request,) = await asked(stage, unit, cause)
    assert (request.unit_ids, request.cause) == ((unit,), RefundCause(cause))
    assert await purchase.unit_states() == ["REFUNDING", "OPEN"]

    await fence(stage, purchase, request.refund_id, unit)
    await stage.act("send_refund", request.refund_id)
    await report(stage, purchase.order_id, unit, cause)

    order = await purchase.view()
    assert [(one["cause"], one["state"]) for one in order["refunds"]] == [(cause, "SUCCEEDED")]
    assert (order["refunded_fen"], await purchase.unit_states()) == (12_800, ["REFUNDED", "OPEN"])
    (done,) = await stage.said(RefundSucceeded, request.refund_id)
    assert done.cause is RefundCause(cause)
    assert await stage.misfits(purchase.deal.deal_id, purchase.order_id, purchase.attempt_id, unit, other) == []


@pytest.mark.parametrize(
    ("cause", "reason", "what", "text"),
    [
        ("RECALLED", RecallReason.STORE_CLOSED, "STORE_CLOSED", "门店"),
        ("RECALLED", RecallReason.MERCHANT_SUSPENDED, "MERCHANT_SUSPENDED", "暂停"),
        ("ISSUE_FAILED", RecallReason.STORE_CLOSED, "ISSUE_FAILED", "未能出码"),
        ("EXPIRED", RecallReason.STORE_CLOSED, "EXPIRED", "到期未使用"),
    ],
)
async def test_the_buyer_reads_why(stage: Stage, cause: str, reason: RecallReason, what: str, text: str) -> None:
    purchase = await stage.paid()
    await report(stage, purchase.order_id, (await purchase.unit_ids())[0], cause, reason)
    told = {entry["what"]: entry for entry in (await purchase.view())["timeline"]}
    assert text in told[what]["text_zh"]
    assert "refund" in told[what]["text_en"]
    assert "REFUND_REQUESTED" in told


@pytest.mark.parametrize("policy", list(RefundPolicy))
async def test_expired_units_are_refunded_under_either_policy(stage: Stage, policy: RefundPolicy) -> None:
    purchase = await stage.paid(await stage.sell(Deal(policy=policy)))
    (unit,) = await purchase.unit_ids()
    await report(stage, purchase.order_id, unit, "EXPIRED")
    assert len(await asked(stage, unit, "EXPIRED")) == 1


@pytest.mark.parametrize("cause", ["RECALLED", "EXPIRED"])
async def test_a_part_used_card_gives_back_the_uses_that_are_left(stage: Stage, cause: str) -> None:
    purchase = await stage.paid()
    (unit,) = await purchase.unit_ids()
    await _make_card(stage, unit, uses=4)
    await use(stage, purchase, unit)
    assert await purchase.unit_states() == ["OPEN"]
    await report(stage, purchase.order_id, unit, cause)
    (request,) = await asked(stage, unit, cause)
    event = RefundFenced(
        occurred_at=stage.now(), refund_id=request.refund_id, order_id=purchase.order_id,
        units=(FencedUnit(unit_id=unit, uses_left=3),),
    )  # fmt: skip
    await refunds.approve_voucher_refund(event, stage.db)
    await stage.act("send_refund", request.refund_id)
    assert (await purchase.view())["refunded_fen"] == 9_600
    assert await purchase.unit_states() == ["REFUNDED"]


async def _make_card(stage: Stage, unit_id: UUID, uses: int) -> None:
    values = [UseValue(paid_fen=12_800 // uses).model_dump() for _ in range(uses)]
    async with stage.db.transaction() as tx:
        await tx.execute("update units set uses = $2 where unit_id = $1", unit_id, values)


@pytest.mark.parametrize("cause", CAUSES)
async def test_what_was_reported_while_another_refund_lived_is_taken_up_when_that_one_is_refused(
    stage: Stage, cause: str
) -> None:
    purchase = await stage.paid(quantity=3)
    units = await purchase.unit_ids()
    buyers = await purchase.refunding(*units[:2])
    await report(stage, purchase.order_id, units[0], cause)
    assert await asked(stage, units[0], cause) == []

    await refuse(stage, purchase, buyers, "certificate_refunding")

    (request,) = await asked(stage, units[0], cause)
    assert request.unit_ids == (units[0],)
    assert await purchase.refund_state(buyers) == "REFUSED"
    assert await purchase.unit_states() == ["REFUNDING", "OPEN", "OPEN"]


async def test_a_recall_reported_while_another_refund_lived_is_taken_up_when_an_operator_gives_that_up(
    stage: Stage,
) -> None:
    purchase = await stage.paid()
    (unit,) = await purchase.unit_ids()
    buyers = await purchase.refunding(unit)
    await report(stage, purchase.order_id, unit)
    await _give_up(stage, buyers)
    assert len(await asked(stage, unit)) == 1
    assert await purchase.unit_states() == ["REFUNDING"]


async def test_a_missing_code_waits_for_redemption_to_say_so_again_when_an_operator_gives_a_refund_up(
    stage: Stage,
) -> None:
    """Asked at once, it could reach redemption before the fence of the other refund is lifted, and be refused."""
    purchase = await stage.paid()
    (unit,) = await purchase.unit_ids()
    buyers = await purchase.refunding(unit)
    failed = CertificateIssueFailed(occurred_at=stage.now(), unit_id=unit, order_id=purchase.order_id)
    await fulfilment.refund_issue_failed(failed, stage.db)
    await _give_up(stage, buyers)
    assert await asked(stage, unit, "ISSUE_FAILED") == []
    await fulfilment.refund_issue_failed(failed, stage.db)
    assert await asked(stage, unit, "ISSUE_FAILED") == [], "a copy says nothing new"
    await fulfilment.refund_issue_failed(failed.model_copy(update={"event_id": new_id()}), stage.db)
    assert len(await asked(stage, unit, "ISSUE_FAILED")) == 1


async def _give_up(stage: Stage, refund_id: UUID) -> None:
    path = f"/admin/refunds/{refund_id}/abandonment"
    answer = await stage.put(await stage.operator(), path, {"reason": "no answer"})
    assert answer.status_code == 200, answer.text


async def test_an_automatic_refund_that_an_operator_gave_up_is_not_opened_again(stage: Stage) -> None:
    purchase = await stage.paid()
    (unit,) = await purchase.unit_ids()
    await report(stage, purchase.order_id, unit)
    await _give_up(stage, derived_id(unit, "RECALLED"))
    assert await purchase.unit_states() == ["OPEN"]
    await report(stage, purchase.order_id, unit)
    buyers = await purchase.refunding(unit)
    await refuse(stage, purchase, buyers, "certificate_used")
    assert await purchase.unit_states() == ["OPEN"]
    assert len(await asked(stage, unit)) == 1


@pytest.mark.parametrize("other", ["ISSUE_FAILED", "EXPIRED"])
async def test_a_recall_counts_before_everything_else(stage: Stage, other: str) -> None:
    purchase = await stage.paid()
    (unit,) = await purchase.unit_ids()
    buyers = await purchase.refunding(unit)
    await report(stage, purchase.order_id, unit, other)
    await report(stage, purchase.order_id, unit, "RECALLED")
    await refuse(stage, purchase, buyers, "certificate_refunding")
    assert (len(await asked(stage, unit, "RECALLED")), len(await asked(stage, unit, other))) == (1, 0)


@pytest.mark.parametrize("cause", CAUSES)
async def test_a_report_ahead_of_its_order_waits_and_one_about_a_stranger_is_refused(stage: Stage, cause: str) -> None:
    with pytest.raises(NotYet):
        await report(stage, new_id(), new_id(), cause)
    purchase: Purchase = await stage.paid()
    with pytest.raises(UnitNotOfOrder):
        await report(stage, purchase.order_id, new_id(), cause)
