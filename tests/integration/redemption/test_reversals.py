"""A use that was a mistake is undone: once, in time, by the store's own people, and the certificate is as before."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.redemption import consumers
from services.redemption.domain.reversals import REVERSALS_MAX
from services.redemption.use_cases import expiry
from shared.clock import Clock, end_of_day
from shared.contracts.catalog import StaffRole
from shared.contracts.checkout import OrderPaid, RefundCause
from shared.contracts.redemption import (
    CertificateExpired,
    CertificateUsed,
    RefundFenced,
    RefundRefused,
    UseFinal,
    UseReversed,
)
from shared.contracts.settlement import PaidUse, PayoutPaid
from shared.contracts.use_rules import UseRules
from shared.ids import new_id
from tests.integration.redemption.losses import lose, recalls, store_lost, suspended
from tests.integration.redemption.stage import (
    Shop,
    Stage,
    as_,
    other_store,
    refund_request,
    refund_succeeded,
    units_of,
)

Done = dict[str, Any]


async def redeemed(stage: Stage, shop: Shop, order: OrderPaid) -> Done:
    answer = await stage.redeem(shop, order)
    assert answer.status_code == 201, answer.text
    done: Done = answer.json()
    return done


def move_to(stage: Stage, moment: datetime) -> None:
    """Business time moves on, and no timer has fired yet."""
    stage.clock.move_to_offset((moment - Clock().now()).total_seconds())


async def misfits_of(stage: Stage, order: OrderPaid) -> list[Any]:
    """What the audit finds wrong about the certificates and uses of an order."""
    answer = await stage.http.get("/admin/money", headers=as_(await stage.operator()))
    mine = {str(unit_id) for unit_id in units_of(order)}
    return [one for one in answer.json()["misfits"] if one["id"] in mine]


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


async def card(stage: Stage, shop: Shop, made: int, uses: int = 3) -> tuple[OrderPaid, list[Done]]:
    """A card of three uses, of which some were made: 1, then 2, then 3."""
    order = await stage.pay(shop, uses=uses)
    token = await stage.token(shop, order)
    return order, [(await stage.verify(shop, token, units_of(order))).json() for _ in range(made)]


async def next_no(stage: Stage, shop: Shop, order: OrderPaid) -> int:
    no: int = (await redeemed(stage, shop, order))["uses"][0]["use_no"]
    return no


@pytest.mark.parametrize(
    ("undone", "then"), [((2,), [2]), ((1,), [1]), ((3,), [3]), ((3, 1), [1, 3]), ((1, 2, 3), [1, 2, 3])]
)
async def test_the_next_use_of_a_card_takes_the_lowest_number_that_is_free(
    stage: Stage, undone: tuple[int, ...], then: list[int]
) -> None:
    shop = await stage.open_shop()
    order, made = await card(stage, shop, 3)
    for no in undone:
        assert (await stage.reverse(shop, made[no - 1]["redemption_id"])).status_code == 201
    assert await stage.states(order) == ["VALID"]
    assert [await next_no(stage, shop, order) for _ in then] == then
    assert await stage.states(order) == ["USED"]
    assert await misfits_of(stage, order) == []


async def test_each_use_of_a_card_keeps_its_own_value_through_a_reversal(stage: Stage) -> None:
    shop = await stage.open_shop()
    order, made = await card(stage, shop, 2)
    async with stage.db.transaction() as tx:
        await tx.execute("update certificates set use_values_fen = '{5,7,11}' where unit_id = $1", units_of(order)[0])
    await stage.reverse(shop, made[1]["redemption_id"])
    again = await redeemed(stage, shop, order)
    async with stage.db.transaction() as tx:
        paid = await tx.value("select paid_fen from uses where use_id = $1", UUID(again["uses"][0]["use_id"]))
    assert (again["uses"][0]["use_no"], paid) == (2, 7)


async def test_a_refund_of_a_card_names_the_uses_that_are_left(stage: Stage) -> None:
    shop = await stage.open_shop()
    order, made = await card(stage, shop, 2)
    await stage.reverse(shop, made[0]["redemption_id"])
    request = refund_request(order)
    await consumers.fence_refund(request, stage.db)
    (fenced,) = await stage.said(RefundFenced, request.refund_id)
    assert [(unit.uses_left, unit.left_nos) for unit in fenced.units] == [(2, (1, 3))]
    terms = (await stage.http.get("/admin/money", headers=as_(await stage.operator()))).json()["terms"]
    assert terms["uses_reversed"] >= 1


@pytest.mark.parametrize("refunded", [False, True])
async def test_a_use_of_a_card_whose_rest_is_being_refunded_stays_used(stage: Stage, refunded: bool) -> None:
    shop = await stage.open_shop()
    order, made = await card(stage, shop, 1)
    request = refund_request(order)
    await consumers.fence_refund(request, stage.db)
    if refunded:
        await consumers.close_refund(refund_succeeded(request), stage.db)
    answer = await stage.reverse(shop, made[0]["redemption_id"])
    assert (answer.status_code, answer.json()["code"]) == (409, "refunded" if refunded else "rest_refunding")


def at_noon(stage: Stage) -> None:
    """Tomorrow at noon: no test runs into midnight, when nothing can be undone any more."""
    move_to(stage, end_of_day(stage.now()) + timedelta(hours=12))


async def test_a_use_that_is_reversed_after_its_time_is_over_expires_and_is_refunded(stage: Stage) -> None:
    at_noon(stage)
    shop = await stage.open_shop()
    order = await stage.pay(shop, rules=UseRules(valid_days=1))
    async with stage.db.transaction() as tx:
        await tx.execute(
            "update orders set until = $2, expiry_done = true where order_id = $1",
            order.order_id,
            stage.now() + timedelta(minutes=10),
        )
    done = await redeemed(stage, shop, order)
    move_to(stage, stage.now() + timedelta(minutes=20))
    assert (await stage.reverse(shop, done["redemption_id"])).status_code == 201
    assert await stage.states(order) == ["EXPIRED"]
    (expired,) = await stage.said(CertificateExpired, units_of(order)[0])
    assert expired.uses_left == 1


async def test_a_use_of_a_card_that_expired_with_uses_left_goes_back_with_them(stage: Stage) -> None:
    at_noon(stage)
    shop = await stage.open_shop()
    order, made = await card(stage, shop, 1)
    async with stage.db.transaction() as tx:
        await tx.execute(
            "update orders set until = $2 where order_id = $1", order.order_id, stage.now() + timedelta(minutes=10)
        )
    move_to(stage, stage.now() + timedelta(minutes=20))
    async with stage.db.transaction() as tx:
        assert await expiry.expire_if_over(tx, units_of(order)) == frozenset(units_of(order))
    assert (await stage.reverse(shop, made[0]["redemption_id"])).status_code == 201
    assert await stage.states(order) == ["EXPIRED"]
    request = refund_request(order)
    await consumers.fence_refund(request, stage.db)
    assert [unit.uses_left for unit in (await stage.said(RefundFenced, request.refund_id))[0].units] == [3]


@pytest.mark.parametrize(("lost", "reason"), [("closed", "store_closed"), ("suspended", "merchant_suspended")])
async def test_a_use_that_is_reversed_after_its_store_was_lost_is_recalled(
    stage: Stage, lost: str, reason: str
) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop)
    done = await redeemed(stage, shop, order)
    await lose(stage, store_lost(stage, shop) if lost == "closed" else suspended(stage, shop))
    assert await stage.states(order) == ["USED"]
    assert (await stage.reverse(shop, done["redemption_id"])).status_code == 201
    assert (await stage.states(order), await recalls(stage, order)) == (["REFUNDING"], [reason])


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
