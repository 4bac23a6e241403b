"""What redemption and dispatch report, in any order and any number, and when an order is completed."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

from services.checkout.consumers import fulfilment
from services.checkout.use_cases import fulfilment as fulfilment_use_cases
from shared.contracts.catalog import DealKind, DeliveryMode
from shared.contracts.dispatch import ParcelAccepted, ParcelDelivered, ParcelHandedOver, ParcelReceived
from shared.contracts.redemption import CertificatesIssued, CertificateUsed, UseFinal
from shared.errors import NotYet
from shared.ids import new_id
from tests.integration.checkout.catalog_side import Deal
from tests.integration.checkout.stage import Purchase, Stage
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("alipay_sandbox")

Report = Callable[[], Awaitable[None]]


def issued(stage: Stage, purchase: Purchase, units: list[UUID]) -> Report:
    event = CertificatesIssued(occurred_at=stage.now(), order_id=purchase.order_id, unit_ids=tuple(units))
    return lambda: fulfilment.record_issued(event, stage.db)


def used(stage: Stage, purchase: Purchase, unit: UUID, use_id: UUID) -> Report:
    event = CertificateUsed(
        occurred_at=stage.now(), use_id=use_id, unit_id=unit, use_no=1, order_id=purchase.order_id,
        merchant_id=purchase.deal.merchant_id, store_id=purchase.deal.store_id, used_at=stage.now(),
        reversible_until=stage.now(),
    )  # fmt: skip
    return lambda: fulfilment.record_use(event, stage.db)


def _final(stage: Stage, purchase: Purchase, unit: UUID, use_id: UUID) -> UseFinal:
    return UseFinal(
        occurred_at=stage.now(), use_id=use_id, unit_id=unit, use_no=1, order_id=purchase.order_id,
        merchant_id=purchase.deal.merchant_id, store_id=purchase.deal.store_id, used_at=stage.now(),
    )  # fmt: skip


def final(stage: Stage, purchase: Purchase, unit: UUID, use_id: UUID) -> Report:
    event = _final(stage, purchase, unit, use_id)
    return lambda: fulfilment.record_final_use(event, stage.db)


def parcel(stage: Stage, purchase: Purchase, units: list[UUID]) -> list[Report]:
    known = {"parcel_id": new_id(), "order_id": purchase.order_id, "unit_ids": tuple(units), "occurred_at": stage.now()}
    accepted = ParcelAccepted.model_validate(known)
    handed_over = ParcelHandedOver.model_validate({**known, "mode": DeliveryMode.COURIER, "carrier": "sf"})
    delivered = ParcelDelivered.model_validate({**known, "delivered_at": stage.now(), "received_by": stage.now()})
    received = ParcelReceived.model_validate(
        {
            **known,
            "merchant_id": purchase.deal.merchant_id,
            "store_id": purchase.deal.store_id,
            "received_at": stage.now(),
            "automatic": False,
        }
    )
    return [
        lambda: fulfilment.record_parcel_accepted(accepted, stage.db),
        lambda: fulfilment.record_parcel_handed_over(handed_over, stage.db),
        lambda: fulfilment.record_parcel_delivered(delivered, stage.db),
        lambda: fulfilment.record_parcel_received(received, stage.db),
    ]


async def test_reports_of_one_unit_in_any_order_and_twice_end_the_same(stage: Stage) -> None:
    deal = await stage.sell()
    for order in permutations(range(3)):
        purchase = await stage.paid(deal)
        (unit,) = await purchase.unit_ids()
        use_id = new_id()
        reports = [
            issued(stage, purchase, [unit]),
            used(stage, purchase, unit, use_id),
            final(stage, purchase, unit, use_id),
        ]
        for index in order:
            await reports[index]()
            await reports[index]()

        assert (await purchase.state(), await purchase.unit_states()) == ("COMPLETED", ["FINAL"]), order


async def test_an_order_is_completed_by_its_last_unit_even_when_both_end_at_once(stage: Stage) -> None:
    purchase = await stage.paid(quantity=2)
    first, second = await purchase.unit_ids()
    await issued(stage, purchase, [first, second])()

    async with stage.db.transaction() as tx:
        await fulfilment_use_cases.record_final_use(tx, _final(stage, purchase, first, new_id()))
        # The other one's report arrives while this one is not committed: it must not overlook it.
        other = asyncio.ensure_future(final(stage, purchase, second, new_id())())
        await eventually(lambda: _somebody_waits(stage, other), what="the second report waits, or is done already")
    await other

    assert await purchase.state() == "COMPLETED"


async def test_a_use_that_is_not_final_leaves_the_order_open(stage: Stage) -> None:
    purchase = await stage.paid(quantity=2)
    units = await purchase.unit_ids()
    await issued(stage, purchase, units)()
    await used(stage, purchase, units[0], new_id())()

    assert (await purchase.state(), await purchase.unit_states()) == ("FULFILLING", ["USED", "OPEN"])
    what = [entry["what"] for entry in (await purchase.view())["timeline"]]
    assert set(what) == {"PLACED", "PAID", "ISSUED", "USED"}
    assert [one["order_id"] for one in (await _list(stage, purchase, "to_use"))] == [str(purchase.order_id)]


async def test_a_parcels_reports_in_any_order_end_received(stage: Stage) -> None:
    deal = await stage.sell(Deal(kind=DealKind.GOODS))
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]):
        purchase = await stage.paid(deal, quantity=2)
        reports = parcel(stage, purchase, await purchase.unit_ids())
        for index in order:
            await reports[index]()
            await reports[index]()

        view = await purchase.view()
        assert (view["state"], view["delivery"]["parcel_state"]) == ("COMPLETED", "RECEIVED"), order
        assert [unit["state"] for unit in view["units"]] == ["FINAL", "FINAL"]


async def test_goods_under_way_are_in_the_list_of_deliveries(stage: Stage) -> None:
    purchase = await stage.paid(await stage.sell(Deal(kind=DealKind.GOODS)))
    accepted, handed_over, *_ = parcel(stage, purchase, await purchase.unit_ids())
    await accepted()
    await handed_over()

    (found,) = await _list(stage, purchase, "delivering")
    assert (found["state"], found["delivery"]["parcel_state"]) == ("FULFILLING", "HANDED_OVER")
    assert await _list(stage, purchase, "to_use") == []


async def test_a_report_about_an_order_that_is_not_here_waits(stage: Stage) -> None:
    deal = await stage.sell()
    nowhere = Purchase(stage, deal, "nobody", new_id())

    for report in (issued(stage, nowhere, [new_id()]), used(stage, nowhere, new_id(), new_id())):
        with pytest.raises(NotYet):
            await report()


async def _somebody_waits(stage: Stage, task: "asyncio.Future[None]") -> bool:
    waiting = (
        "select exists (select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database())"
    )
    return task.done() or bool(await stage.value(waiting))


async def _list(stage: Stage, purchase: Purchase, only: str) -> list[dict[str, Any]]:
    answer = await stage.get(purchase.buyer, f"/orders?filter={only}")
    items: list[dict[str, Any]] = answer.json()["items"]
    return items
