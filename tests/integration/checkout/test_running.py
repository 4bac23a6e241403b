"""The whole service as it runs: its loops act by themselves, and its events leave."""

from collections.abc import AsyncIterator

import httpx
import pytest

from services.checkout.app import make
from services.checkout.settings import Settings
from services.console.local.ports import free_port
from shared.contracts.checkout import AvailabilityChanged
from shared.service import create_app
from tests.integration.checkout.conftest import TokensByName
from tests.integration.checkout.stage import Stage
from tests.support import queues
from tests.support.environment import Environment
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("alipay_sandbox")


@pytest.fixture
async def running(environment: Environment, checkout_settings: Settings) -> AsyncIterator[Stage]:
    """Checkout with consumers, outbox sender and timers."""
    await queues.empty(environment, "checkout")
    service = make(checkout_settings.model_copy(update={"port": free_port()}))
    app = create_app(service)
    async with app.router.lifespan_context(app):
        app.state.tokens = TokensByName()
        async with (
            httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://checkout.test") as http,
            httpx.AsyncClient(base_url=environment.local.url("sandbox"), trust_env=False, timeout=30) as sandbox,
        ):
            yield Stage(app.state.db, app.state.db.clock, http, sandbox, service.world)


async def test_time_alone_closes_what_is_unpaid_and_finds_what_was_paid_in_silence(running: Stage) -> None:
    deal = await running.sell()
    unopened, failed, silent = [await running.placed(deal) for _ in range(3)]
    await failed.at_cashier(await failed.pay_url(), "fail")
    await silent.at_cashier(await silent.pay_url(), "no_notify")

    running.later(minutes=16)

    await eventually(lambda: unopened.is_in("CLOSED"), within_s=40)
    await eventually(lambda: failed.is_in("CLOSED"), within_s=40)
    await eventually(lambda: silent.is_in("PAID"), within_s=40)
    assert await running.stock(deal) == (0, 1)
    await eventually(
        lambda: _all_told(running, deal.deal_id), what="what is left is announced, and the outbox is empty"
    )


async def _all_told(stage: Stage, deal_id: object) -> bool:
    said = await stage.said(AvailabilityChanged, deal_id)
    return (
        bool(said)
        and (said[-1].available, said[-1].sold) == (99, 1)
        and not await stage.value("select count(*) from outbox")
    )
