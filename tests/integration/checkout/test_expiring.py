"""Certificates that will expire: the buyer sees it on the order, once for each number of days."""

import pytest

from services.checkout.consumers import fulfilment
from shared.contracts.redemption import CertificateExpiring
from shared.errors import NotYet
from shared.ids import new_id
from tests.integration.checkout.stage import Purchase, Stage

pytestmark = pytest.mark.usefixtures("alipay_sandbox")


async def expiring(stage: Stage, purchase: Purchase, days_left: int) -> list[CertificateExpiring]:
    """What redemption says of each unit."""
    return [
        CertificateExpiring(
            occurred_at=stage.now(),
            unit_id=unit_id,
            order_id=purchase.order_id,
            merchant_id=purchase.deal.merchant_id,
            uses_left=1,
            expires_at=stage.now(),
            days_left=days_left,
        )
        for unit_id in await purchase.unit_ids()
    ]


async def test_the_buyer_sees_one_line_for_each_number_of_days_however_many_units_there_are(stage: Stage) -> None:
    purchase = await stage.paid(quantity=3)
    for days_left in (3, 1):
        for event in await expiring(stage, purchase, days_left):
            await fulfilment.note_expiring(event, stage.db)
            await fulfilment.note_expiring(event, stage.db)
            await fulfilment.note_expiring(event.model_copy(update={"event_id": new_id()}), stage.db)
    lines = [entry for entry in (await purchase.view())["timeline"] if entry["what"] == "EXPIRING"]
    assert sorted(entry["text_zh"] for entry in lines) == ["还有 1 天到期，请尽快使用", "还有 3 天到期，请尽快使用"]
    assert sorted(entry["text_en"] for entry in lines) == [
        "Expires in 1 day(s); use it soon",
        "Expires in 3 day(s); use it soon",
    ]


async def test_news_of_an_order_that_is_not_here_yet_waits(stage: Stage) -> None:
    purchase = await stage.paid()
    (event,) = await expiring(stage, purchase, 3)
    with pytest.raises(NotYet):
        await fulfilment.note_expiring(event.model_copy(update={"order_id": new_id()}), stage.db)
