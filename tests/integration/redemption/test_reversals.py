"""A use that was a mistake is undone: once, in time, by the store's own people, and the certificate is as before."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from services.redemption import consumers
from services.redemption.domain.reversals import REVERSALS_MAX
from shared.contracts.catalog import StaffRole
from shared.contracts.checkout import OrderPaid, RefundCause
from shared.contracts.redemption import (
    CertificateUsed,
    RefundFenced,
    RefundRefused,
    UseFinal,
    UseReversed,
)
from shared.contracts.settlement import PaidUse, PayoutPaid
from shared.ids import new_id
from tests.integration.redemption.reversing import Done, misfits_of, move_to, redeemed
from tests.integration.redemption.stage import (
    Shop,
    Stage,
    as_,
    other_store,
    refund_request,
    refund_succeeded,
    units_of,
)


async def test_a_reversed_use_gives_the_certificate_back_and_says_so(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop, units=2)
    done = await redeemed(stage, shop, order)
    answer = await stage.reverse(shop, done["redemption_id"], reason="收错桌了")
    assert answer.status_code == 201, answer.text
    view = answer.json()
    assert [use["use_id"] for use in view["uses"]] == [use["use_id"] for use in done["uses"]]
    assert (view["operator"], view["reason"], view["device_id"]) == (shop.clerk, "收错桌了", "till-1")
    assert await stage.states(order) == ["VALID", "VALID"]
    assert [one["used_at"] for one in await stage.certificates(order)] == [None, None]
    for use in done["uses"]:
        (event,) = await stage.said(UseReversed, use["use_id"])
        (used,) = await stage.said(CertificateUsed, use["use_id"])
        assert event.version > used.version
        assert (event.unit_id, event.use_no, event.cycle, event.used_at) == (used.unit_id, 1, 0, used.used_at)
        assert event.reversed_at.isoformat().replace("+00:00", "Z") == view["reversed_at"]
    assert (await redeemed(stage, shop, order))["redemption_id"] != done["redemption_id"]
    assert await stage.states(order) == ["USED", "USED"]
    assert await misfits_of(stage, order) == []


async def test_the_redemption_says_what_of_it_was_reversed(stage: Stage) -> None:
    shop = await stage.open_shop()
    done = await redeemed(stage, shop, await stage.pay(shop, units=2))
    first = done["uses"][0]["use_id"]
    reversal = (await stage.reverse(shop, done["redemption_id"], None, first)).json()
    for path in (f"/redemptions/{done['redemption_id']}", f"/stores/{shop.store_id}/redemptions"):
        seen = (await stage.http.get(path, headers=as_(shop.clerk))).json()
        uses = seen["uses"] if "uses" in seen else seen["items"][0]["uses"]
        assert [use["reversed_at"] for use in uses] == [reversal["reversed_at"], None]


async def test_a_repeated_reversal_gives_the_first_answer_even_when_the_certificate_is_used_again(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop)
    done, reversal_id = await redeemed(stage, shop, order), new_id()
    first = await stage.reverse(shop, done["redemption_id"], reversal_id)
    await redeemed(stage, shop, order)
    await stage.pass_time(timedelta(hours=2))
    again = await stage.reverse(shop, done["redemption_id"], reversal_id)
    assert (again.status_code, again.json()) == (201, first.json())
    assert await stage.states(order) == ["USED"]
    assert len(await stage.said(UseReversed, done["uses"][0]["use_id"])) == 1


async def test_one_reversal_id_is_one_request(stage: Stage) -> None:
    shop = await stage.open_shop()
    done, other = [await redeemed(stage, shop, await stage.pay(shop)) for _ in range(2)]
    reversal_id, use_id = new_id(), done["uses"][0]["use_id"]
    assert (await stage.reverse(shop, done["redemption_id"], reversal_id)).status_code == 201
    colleague = await stage.open_shop(replace(shop, staff_id=new_id(), clerk=f"{shop.clerk}-2"))
    for different in (
        stage.reverse(shop, done["redemption_id"], reversal_id, use_id),
        stage.reverse(shop, done["redemption_id"], reversal_id, device_id="till-2"),
        stage.reverse(shop, done["redemption_id"], reversal_id, reason="别的原因"),
        stage.reverse(shop, done["redemption_id"], reversal_id, by=colleague.clerk),
        stage.reverse(shop, other["redemption_id"], reversal_id),
    ):
        answer = await different
        assert (answer.status_code, answer.json()["code"]) == (409, "id_taken")


async def nothing(_: Stage, __: Shop, ___: OrderPaid, ____: Done) -> None:
    return


async def time_passes(stage: Stage, _: Shop, __: OrderPaid, done: Done) -> None:
    until = datetime.fromisoformat(done["uses"][0]["reversible_until"])
    move_to(stage, until)


async def the_timer_fires(stage: Stage, _: Shop, __: OrderPaid, done: Done) -> None:
    await stage.pass_time(timedelta(hours=1))
    assert len(await stage.said(UseFinal, done["uses"][0]["use_id"])) == 1


async def it_is_paid_out(stage: Stage, shop: Shop, order: OrderPaid, done: Done) -> None:
    await the_timer_fires(stage, shop, order, done)
    uses = tuple(PaidUse(unit_id=unit_id, use_no=1) for unit_id in units_of(order))
    payout = PayoutPaid(
        occurred_at=stage.now(), instruction_id=new_id(), payout_id=new_id(), merchant_id=order.merchant_id,
        order_id=order.order_id, gross_fen=0, fee_fen=0, net_fen=0, paid_at=stage.now(), uses=uses,
    )  # fmt: skip
    await consumers.mark_settled(payout, stage.db)


async def it_is_disputed(stage: Stage, _: Shop, order: OrderPaid, __: Done) -> None:
    request = refund_request(order).model_copy(update={"cause": RefundCause.AFTER_USE})
    await consumers.fence_refund(request, stage.db)


async def it_is_refunded_at_the_channel(stage: Stage, _: Shop, order: OrderPaid, __: Done) -> None:
    await consumers.close_refund(refund_succeeded(refund_request(order), external=True), stage.db)


async def it_is_reversed(stage: Stage, shop: Shop, _: OrderPaid, done: Done) -> None:
    assert (await stage.reverse(shop, done["redemption_id"])).status_code == 201


async def the_clerk_is_dismissed(stage: Stage, shop: Shop, _: OrderPaid, __: Done) -> None:
    await stage.keep_staff(shop, version=2, active=False)


async def the_clerk_moves_to_another_store(stage: Stage, shop: Shop, _: OrderPaid, __: Done) -> None:
    await stage.keep_staff(shop, version=2, stores=(new_id(),))


async def the_clerk_becomes_finance(stage: Stage, shop: Shop, _: OrderPaid, __: Done) -> None:
    await stage.keep_staff(shop, version=2, role=StaffRole.FINANCE)


async def ten_were_reversed(stage: Stage, _: Shop, order: OrderPaid, __: Done) -> None:
    async with stage.db.transaction() as tx:
        await tx.execute(
            "update certificates set reversals = $2 where unit_id = any($1)", units_of(order), REVERSALS_MAX
        )


Happening = Callable[[Stage, Shop, OrderPaid, Done], Awaitable[None]]


@pytest.mark.parametrize(
    ("happens", "status", "code", "zh", "en"),
    [
        (time_passes, 409, "reversed_too_late", "已超过可撤销时间", "that has passed"),
        (the_timer_fires, 409, "reversed_too_late", "已超过可撤销时间", "that has passed"),
        (it_is_paid_out, 409, "use_final", "已生效入账", "This use is final"),
        (it_is_disputed, 409, "use_disputed", "正在审核", "during the review"),
        (it_is_refunded_at_the_channel, 409, "refunded", "该券已退款", "was refunded"),
        (it_is_reversed, 409, "use_reversed", "该核销已撤销", "already undone"),
        (ten_were_reversed, 409, "too_many_reversals", "已达上限（10 次）", "undone 10 times already"),
        (the_clerk_is_dismissed, 404, "redemption_unknown", "没有找到这笔核销", "no such redemption"),
        (the_clerk_moves_to_another_store, 404, "redemption_unknown", "没有找到这笔核销", "no such redemption"),
        (
            the_clerk_becomes_finance,
            403,
            "not_staff_of_store",
            "不是该门店可核销的员工",
            "may not redeem at this store",
        ),
    ],
)
async def test_a_use_is_not_reversed_when(
    stage: Stage, happens: Happening, status: int, code: str, zh: str, en: str
) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop)
    done = await redeemed(stage, shop, order)
    await happens(stage, shop, order, done)
    before, said = await stage.states(order), len(await stage.said(UseReversed, done["uses"][0]["use_id"]))
    for language, words in (("zh", zh), ("en", en)):
        stage.http.headers["accept-language"] = language
        answer = await stage.reverse(shop, done["redemption_id"])
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert words in answer.json()["title"]
    assert await stage.states(order) == before
    assert len(await stage.said(UseReversed, done["uses"][0]["use_id"])) == said
    async with stage.db.transaction() as tx:
        kept = await tx.value("select count(*) from reversals where redemption_id = $1", UUID(done["redemption_id"]))
    assert kept == said, "a refused reversal leaves no row"
    if status != 404:
        assert code in await stage.refusals(shop.clerk)


async def test_a_late_reversal_is_told_until_when_it_was_possible(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop)
    done = await redeemed(stage, shop, order)
    await time_passes(stage, shop, order, done)
    answer = (await stage.reverse(shop, done["redemption_id"])).json()
    until = datetime.fromisoformat(answer["until"])
    assert until == datetime.fromisoformat(done["uses"][0]["reversible_until"])


async def test_a_use_that_the_redemption_does_not_have_is_unknown_and_nothing_else_is_reversed(stage: Stage) -> None:
    shop = await stage.open_shop()
    order, other = await stage.pay(shop), await stage.pay(shop)
    done, elsewhere = await redeemed(stage, shop, order), await redeemed(stage, shop, other)
    for strange in (elsewhere["uses"][0]["use_id"], new_id()):
        answer = await stage.reverse(shop, done["redemption_id"], None, done["uses"][0]["use_id"], strange)
        assert (answer.status_code, answer.json()["code"]) == (404, "use_unknown")
    assert await stage.states(order) + await stage.states(other) == ["USED", "USED"]


async def test_nobody_else_reverses_or_learns_of_a_redemption(stage: Stage) -> None:
    shop, stranger = await stage.open_shop(), await stage.open_shop()
    sister = await stage.open_shop(other_store(shop))
    order = await stage.pay(shop)
    done = await redeemed(stage, shop, order)
    for who in (stranger.clerk, sister.clerk, order.buyer):
        answer = await stage.reverse(shop, done["redemption_id"], by=who)
        assert (answer.status_code, answer.json()["code"]) == (404, "redemption_unknown")
    assert (await stage.reverse(shop, new_id())).status_code == 404
    assert await stage.states(order) == ["USED"]


async def test_a_colleague_of_the_same_store_may_reverse_and_is_the_one_who_is_noted(stage: Stage) -> None:
    shop = await stage.open_shop()
    colleague = replace(shop, staff_id=new_id(), clerk=f"{shop.clerk}-2")
    await stage.keep_staff(colleague, role=StaffRole.MANAGER)
    done = await redeemed(stage, shop, await stage.pay(shop))
    answer = await stage.reverse(shop, done["redemption_id"], by=colleague.clerk)
    assert (answer.status_code, answer.json()["operator"]) == (201, colleague.clerk)


@pytest.mark.parametrize("named", [True, False])
async def test_either_all_that_is_asked_for_is_reversed_or_nothing(stage: Stage, named: bool) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop, units=2)
    done = await redeemed(stage, shop, order)
    request = refund_request(order, units_of(order)[:1]).model_copy(update={"cause": RefundCause.AFTER_USE})
    await consumers.fence_refund(request, stage.db)
    use_ids = [use["use_id"] for use in done["uses"]] if named else []
    answer = await stage.reverse(shop, done["redemption_id"], None, *use_ids)
    assert (answer.status_code, answer.json()["code"]) == (409, "use_disputed")
    assert await stage.states(order) == ["DISPUTED", "USED"]
    assert (await stage.reverse(shop, done["redemption_id"], None, done["uses"][1]["use_id"])).status_code == 201
    assert await stage.states(order) == ["DISPUTED", "VALID"]


async def test_a_certificate_can_be_reversed_ten_times_and_then_stays_used(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop)
    for cycle in range(REVERSALS_MAX):
        done = await redeemed(stage, shop, order)
        assert (await stage.reverse(shop, done["redemption_id"])).status_code == 201, cycle
    last = await redeemed(stage, shop, order)
    answer = await stage.reverse(shop, last["redemption_id"])
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_reversals")
    (used,) = await stage.said(CertificateUsed, last["uses"][0]["use_id"])
    assert used.cycle == REVERSALS_MAX
    assert await stage.states(order) == ["USED"]


async def test_a_reversed_use_does_not_become_final_and_the_one_after_it_does(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop, units=2)
    done = await redeemed(stage, shop, order)
    undone, kept = (use["use_id"] for use in done["uses"])
    await stage.reverse(shop, done["redemption_id"], None, undone)
    token = await stage.token(shop, order)
    later = (await stage.verify(shop, token, units_of(order)[:1])).json()["uses"][0]["use_id"]
    await stage.pass_time(timedelta(hours=2))
    assert [len(await stage.said(UseFinal, use_id)) for use_id in (undone, kept, later)] == [0, 1, 1]
    assert (await stage.said(UseFinal, later))[0].cycle == 1
    uses = tuple(PaidUse(unit_id=unit_id, use_no=1) for unit_id in units_of(order))
    payout = PayoutPaid(
        occurred_at=stage.now(), instruction_id=new_id(), payout_id=new_id(), merchant_id=order.merchant_id,
        order_id=order.order_id, gross_fen=0, fee_fen=0, net_fen=0, paid_at=stage.now(), uses=uses,
    )  # fmt: skip
    await consumers.mark_settled(payout, stage.db)
    assert await stage.states(order) == ["SETTLED", "SETTLED"]


async def test_a_refund_after_use_that_comes_after_the_reversal_is_refused(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop)
    done = await redeemed(stage, shop, order)
    await stage.reverse(shop, done["redemption_id"])
    request = refund_request(order).model_copy(update={"cause": RefundCause.AFTER_USE})
    await consumers.fence_refund(request, stage.db)
    (refused,) = await stage.said(RefundRefused, request.refund_id)
    assert refused.code == "certificate_not_used"
    plain = refund_request(order)
    await consumers.fence_refund(plain, stage.db)
    assert len(await stage.said(RefundFenced, plain.refund_id)) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"device_id": "till-1", "reason": ""},
        {"device_id": "", "reason": "错"},
        {"device_id": "till-1", "reason": "  "},
        {"device_id": "till-1", "reason": "a\x00"},
        {"device_id": "till\x00", "reason": "错"},
        {"device_id": "till-1", "reason": "错" * 201},
        {"device_id": "till-1", "reason": "错", "use_ids": []},
        {"device_id": "till-1", "reason": "错", "use_ids": ["x"]},
        {"device_id": "till-1", "reason": "错", "use_ids": [str(UUID(int=1))] * 2},
        {"device_id": "till-1", "reason": "错", "use_ids": [str(UUID(int=one)) for one in range(11)]},
    ],
)
async def test_a_reversal_that_makes_no_sense_is_malformed(stage: Stage, body: Done) -> None:
    shop = await stage.open_shop()
    done = await redeemed(stage, shop, await stage.pay(shop))
    path = f"/redemptions/{done['redemption_id']}/reversals/{new_id()}"
    answer = await stage.http.put(path, json=body, headers=as_(shop.clerk))
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed_input")
