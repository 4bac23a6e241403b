"""What time and payout make of a use."""

from datetime import datetime, timedelta
from uuid import UUID

from services.redemption import consumers, use_cases
from shared.contracts.redemption import CertificateUsed, UseFinal
from tests.integration.redemption.redeeming import payout, token_for
from tests.integration.redemption.stage import Stage, units_of


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
