"""Verify: exactly one use, or none and a named reason."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.redemption import consumers, use_cases
from services.redemption.domain.codes import Prepared
from shared.clock import business_day, end_of_day
from shared.contracts.checkout import OrderPaid
from shared.contracts.redemption import CertificateUsed, UseFinal
from shared.contracts.settlement import PaidUse, PayoutPaid
from shared.contracts.use_rules import UseRules
from shared.ids import new_id
from tests.integration.redemption.stage import (
    Shop,
    Stage,
    as_,
    other_store,
    refund_abandoned,
    refund_request,
    refund_succeeded,
    units_of,
)


def token_for(stage: Stage, shop: Shop, order: OrderPaid, *, age: timedelta = timedelta()) -> str:
    """A token of our own making, so that what is refused is refused by verify and not by prepare."""
    prepared = Prepared(shop.clerk, shop.store_id, order.order_id, tuple(units_of(order)))
    return stage.codes.preparation_token(prepared, datetime.now(UTC) - age)[0]


async def plain(stage: Stage, shop: Shop) -> OrderPaid:
    return await stage.pay(shop)


async def used(stage: Stage, shop: Shop) -> OrderPaid:
    order = await stage.pay(shop)
    assert (await stage.redeem(shop, order)).status_code == 201
    return order


async def settled(stage: Stage, shop: Shop) -> OrderPaid:
    order = await used(stage, shop)
    await stage.pass_time(timedelta(hours=1))
    await consumers.mark_settled(payout(order), stage.db)
    return order


async def refunding(stage: Stage, shop: Shop) -> OrderPaid:
    order = await stage.pay(shop)
    await consumers.fence_refund(refund_request(order), stage.db)
    return order


async def refunded(stage: Stage, shop: Shop) -> OrderPaid:
    order = await stage.pay(shop)
    request = refund_request(order)
    await consumers.fence_refund(request, stage.db)
    await consumers.close_refund(refund_succeeded(request), stage.db)
    return order


async def refund_given_up(stage: Stage, shop: Shop) -> OrderPaid:
    order = await stage.pay(shop)
    request = refund_request(order)
    await consumers.fence_refund(request, stage.db)
    await consumers.lift_fence(refund_abandoned(request), stage.db)
    return order


async def too_early(stage: Stage, shop: Shop) -> OrderPaid:
    return await stage.pay(shop, rules=UseRules(use_from=stage.now() + timedelta(days=1), valid_days=30))


async def too_late(stage: Stage, shop: Shop) -> OrderPaid:
    order = await stage.pay(shop, rules=UseRules(valid_days=1))
    await stage.pass_time(timedelta(days=3))
    return order


async def blackout(stage: Stage, shop: Shop) -> OrderPaid:
    return await stage.pay(shop, rules=UseRules(valid_days=30, blackout_dates=(business_day(stage.now()),)))


async def for_another_store(stage: Stage, shop: Shop) -> OrderPaid:
    return await stage.pay(await stage.open_shop(other_store(shop)))


async def of_another_merchant(stage: Stage, _: Shop) -> OrderPaid:
    return await stage.pay(await stage.open_shop())


async def store_closed(stage: Stage, shop: Shop) -> OrderPaid:
    order = await stage.pay(shop)
    await stage.keep_store(shop, version=2, is_open=False)
    return order


async def staff_revoked(stage: Stage, shop: Shop) -> OrderPaid:
    order = await stage.pay(shop)
    await stage.keep_staff(shop, version=2, active=False)
    return order


async def staff_moved(stage: Stage, shop: Shop) -> OrderPaid:
    order = await stage.pay(shop)
    await stage.keep_staff(shop, version=2, stores=(new_id(),))
    return order


async def store_sold(stage: Stage, shop: Shop) -> OrderPaid:
    order = await stage.pay(shop)
    await stage.keep_store(replace(shop, merchant_id=new_id()), version=2)
    return order


def payout(order: OrderPaid, *use_numbers: int) -> PayoutPaid:
    uses = tuple(
        PaidUse(unit_id=unit_id, use_no=use_no) for unit_id in units_of(order) for use_no in use_numbers or (1,)
    )
    return PayoutPaid(
        occurred_at=order.paid_at, instruction_id=new_id(), payout_id=new_id(), merchant_id=order.merchant_id,
        order_id=order.order_id, gross_fen=12_800, fee_fen=77, net_fen=12_723, paid_at=order.paid_at, uses=uses,
    )  # fmt: skip


Situation = Callable[[Stage, Shop], Awaitable[OrderPaid]]

OUTCOMES: list[tuple[Situation, int, str | None]] = [
    (plain, 201, None),
    (refund_given_up, 201, None),
    (used, 409, "certificate_used"),
    (settled, 409, "certificate_used"),
    (refunding, 409, "certificate_refunding"),
    (refunded, 409, "certificate_refunded"),
    (too_early, 409, "not_yet_valid"),
    (too_late, 409, "expired"),
    (blackout, 409, "blackout_date"),
    (for_another_store, 409, "other_store"),
    (of_another_merchant, 409, "other_store"),
    (store_closed, 409, "store_closed"),
    (staff_revoked, 403, "not_staff_of_store"),
    (staff_moved, 403, "not_staff_of_store"),
    (store_sold, 403, "not_staff_of_store"),
]


@pytest.mark.parametrize(("situation", "status", "code"), OUTCOMES, ids=[case[0].__name__ for case in OUTCOMES])
async def test_verify_has_exactly_one_effect_or_none_and_says_why(
    stage: Stage, situation: Situation, status: int, code: str | None
) -> None:
    shop = await stage.open_shop()
    order = await situation(stage, shop)
    states, uses = await stage.states(order), await uses_of(stage, order)
    token = token_for(stage, shop, order)
    answer = await stage.verify(shop, token, units_of(order))
    assert answer.status_code == status, answer.text
    if code is None:
        assert await stage.states(order) == ["USED"]
        assert await uses_of(stage, order) == uses + 1
        return
    assert await stage.states(order) == states
    assert await uses_of(stage, order) == uses
    assert (await stage.refusals(shop.clerk))[-1] == code
    titles = [answer.json()["title"], await title_in_english(stage, shop, token, order)]
    assert answer.json()["code"] == code
    assert titles[0] != titles[1]
    assert "{" not in "".join(titles)


async def title_in_english(stage: Stage, shop: Shop, token: str, order: OrderPaid) -> str:
    stage.http.headers["accept-language"] = "en"
    try:
        title: str = (await stage.verify(shop, token, units_of(order))).json()["title"]
    finally:
        del stage.http.headers["accept-language"]
    return title


async def uses_of(stage: Stage, order: OrderPaid) -> int:
    async with stage.db.transaction() as tx:
        count: int = await tx.value("select count(*) from uses where unit_id = any($1)", units_of(order))
    return count


async def test_a_code_shown_a_second_time_is_refused_with_when_and_where(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop)
    done = (await stage.redeem(shop, order)).json()
    refused = (await stage.redeem(shop, order)).json()
    assert refused["code"] == "certificate_used"
    assert refused["store_name"] == shop.name
    assert datetime.fromisoformat(refused["used_at"]) == datetime.fromisoformat(done["uses"][0]["used_at"])


async def test_a_redemption_says_until_when_it_can_be_undone(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop)
    done = (await stage.redeem(shop, order)).json()
    (use,) = done["uses"]
    used_at = datetime.fromisoformat(use["used_at"])
    expected = min(used_at + timedelta(hours=1), end_of_day(used_at))
    assert datetime.fromisoformat(use["reversible_until"]) == expected
    (event,) = await stage.said(CertificateUsed, use["use_id"])
    assert (event.unit_id, event.use_no, event.store_id) == (units_of(order)[0], 1, shop.store_id)
    assert (event.used_at, event.reversible_until) == (used_at, expected)


async def test_several_certificates_are_used_together_or_not_at_all(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop, units=3)
    token = token_for(stage, shop, order)
    assert (await stage.verify(shop, token, units_of(order)[2:])).status_code == 201
    together = await stage.verify(shop, token, units_of(order))
    assert (together.status_code, together.json()["code"]) == (409, "certificate_used")
    assert await stage.states(order) == ["VALID", "VALID", "USED"]
    rest = await stage.verify(shop, token, units_of(order)[:2])
    assert rest.status_code == 201
    assert len(rest.json()["uses"]) == 2
    assert await stage.states(order) == ["USED"] * 3


async def test_the_same_request_again_gives_the_first_result_even_when_the_token_has_ended(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop, units=2)
    redemption_id, units = new_id(), units_of(order)
    first = await stage.verify(shop, token_for(stage, shop, order), units, redemption_id)
    ended = token_for(stage, shop, order, age=timedelta(minutes=3))
    second = await stage.verify(shop, ended, units[::-1], redemption_id)
    assert (second.status_code, second.json()) == (201, first.json())
    assert (await stage.http.get(f"/redemptions/{redemption_id}", headers=as_(shop.clerk))).json() == first.json()
    assert await uses_of(stage, order) == 2


async def test_the_same_id_with_another_body_is_taken(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop, units=2)
    redemption_id, units = new_id(), units_of(order)
    token = token_for(stage, shop, order)
    assert (await stage.verify(shop, token, units[:1], redemption_id)).status_code == 201
    colleague = await stage.open_shop(other_store(shop))
    for other in (
        stage.verify(shop, token, units[1:], redemption_id),
        stage.verify(shop, token, units[:1], redemption_id, device_id="till-2"),
        stage.verify(colleague, token_for(stage, colleague, order), units[:1], redemption_id),
    ):
        answer = await other
        assert (answer.status_code, answer.json()["code"]) == (409, "id_taken")
    assert await stage.states(order) == ["USED", "VALID"]


async def test_a_token_holds_two_minutes_for_its_operator_store_and_certificates(stage: Stage) -> None:
    shop = await stage.open_shop()
    order, other_order = await stage.pay(shop), await stage.pay(shop)
    colleague = await stage.open_shop(other_store(shop))
    token = token_for(stage, shop, order)
    refusals = [
        (shop, token_for(stage, shop, order, age=timedelta(seconds=121)), units_of(order), "preparation_expired"),
        (shop, token, units_of(other_order), "preparation_mismatch"),
        (shop, token, [*units_of(order), *units_of(other_order)], "preparation_mismatch"),
        (colleague, token, units_of(order), "preparation_mismatch"),
        (shop, "nonsense", units_of(order), "preparation_mismatch"),
        (shop, "", units_of(order), "preparation_mismatch"),
    ]
    for who, shown, units, code in refusals:
        answer = await stage.verify(who, shown, units)
        assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert await stage.states(order) + await stage.states(other_order) == ["VALID", "VALID"]


async def test_one_request_sent_many_times_at_once_is_one_redemption(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop, units=2)
    redemption_id, token = new_id(), token_for(stage, shop, order)
    answers = await asyncio.gather(*(stage.verify(shop, token, units_of(order), redemption_id) for _ in range(12)))
    assert {answer.status_code for answer in answers} == {201}
    assert all(answer.json() == answers[0].json() for answer in answers)
    assert await uses_of(stage, order) == 2


async def test_many_tills_at_once_use_a_certificate_once(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop, units=3)
    token = token_for(stage, shop, order)

    async def redeem(units: list[UUID]) -> int:
        return (await stage.verify(shop, token, units)).status_code

    units = units_of(order)
    overlapping = [units[:2], units[1:], units[::2], units] * 5
    outcomes = await asyncio.gather(*(redeem(some) for some in overlapping))
    won = [some for some, status in zip(overlapping, outcomes, strict=True) if status == 201]
    assert set(outcomes) == {201, 409}
    assert len(won) == 1
    assert await uses_of(stage, order) == len(won[0])


async def test_a_times_card_is_used_as_often_as_it_was_bought_and_no_more(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop, uses=4)
    token = token_for(stage, shop, order)
    answers = await asyncio.gather(*(stage.verify(shop, token, units_of(order)) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [201] * 4 + [409] * 6
    numbers = {answer.json()["uses"][0]["use_no"] for answer in answers if answer.status_code == 201}
    assert numbers == {1, 2, 3, 4}
    assert await stage.states(order) == ["USED"]


async def test_a_use_becomes_final_when_it_can_no_longer_be_undone(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop, units=2)
    done = (await stage.redeem(shop, order)).json()
    use_ids = [use["use_id"] for use in done["uses"]]
    until = datetime.fromisoformat(done["uses"][0]["reversible_until"])
    await stage.pass_time(until - stage.now() - timedelta(seconds=5))
    assert [await stage.said(UseFinal, use_id) for use_id in use_ids] == [[], []]
    await stage.pass_time(timedelta(seconds=6))
    await stage.pass_time(timedelta(hours=1))
    for use_id, use in zip(use_ids, done["uses"], strict=True):
        (final,) = await stage.said(UseFinal, use_id)
        assert final.unit_id == UUID(use["unit_id"])
        assert final.used_at == datetime.fromisoformat(use["used_at"])
        assert final.version > (await stage.said(CertificateUsed, use_id))[0].version
    assert await stage.states(order) == ["USED", "USED"]


async def test_a_use_that_can_still_be_undone_is_not_made_final_by_a_timer_that_comes_early(stage: Stage) -> None:
    shop = await stage.open_shop()
    done = (await stage.redeem(shop, await stage.pay(shop))).json()
    async with stage.db.transaction() as tx:
        await use_cases.finalise_uses(tx, [UUID(done["redemption_id"])])
    assert await stage.said(UseFinal, done["uses"][0]["use_id"]) == []


async def test_a_certificate_is_settled_when_its_last_use_is_paid_out(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop, uses=2)
    token = token_for(stage, shop, order)
    assert (await stage.verify(shop, token, units_of(order))).status_code == 201
    await stage.pass_time(timedelta(hours=1))
    first = payout(order, 1)
    await consumers.mark_settled(first, stage.db)
    assert await stage.states(order) == ["VALID"]
    assert (await stage.verify(shop, token, units_of(order))).status_code == 201
    await stage.pass_time(timedelta(hours=1))
    await consumers.mark_settled(payout(order, 2), stage.db)
    await consumers.mark_settled(first, stage.db)
    assert await stage.states(order) == ["SETTLED"]


async def test_the_stores_staff_see_its_redemptions_page_by_page(stage: Stage) -> None:
    shop = await stage.open_shop()
    ids = [(await stage.redeem(shop, await stage.pay(shop))).json()["redemption_id"] for _ in range(4)]
    seen: list[str] = []
    cursor = None
    while True:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        answer = await stage.http.get(f"/stores/{shop.store_id}/redemptions", params=query, headers=as_(shop.clerk))
        items = answer.json()["items"]
        assert len(items) == 2, "no page is empty, not even after a full last one"
        seen += [item["redemption_id"] for item in items]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            break
    assert seen == ids[::-1]


async def test_a_stranger_sees_no_redemption(stage: Stage) -> None:
    shop, stranger = await stage.open_shop(), await stage.open_shop()
    done = (await stage.redeem(shop, await stage.pay(shop))).json()
    single = await stage.http.get(f"/redemptions/{done['redemption_id']}", headers=as_(stranger.clerk))
    page = await stage.http.get(f"/stores/{shop.store_id}/redemptions", headers=as_(stranger.clerk))
    assert (single.status_code, page.status_code) == (404, 403)
    unsigned = await stage.http.get(f"/stores/{shop.store_id}/redemptions")
    assert unsigned.status_code == 401


@pytest.mark.parametrize("cursor", ["x", "bm8", "MjAyNi0xMS0yMnx4"])
async def test_a_cursor_of_ones_own_making_is_refused(stage: Stage, cursor: str) -> None:
    shop = await stage.open_shop()
    answer = await stage.http.get(
        f"/stores/{shop.store_id}/redemptions", params={"cursor": cursor}, headers=as_(shop.clerk)
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "cursor_invalid")


async def test_a_certificate_cannot_be_named_twice_in_one_request(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop)
    answer = await stage.verify(shop, token_for(stage, shop, order), units_of(order) * 2)
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed_input")


@pytest.mark.parametrize("device_id", ["", "x" * 65, "till\x00"])
async def test_a_device_without_a_name_that_can_be_kept_is_malformed(stage: Stage, device_id: str) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop)
    answer = await stage.verify(shop, token_for(stage, shop, order), units_of(order), device_id=device_id)
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed_input")
