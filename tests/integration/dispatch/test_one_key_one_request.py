"""What was sent first under an attempt's key is all that is ever sent under it."""

from datetime import timedelta

import pytest

from services.dispatch.store import copies
from shared.contracts.catalog import DeliveryMode
from shared.contracts.checkout import OrderPaid
from tests.integration.dispatch.lanes import BY_NAME, SILENCE, riders
from tests.integration.dispatch.stage import Shop, Stage, store_changed

INSTANT, COURIER = DeliveryMode.INSTANT, DeliveryMode.COURIER


async def _moves(stage: Stage, shop: Shop) -> None:
    """The store is somewhere else from now on, and has another phone."""
    moved = store_changed(shop, stage.now()).model_copy(
        update={"version": 2, "address": "海府路 1 号", "phone": "089887654321"}
    )
    await stage.hear(moved)
    async with stage.db.transaction() as tx:
        store = await copies.find_store(tx, shop.store_id)
    assert store is not None
    assert store.phone == "089887654321"


async def _unsent(stage: Stage, shop: Shop) -> OrderPaid:
    """An order that its carrier certainly did not get."""
    await stage.faults("dada", {"operation": "addAfterQuery", "fault": "throttle", "times": 1})
    order = await stage.accepted(shop, INSTANT)
    (attempt,) = await stage.attempts(order)
    assert (attempt["state"], attempt["submissions"]) == ("CREATED", 1)
    return order


async def test_a_repetition_says_what_was_said_first(stage: Stage) -> None:
    shop = await stage.open_shop("dada")
    order = await _unsent(stage, shop)
    (before,) = await stage.attempts(order)
    await stage.pass_time(timedelta(seconds=30))
    after = await stage.until_attempt(order, "SEARCHING")
    assert before["request_hash"] == after["request_hash"] is not None
    assert after["submissions"] == 2


async def test_what_certainly_never_arrived_is_given_up_when_it_would_now_say_something_else(stage: Stage) -> None:
    shop = await stage.open_shop("dada")
    order = await _unsent(stage, shop)
    await _moves(stage, shop)
    await stage.pass_time(timedelta(seconds=30))
    second = await stage.until_attempt(order, "SEARCHING", 2)
    (first, _) = await stage.attempts(order)
    assert (first["state"], first["refusal_code"], first["submissions"]) == ("REJECTED", "request_changed:", 1)
    assert second["provider"] == "dada", "the carrier refused nothing, so that it may be asked under another key"
    assert second["request_hash"] != first["request_hash"]
    assert await riders(stage, order) == 1


@pytest.mark.parametrize("fault", ["commit_then_timeout", "drop_before_commit"])
async def test_what_may_have_arrived_is_not_repeated_in_other_words(stage: Stage, fault: str) -> None:
    lane = BY_NAME["kuaidi100"]
    shop = await stage.open_shop("kuaidi100")
    await stage.faults("kuaidi100", {"operation": lane.place, "fault": fault, "times": 1, "seconds": 9}, SILENCE)
    order = await stage.accepted(shop, COURIER)
    await stage.until_attempt(order, "UNKNOWN")
    await _moves(stage, shop)
    await stage.pass_time(timedelta(seconds=60))
    (attempt,) = await stage.attempts(order)
    assert (attempt["state"], attempt["submissions"]) == ("UNKNOWN", 1), "its carrier has the time to tell"
    await stage.pass_time(timedelta(seconds=60))
    first, *_ = await stage.attempts(order)
    assert (first["state"], first["refusal_code"], first["submissions"]) == ("FENCED", "request_changed:", 1)


async def test_what_its_carrier_tells_meanwhile_needs_no_repetition(stage: Stage) -> None:
    lane = BY_NAME["kuaidi100"]
    shop = await stage.open_shop("kuaidi100")
    await stage.faults("kuaidi100", {"operation": lane.place, "fault": "commit_then_timeout", "times": 1, "seconds": 9})
    order = await stage.accepted(shop, COURIER)
    await _moves(stage, shop)
    attempt = await stage.until_attempt(order, "SEARCHING")
    assert (attempt["number"], attempt["submissions"]) == (1, 1)
    assert await riders(stage, order) == 1
