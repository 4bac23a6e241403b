"""Many tills at once: each certificate is used as often as it was bought, and no more."""

import asyncio
from uuid import UUID

from shared.ids import new_id
from tests.integration.redemption.redeeming import token_for, uses_of
from tests.integration.redemption.stage import Stage, units_of


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
