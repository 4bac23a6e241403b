"""The whole service in its lifespan: messages from the broker in the wrong order, the clock moved, the money paid."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta

import aio_pika
import httpx
import pytest
from fastapi import FastAPI

from services.settlement.app import make
from services.settlement.settings import Settings
from shared.alipay import AlipaySettings
from shared.clock import start_of_day
from shared.contracts import Event
from shared.contracts.catalog import (
    MerchantChanged,
    MerchantState,
    PayoutAccountChanged,
    PayoutAccountState,
    Rail,
)
from shared.contracts.checkout import OrderPaid
from shared.contracts.settlement import PayoutPaid
from shared.service import create_app
from tests.integration.sandbox.stage import SandboxProcess
from tests.integration.settlement.channel import Channel
from tests.integration.settlement.stage import Merchant, ScriptedRail, Stage
from tests.support import environment as environments
from tests.support.environment import Environment
from tests.support.servers import Servers
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def system(servers: Servers) -> Iterator[Environment]:
    """A system of its own: the daily run shall find nothing that other tests left."""
    made = environments.create(servers)
    yield made
    environments.remove(made)


@pytest.fixture(scope="module")
def channel(system: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Channel]:
    """A sandbox that tells the system's processes the time."""
    local = system.local
    process = SandboxProcess(
        tmp_path_factory.mktemp("sandbox"),
        local.keys,
        local.ports["sandbox"],
        {"GROUPBUY_AMQP_URL": local.amqp_urls["sandbox"]},
    )
    process.start()
    yield Channel(process)
    process.stop()


@pytest.fixture
def app(system: Environment, channel: Channel) -> FastAPI:
    return started_anew(system, channel)


def started_anew(system: Environment, channel: Channel) -> FastAPI:
    """The service as a new process would make it."""
    local = system.local
    settings = Settings(
        port=local.ports["settlement"],
        database_url=local.database_urls["settlement"],
        amqp_url=local.amqp_urls["settlement"],
        issuer=channel.process.url,
        jwks_url=f"{channel.process.url}/oauth/jwks.json",
        clock_url=f"{channel.process.url}/clock",
        alipay=AlipaySettings(
            gateway_url=f"{channel.process.url}/alipay/gateway.do",
            app_private_key_file=local.keys / "app_private.pem",
            alipay_public_key_file=local.keys / "alipay_public.pem",
        ),
    )
    return create_app(make(settings))


@asynccontextmanager
async def saying(system: Environment) -> AsyncIterator[aio_pika.abc.AbstractExchange]:
    """The exchange on which everybody speaks, as the broker's administrator."""
    management = system.servers.management
    address = system.local.amqp_urls["catalog"].rpartition("@")[2]
    connection = await aio_pika.connect(f"amqp://{management.user}:{management.password}@{address}")
    async with connection:
        channel = await connection.channel()
        yield await channel.get_exchange("events", ensure=False)


async def say(exchange: aio_pika.abc.AbstractExchange, *events: Event, copies: int = 2) -> None:
    """Publish events, each more than once."""
    for event in events:
        for _ in range(copies):
            message = aio_pika.Message(event.model_dump_json().encode(), delivery_mode=2)
            await exchange.publish(message, event.topic)


async def test_shuffled_and_doubled_messages_end_in_one_payment_on_the_next_day(
    system: Environment, channel: Channel, app: FastAPI
) -> None:
    async with app.router.lifespan_context(app), saying(system) as exchange:
        stage = stage_of(app)
        merchant = Merchant()
        trade = channel.paid_trade(12_800)
        order = stage.order(merchant, 6_400, 6_400, **trade)
        uses = [stage.used(order, unit) for unit in range(2)]
        await say(exchange, *(stage.final(use) for use in uses), *uses, order)
        await say(exchange, *becoming_payable(stage, merchant))
        await eventually(lambda: in_states(stage, order, ["FINAL", "FINAL"]), within_s=30)
        assert channel.settled(trade["trade_no"]) == []

        channel.advance_clock(seconds_to_noon(stage, days=1))
        await eventually(lambda: in_states(stage, order, ["PAID", "PAID"]), within_s=30)
        assert channel.settled(trade["trade_no"]) == [(12_800, 77)]
        (instruction,) = await stage.instructions(merchant)
        assert len(await stage.said(PayoutPaid, instruction["instruction_id"])) == 1
        assert await stage.postings(order) == {"CHANNEL_RECEIVED": 12_800, "CHANNEL_PAID": -12_723, "CHANNEL_FEE": -77}


async def test_a_day_missed_while_the_service_was_down_is_made_up_at_start_even_before_the_hour_of_the_run(
    system: Environment, channel: Channel, app: FastAPI
) -> None:
    async with app.router.lifespan_context(app), saying(system) as exchange:
        stage = stage_of(app)
        merchant = Merchant()
        trade = channel.paid_trade(12_800)
        order = stage.order(merchant, **trade)
        use = stage.used(order)
        await say(exchange, order, use, stage.final(use), *becoming_payable(stage, merchant), copies=1)
        await eventually(lambda: in_states(stage, order, ["FINAL"]), within_s=30)
    channel.advance_clock(seconds_to_noon(stage, days=2) + 12 * 3600 + 20 * 60)
    app = started_anew(system, channel)
    async with app.router.lifespan_context(app):
        stage = stage_of(app)
        await eventually(lambda: in_states(stage, order, ["PAID"]), within_s=30)
    assert channel.settled(trade["trade_no"]) == [(12_800, 77)]


def seconds_to_noon(stage: Stage, days: int) -> float:
    """From now to noon in Shanghai `days` days later: past that day's run, whatever the hour is at which tests run."""
    return (start_of_day(stage.today() + timedelta(days=days)) + timedelta(hours=12) - stage.now()).total_seconds()


def stage_of(app: FastAPI) -> Stage:
    """A test's eyes on the running service; its HTTP and its rail are the service's own here."""
    db = app.state.db
    return Stage(db, httpx.AsyncClient(), app.state.world, ScriptedRail(), db.clock, app)


def becoming_payable(stage: Stage, merchant: Merchant) -> tuple[Event, Event]:
    return (
        MerchantChanged(
            occurred_at=stage.now(),
            merchant_id=merchant.merchant_id,
            name="老码头火锅",
            phone="02812345678",
            state=MerchantState.VERIFIED,
        ),
        PayoutAccountChanged(
            occurred_at=stage.now(),
            merchant_id=merchant.merchant_id,
            state=PayoutAccountState.VERIFIED,
            rail=Rail.ZHIFUTONG,
            sub_merchant_id="2088123412341234",
            sealed_account="1.settlement.k1.AAAA",
        ),
    )


async def in_states(stage: Stage, order: OrderPaid, states: list[str]) -> bool:
    found = await stage.states(order)
    assert found == states
    return True
