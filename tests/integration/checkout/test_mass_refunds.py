"""A campaign is called off: everything of it that is open goes back, once, and nothing is forgotten."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from services.checkout.consumers import refunds
from services.checkout.consumers.losses import advance_mass_refund
from services.checkout.store import mass_refunds as store
from services.checkout.store import orders
from services.checkout.use_cases import mass_refunds
from shared.contracts.catalog import DealKind, StaffRole
from shared.contracts.checkout import RefundCause, RefundRequested
from shared.contracts.dispatch import GoodsRefundFenced
from shared.ids import derived_id, new_id
from shared.messaging.timers import Due
from tests.integration.checkout.catalog_side import Deal
from tests.integration.checkout.redemption_side import fence, finish, refuse, use
from tests.integration.checkout.stage import Purchase, Stage, code_of
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("alipay_sandbox")


async def call_off(stage: Stage, deal: Deal, operator: str | None = None, mass_refund_id: UUID | None = None) -> UUID:
    """An operator begins a mass refund."""
    mass_refund_id = mass_refund_id or new_id()
    body = {"deal_id": str(deal.deal_id), "reason": "商家无法履约", "units": "OPEN"}
    answer = await stage.put(operator or await stage.operator(), f"/admin/mass-refunds/{mass_refund_id}", body)
    assert answer.status_code == 201, answer.text
    return mass_refund_id


async def step(stage: Stage, mass_refund_id: UUID) -> None:
    await stage.act(mass_refunds.MASS_REFUND, mass_refund_id)


async def walk(stage: Stage, mass_refund_id: UUID) -> None:
    """The timer acts until there is none."""
    while await stage.timer(mass_refunds.MASS_REFUND, mass_refund_id):
        await step(stage, mass_refund_id)


async def progress(stage: Stage, mass_refund_id: UUID) -> dict[str, Any]:
    answer = await stage.get(await stage.operator(), f"/admin/mass-refunds/{mass_refund_id}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def some(told: dict[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(told[name] for name in names)


async def asked(stage: Stage, unit_id: UUID) -> list[RefundRequested]:
    return await stage.said(RefundRequested, derived_id(unit_id, "CAMPAIGN"))


async def test_every_open_unit_goes_back_and_used_and_refunded_ones_stay(stage: Stage) -> None:
    deal = await stage.sell()
    purchase = await stage.paid(deal, quantity=4)
    open_one, used, final, buyers = await purchase.unit_ids()
    await use(stage, purchase, used)
    await finish(stage, await use(stage, purchase, final))
    await purchase.refunding(buyers)
    mass = await call_off(stage, deal)
    await walk(stage, mass)

    (request,) = await asked(stage, open_one)
    assert (request.unit_ids, request.cause) == ((open_one,), RefundCause.CAMPAIGN)
    assert await purchase.unit_states() == ["REFUNDING", "USED", "FINAL", "REFUNDING"]
    told = await progress(stage, mass)
    assert some(told, "state", "found", "opened", "under_way", "done") == ("DONE", 1, 1, 1, False)

    await fence(stage, purchase, request.refund_id, open_one)
    await stage.act("send_refund", request.refund_id)
    told = await progress(stage, mass)
    assert some(told, "found", "refunded", "refused", "failed", "done") == (1, 1, 0, 0, True)
    assert "活动" in next(e for e in (await purchase.view())["timeline"] if e["what"] == "CAMPAIGN")["text_zh"]
    assert await stage.misfits(deal.deal_id, purchase.order_id, *await purchase.unit_ids()) == []


async def test_what_was_in_another_refund_goes_back_when_that_one_is_refused(stage: Stage) -> None:
    deal = await stage.sell()
    purchase = await stage.paid(deal)
    (unit,) = await purchase.unit_ids()
    buyers = await purchase.refunding(unit)
    await walk(stage, await call_off(stage, deal))
    assert await asked(stage, unit) == []
    await refuse(stage, purchase, buyers, "certificate_refunding")
    assert len(await asked(stage, unit)) == 1


async def test_a_refused_refund_and_one_that_is_given_up_are_counted(stage: Stage) -> None:
    deal = await stage.sell()
    purchase = await stage.paid(deal, quantity=2)
    one, other = await purchase.unit_ids()
    mass = await call_off(stage, deal)
    await walk(stage, mass)
    await refuse(stage, purchase, derived_id(one, "CAMPAIGN"))
    path = f"/admin/refunds/{derived_id(other, 'CAMPAIGN')}/abandonment"
    assert (await stage.put(await stage.operator(), path, {"reason": "no answer"})).status_code == 200
    assert some(await progress(stage, mass), "opened", "refused", "failed", "under_way") == (2, 1, 1, 0)


async def test_goods_go_back_as_a_whole_parcel_by_one_refund(stage: Stage) -> None:
    deal = await stage.sell(Deal(kind=DealKind.GOODS, fee_fen=600))
    purchase = await stage.paid(deal, quantity=3)
    mass = await call_off(stage, deal)
    await walk(stage, mass)
    refund_id = derived_id(purchase.order_id, "CAMPAIGN")
    (request,) = await stage.said(RefundRequested, refund_id)
    assert set(request.unit_ids) == set(await purchase.unit_ids())
    fenced = GoodsRefundFenced(
        occurred_at=stage.now(), refund_id=refund_id, order_id=purchase.order_id, unit_ids=request.unit_ids
    )
    await refunds.approve_goods_refund(fenced, stage.db)
    await stage.act("send_refund", refund_id)
    assert some(await progress(stage, mass), "found", "opened", "refunded", "done") == (3, 1, 1, True)
    assert (await purchase.view())["refunded_fen"] == 3 * 12_800 + 600


async def test_goods_that_were_in_another_refund_go_back_whole_when_that_one_is_refused(stage: Stage) -> None:
    deal = await stage.sell(Deal(kind=DealKind.GOODS))
    purchase = await stage.paid(deal, quantity=2)
    buyers = await purchase.refunding()
    await walk(stage, await call_off(stage, deal))
    await refuse(stage, purchase, buyers, "parcel_handed_over")
    (request,) = await stage.said(RefundRequested, derived_id(purchase.order_id, "CAMPAIGN"))
    assert len(request.unit_ids) == 2


async def test_an_order_placed_before_and_paid_later_goes_back_and_one_placed_later_does_not(stage: Stage) -> None:
    deal = await stage.sell()
    before = await stage.placed(deal)
    mass = await call_off(stage, deal)
    await walk(stage, mass)
    assert some(await progress(stage, mass), "state", "found", "unpaid", "done") == ("DONE", 0, 1, False)
    stage.later(seconds=1)
    after = await stage.paid(deal)
    await before.pay()
    assert (await before.unit_states(), await after.unit_states()) == (["REFUNDING"], ["OPEN"])
    assert some(await progress(stage, mass), "found", "opened", "unpaid") == (1, 1, 0)


async def test_an_order_that_is_being_paid_while_the_walk_comes_by_is_not_missed(stage: Stage) -> None:
    """Its payment had looked before the campaign was called off, and commits after the walk arrived."""
    deal = await stage.sell()
    purchase = await stage.placed(deal)
    async with stage.db.transaction() as paying:
        await paying.execute("select from orders where order_id = $1 for update", purchase.order_id)
        assert await store.covering(paying, deal.deal_id, paying.now) is None
        walking = asyncio.create_task(walk(stage, await call_off(stage, deal)))
        await eventually(lambda: _somebody_waits(stage), what="the walk waits for the payment")
        # What a payment does, as far as this matters.
        await _pay(paying, purchase)
    await walking
    assert await purchase.unit_states() == ["REFUNDING"]


async def test_a_payment_that_joins_while_the_walk_waits_for_its_order_does_not_wait_for_the_walk(stage: Stage) -> None:
    deal = await stage.sell()
    purchase = await stage.placed(deal)
    mass = await call_off(stage, deal)
    async with stage.db.transaction() as paying:
        order = await orders.lock_order(paying, purchase.order_id)
        assert order is not None
        walking = asyncio.create_task(walk(stage, mass))
        await eventually(lambda: _somebody_waits(stage), what="the walk waits for the payment")
        await _pay(paying, purchase)
        await mass_refunds.refund_if_called_off(paying, order)
    await walking
    assert some(await progress(stage, mass), "state", "found", "opened") == ("DONE", 1, 1)


async def _somebody_waits(stage: Stage) -> bool:
    return bool(await stage.value("select exists (select from pg_locks where not granted)"))


async def _pay(tx: Any, purchase: Purchase) -> None:
    await tx.execute(
        "update orders set state = 'PAID', paid_at = placed_at where order_id = $1 and state = 'PLACED'",
        purchase.order_id,
    )
    await tx.execute(
        """insert into payment_attempts (attempt_id, order_id, channel, amount_fen, rail, state, opened_at, expires_at,
             trade_no, captured_fen, captured_at)
           values ($1, $2, 'ALIPAY_WAP', 12800, 'ZHIFUTONG', 'PAID', now(), now(), 'T', 12800, now())""",
        purchase.attempt_id,
        purchase.order_id,
    )
    await tx.execute("update stock set reserved = 0, sold = 1 where deal_id = $1", purchase.deal.deal_id)


async def test_a_payment_that_joins_and_the_walk_do_not_wait_for_each_other_in_a_ring(stage: Stage) -> None:
    deal = await stage.sell()
    before = [await stage.placed(deal) for _ in range(12)]
    for purchase in before:
        await purchase.at_cashier(await purchase.pay_url(), "no_notify")
    mass = await call_off(stage, deal)
    stage.later(seconds=11)
    paying = (stage.act("ask_channel", purchase.attempt_id) for purchase in before)
    await asyncio.gather(walk(stage, mass), *paying)
    assert [await purchase.unit_states() for purchase in before] == [["REFUNDING"]] * 12
    assert some(await progress(stage, mass), "found", "opened", "unpaid") == (12, 12, 0)


async def test_it_is_worked_off_in_batches_and_goes_on_where_it_was(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mass_refunds, "ORDERS_AT_ONCE", 2)
    deal = await stage.sell()
    purchases = [await stage.paid(deal) for _ in range(5)]
    mass = await call_off(stage, deal)

    class Died(BaseException):
        pass

    await step(stage, mass)
    assert some(await progress(stage, mass), "state", "orders_walked", "found") == ("RUNNING", 2, 2)
    finish_ = store.walk_on

    async def die(*_: object) -> None:
        raise Died

    monkeypatch.setattr(store, "walk_on", die)
    with pytest.raises(Died):
        await step(stage, mass)
    monkeypatch.setattr(store, "walk_on", finish_)
    assert some(await progress(stage, mass), "orders_walked", "found") == (2, 2)
    await walk(stage, mass)
    assert some(await progress(stage, mass), "state", "orders_walked", "found") == ("DONE", 5, 5)
    for purchase in purchases:
        assert len(await asked(stage, (await purchase.unit_ids())[0])) == 1


async def test_several_take_turns(stage: Stage) -> None:
    deals = [await stage.sell() for _ in range(2)]
    purchases = [await stage.paid(deal) for deal in deals]
    masses = [await call_off(stage, deal) for deal in deals]
    async with stage.db.transaction() as tx:
        rows = await tx.fetch("delete from timers where key = any($1) returning *", [str(mass) for mass in masses])
        due = [Due(row["kind"], row["key"], row["due_at"], row["payload"], 0) for row in rows]
        await advance_mass_refund(tx, due)
    for mass in masses:
        await walk(stage, mass)
    assert [await purchase.unit_states() for purchase in purchases] == [["REFUNDING"]] * 2


async def test_one_that_is_stopped_opens_no_more_and_covers_no_later_payment(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mass_refunds, "ORDERS_AT_ONCE", 1)
    deal = await stage.sell()
    first, second, unpaid = await stage.paid(deal), await stage.paid(deal), await stage.placed(deal)
    mass = await call_off(stage, deal)
    await step(stage, mass)
    path = f"/admin/mass-refunds/{mass}/stop"
    for _ in range(2):
        answer = await stage.put(await stage.operator(), path, {"reason": "the merchant delivers after all"})
        assert (answer.status_code, answer.json()["state"]) == (200, "STOPPED")
    assert await stage.timer(mass_refunds.MASS_REFUND, mass) is None
    async with stage.db.transaction() as tx:
        await advance_mass_refund(tx, [Due(mass_refunds.MASS_REFUND, str(mass), tx.now, {}, 0)])
    await unpaid.pay()
    assert [await one.unit_states() for one in (first, second, unpaid)] == [["REFUNDING"], ["OPEN"], ["OPEN"]]


async def test_the_same_request_again_changes_nothing_and_another_one_is_refused(stage: Stage) -> None:
    deal, other, operator = await stage.sell(), await stage.sell(), await stage.operator()
    await stage.paid(deal)
    mass = await call_off(stage, deal, operator)
    await walk(stage, mass)
    await call_off(stage, deal, operator, mass)
    assert await stage.timer(mass_refunds.MASS_REFUND, mass) is None
    body = {"deal_id": str(other.deal_id), "reason": "商家无法履约"}
    assert code_of(await stage.put(operator, f"/admin/mass-refunds/{mass}", body)) == (409, "id_taken")
    body = {"deal_id": str(deal.deal_id), "reason": "something else"}
    assert code_of(await stage.put(operator, f"/admin/mass-refunds/{mass}", body)) == (409, "id_taken")


async def test_a_second_one_finds_what_the_first_one_refunded_and_pays_nothing_twice(stage: Stage) -> None:
    deal = await stage.sell()
    purchase = await stage.paid(deal)
    (unit,) = await purchase.unit_ids()
    await walk(stage, await call_off(stage, deal))
    await walk(stage, await call_off(stage, deal))
    assert len(await asked(stage, unit)) == 1


@pytest.mark.parametrize(
    ("who", "deal_id", "body", "refusal"),
    [
        ("operator", new_id(), {}, (404, "deal_not_found")),
        ("owner", None, {}, (403, "forbidden")),
        ("buyer", None, {}, (403, "forbidden")),
        ("operator", None, {"units": "USED"}, (422, "malformed_input")),
        ("operator", None, {"reason": ""}, (422, "malformed_input")),
    ],
)
async def test_who_may_not_and_what_does_not_work(
    stage: Stage, who: str, deal_id: UUID | None, body: dict[str, str], refusal: tuple[int, str]
) -> None:
    deal = await stage.sell()
    purchase = await stage.paid(deal)
    people = {
        "operator": await stage.operator(),
        "owner": await stage.staff(deal, StaffRole.OWNER),
        "buyer": purchase.buyer,
    }
    mass = new_id()
    sent = {"deal_id": str(deal_id or deal.deal_id), "reason": "x", **body}
    assert code_of(await stage.put(people[who], f"/admin/mass-refunds/{mass}", sent)) == refusal
    assert code_of(await stage.get(people["operator"], f"/admin/mass-refunds/{mass}")) == (404, "mass_refund_not_found")
    for path, method in (("", stage.get), (f"/{mass}", stage.get)):
        if who != "operator":
            assert code_of(await method(people[who], f"/admin/mass-refunds{path}"))[0] == 403
    assert code_of(await stage.put(people[who], f"/admin/mass-refunds/{mass}/stop", {"reason": "x"}))[0] in (403, 404)
    assert await purchase.unit_states() == ["OPEN"]


async def test_they_are_listed_newest_first_page_by_page(stage: Stage) -> None:
    deal, operator = await stage.sell(), await stage.operator()
    started = []
    for _ in range(3):
        stage.later(days=30)  # Later than any other test's.
        started.append(str(await call_off(stage, deal, operator)))
    first = (await stage.get(operator, "/admin/mass-refunds?limit=2")).json()
    second = (await stage.get(operator, f"/admin/mass-refunds?limit=2&cursor={first['next_cursor']}")).json()
    listed = [one["mass_refund_id"] for one in first["items"] + second["items"]]
    assert listed[:3] == started[::-1]
