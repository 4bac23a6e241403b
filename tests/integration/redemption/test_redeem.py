"""Verify: several together or none, the same request once, and the token of prepare."""

from datetime import datetime, timedelta

import pytest

from shared.clock import end_of_day
from shared.contracts.redemption import CertificateUsed
from shared.ids import new_id
from tests.integration.redemption.redeeming import token_for, uses_of
from tests.integration.redemption.stage import Stage, as_, other_store, units_of


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
