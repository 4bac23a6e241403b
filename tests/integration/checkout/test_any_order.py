"""Whatever the channel says, in any order and any number, tampered with or late, mixed with questions, closes and the
end of the time to pay: what is there in the end follows from what was paid at the channel, and from nothing else."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.checkout.use_cases import channel
from shared.contracts.checkout import OrderPaid
from shared.ids import new_id
from shared.money import yuan
from tests.integration.checkout.alipay_side import AlipayItself, payment_of
from tests.integration.checkout.mortality import run_down
from tests.integration.checkout.stage import Purchase, Stage
from tests.support.environment import Environment

pytestmark = pytest.mark.usefixtures("alipay_sandbox")

# Each example has ids of its own, so one stage may serve them all.
BOUNDED = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="session")
def itself(environment: Environment) -> AlipayItself:
    return AlipayItself.of(environment.local.keys)


@dataclass
class Story:
    """One order, its attempts, and everything that can happen to them."""

    stage: Stage
    itself: AlipayItself
    purchase: Purchase
    attempts: list[Purchase] = field(default_factory=list)
    links: dict[UUID, str] = field(default_factory=dict)

    async def opens(self) -> None:
        """The buyer opens another attempt; the channel may have a reason why not."""
        one = Purchase(self.stage, self.purchase.deal, self.purchase.buyer, self.purchase.order_id, new_id())
        answer = await one.open_payment(channel=["ALIPAY_WAP", "ALIPAY_PAGE"][len(self.attempts) % 2])
        if answer.status_code == 201 and answer.json()["pay_url"]:
            self.attempts.append(one)
            self.links[one.attempt_id] = answer.json()["pay_url"]

    async def pays(self, which: int, scenario: str = "no_notify") -> None:
        """The buyer goes to a cashier, perhaps a forgotten one; what is closed or paid there cannot be paid."""
        one = self._attempt(which)
        body = {"pay_url": self.links[one.attempt_id], "scenario": scenario}
        assert (await self.stage.sandbox.post("/_sim/alipay/pay", json=body)).status_code in (200, 409)

    async def looks(self, which: int) -> None:
        await self.pays(which, "fail")

    async def is_told(self, which: int) -> None:
        """A genuine notify of what is so now."""
        if trade := await self._trade(which):
            assert await self._post(which, str(trade["trade_status"])) == "success"

    async def is_told_late(self, which: int) -> None:
        """A genuine notify from before the payment arrives only now."""
        if await self._trade(which):
            assert await self._post(which, "WAIT_BUYER_PAY") == "success"

    async def is_lied_to(self, which: int) -> None:
        """Somebody who has no key says that it is paid."""
        assert await self._post(which, "TRADE_SUCCESS", sign="QUJD") == "fail"

    async def asks(self, which: int) -> None:
        """The channel is asked, or told to close what is to be closed."""
        world = self.stage.world
        await channel.ask(self.stage.db, world.payments, world.seals, self._attempt(which).attempt_id)

    async def runs_out_of_time(self, _: int) -> None:
        self.stage.later(minutes=16)
        if await self.stage.timer("order_expired", self.purchase.order_id):
            await self.stage.act("order_expired", self.purchase.order_id)

    async def hears_all_at_once(self, which: int) -> None:
        news = (self.is_told, self.asks, self.is_told_late, self.asks, self.is_lied_to, self.is_told)
        await asyncio.gather(*(one(which) for one in news))

    async def ends(self) -> None:
        """Alipay repeats its notifies, and the service's timers run down."""
        for which in range(len(self.attempts)):
            await self.is_told(which)
        await run_down(self.stage, self.purchase.order_id)

    def _attempt(self, which: int) -> Purchase:
        return self.attempts[which % len(self.attempts)]

    async def _trade(self, which: int) -> dict[str, object] | None:
        answer = await self.stage.sandbox.get(f"/_sim/alipay/trades/{self._attempt(which).out_trade_no}")
        found: dict[str, object] | None = answer.json() if answer.status_code == 200 else None
        return found

    async def _post(self, which: int, status: str, **changes: str) -> str:
        one, trade = self._attempt(which), await self._trade(which) or {}
        paid = trade.get("paid_at") is not None and status != "WAIT_BUYER_PAY"
        facts = payment_of(
            one,
            trade_no=str(trade.get("trade_no", "2036")),
            trade_status=status,
            total_amount=yuan(12_800),
            gmt_payment="2036-11-22 12:00:00" if paid else None,
        )
        return (await self.stage.http.post("/alipay/notify", data={**self.itself.signed(facts), **changes})).text


async def begin(stage: Stage, itself: AlipayItself) -> Story:
    story = Story(stage, itself, await stage.placed(await stage.sell()))
    await story.opens()
    return story


async def check_the_end(story: Story) -> None:
    """The channel's own book against ours: every fen is the order's price or has gone back."""
    stage, order_id = story.stage, story.purchase.order_id
    books = {one.out_trade_no: await stage.book(one.out_trade_no) for one in story.attempts}
    received = {number for number, entries in books.items() if ("payment", 12_800) in entries}
    said = await stage.said(OrderPaid, order_id)
    state = await story.purchase.state()

    assert state == ("PAID" if said else "CLOSED")
    assert len(said) <= 1
    kept = {paid.out_trade_no for paid in said}
    assert kept <= received
    for number in received:
        assert books[number] == [("payment", 12_800)] + [("refund", 12_800)] * (number not in kept)
    assert await stage.stock(story.purchase.deal) == (0, len(said))
    ids = [one.attempt_id for one in story.attempts]
    assert await stage.misfits(order_id, story.purchase.deal.deal_id, *ids) == []
    live = "select count(*) from payment_attempts where order_id = $1 and state in ('OPEN', 'CLOSING')"
    assert await stage.value(live, order_id) == 0


Act = Callable[[Story, int], Awaitable[None]]
NEWS: dict[str, Act] = {
    "told": Story.is_told,
    "told again": Story.is_told,
    "told late": Story.is_told_late,
    "lied to": Story.is_lied_to,
    "asks": Story.asks,
    "asks again": Story.asks,
    "out of time": Story.runs_out_of_time,
    "all at once": Story.hears_all_at_once,
}


@BOUNDED
@given(order=st.permutations(sorted(NEWS)))
@pytest.mark.parametrize("truth", ["paid", "opened and not paid", "never opened"])
async def test_the_same_news_in_any_order_end_the_same(
    stage: Stage, itself: AlipayItself, truth: str, order: list[str]
) -> None:
    story = await begin(stage, itself)
    if truth != "never opened":
        await story.pays(0, "no_notify" if truth == "paid" else "fail")

    for name in order:
        await NEWS[name](story, 0)
    await story.ends()

    assert await story.purchase.state() == ("PAID" if truth == "paid" else "CLOSED")
    assert len(await stage.said(OrderPaid, story.purchase.order_id)) == (truth == "paid")
    assert await stage.stock(story.purchase.deal) == (0, int(truth == "paid"))
    assert (await story.purchase.view())["refunds"] == []
    await check_the_end(story)


STEPS: list[Act] = [*NEWS.values(), Story.pays, Story.pays, Story.looks, lambda story, _: story.opens()]


@BOUNDED
@given(steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 2)), max_size=12))
async def test_whatever_buyers_time_and_channel_do_every_fen_buys_something_or_goes_back(
    stage: Stage, itself: AlipayItself, steps: list[tuple[Act, int]]
) -> None:
    story = await begin(stage, itself)

    for act, which in steps:
        await act(story, which)
    await story.ends()

    await check_the_end(story)
