"""A reversal against everybody else who wants the same use: exactly one wins, whoever it is."""

import asyncio
from collections import Counter
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID

import pytest

from services.redemption import consumers, use_cases
from services.redemption.domain.codes import Prepared
from services.redemption.domain.reversals import Reversal, ReversalAttempt
from services.redemption.use_cases.reverse import reverse
from shared.contracts.checkout import OrderPaid, RefundCause
from shared.contracts.redemption import RefundFenced, RefundRefused, UseDisputed, UseFinal, UseReversed
from shared.ids import new_id
from tests.integration.redemption.losses import lose, recalls, store_lost
from tests.integration.redemption.stage import Shop, Stage, refund_request, refund_succeeded, units_of
from tests.support.waiting import eventually

T = TypeVar("T")
RACES = 60


async def used(stage: Stage, shop: Shop, units: int = 1, uses: int = 1) -> tuple[OrderPaid, dict[str, object]]:
    order = await stage.pay(shop, units, uses=uses)
    answer = await stage.redeem(shop, order)
    assert answer.status_code == 201, answer.text
    return order, answer.json()


def token_for(stage: Stage, shop: Shop, order: OrderPaid) -> str:
    prepared = Prepared(shop.clerk, shop.store_id, order.order_id, tuple(units_of(order)))
    return stage.codes.preparation_token(prepared, datetime.now(UTC))[0]


async def live_uses(stage: Stage, order: OrderPaid) -> int:
    async with stage.db.transaction() as tx:
        count: int = await tx.value(
            "select count(*) from uses where unit_id = any($1) and state <> 'REVERSED'", units_of(order)
        )
    return count


@dataclass
class Race:
    """A reversal against somebody else. Whoever has won gives the other one a little more of a start, so that on any
    machine both come to win."""

    wins: Counter[str] = field(default_factory=Counter)
    head_start_s: float = 0.0

    async def run(self, reversal: Awaitable[T], other: Awaitable[None]) -> T:
        """Both at once. Say who won."""

        async def first() -> T:
            await asyncio.sleep(max(0.0, -self.head_start_s))
            return await reversal

        async def second() -> None:
            await asyncio.sleep(max(0.0, self.head_start_s))
            await other

        outcome, _ = await asyncio.gather(first(), second())
        return outcome

    def won_by(self, reversal: bool) -> None:
        """Who won, and what that means for the next round."""
        self.wins["reversal" if reversal else "other"] += 1
        self.head_start_s += -0.001 if reversal else 0.001

    def both_won(self) -> bool:
        """A race that one side always wins proves nothing."""
        return min(self.wins["reversal"], self.wins["other"]) > 3


async def test_one_reversal_sent_many_times_at_once_is_one_reversal(stage: Stage) -> None:
    shop = await stage.open_shop()
    order, done = await used(stage, shop, units=2)
    reversal_id = new_id()
    answers = await asyncio.gather(
        *(stage.reverse(shop, done["redemption_id"], reversal_id) for _ in range(10)),
    )
    assert {answer.status_code for answer in answers} == {201}
    assert all(answer.json() == answers[0].json() for answer in answers)
    assert await stage.states(order) == ["VALID", "VALID"]


async def test_many_reversals_of_one_use_at_once_give_it_back_once(stage: Stage) -> None:
    shop = await stage.open_shop()
    order, done = await used(stage, shop)
    answers = await asyncio.gather(*(stage.reverse(shop, done["redemption_id"]) for _ in range(10)))
    codes = Counter(answer.json().get("code", "done") for answer in answers)
    assert codes == {"done": 1, "use_reversed": 9}
    async with stage.db.transaction() as tx:
        row = await tx.row("select uses_left, reversals from certificates where unit_id = $1", units_of(order)[0])
    assert row is not None
    assert tuple(row) == (1, 1)


async def test_a_reversal_and_a_dispute_have_exactly_one_winner(stage: Stage) -> None:
    shop = await stage.open_shop()
    race = Race()
    for _ in range(RACES):
        order, done = await used(stage, shop)
        request = refund_request(order).model_copy(update={"cause": RefundCause.AFTER_USE})
        answer = await race.run(
            stage.reverse(shop, done["redemption_id"]),
            consumers.fence_refund(request, stage.db),
        )
        disputed = len(await stage.said(UseDisputed, request.refund_id))
        refused = [event.code for event in await stage.said(RefundRefused, request.refund_id)]
        if answer.status_code == 201:
            assert (disputed, refused, await stage.states(order)) == (0, ["certificate_not_used"], ["VALID"])
        else:
            assert (answer.json()["code"], disputed, refused) == ("use_disputed", 1, [])
            assert await stage.states(order) == ["DISPUTED"]
        race.won_by(answer.status_code == 201)
    assert race.both_won(), race


async def test_a_reversal_and_the_refund_of_the_rest_of_a_card_agree_on_what_is_left(stage: Stage) -> None:
    shop = await stage.open_shop()
    race = Race()
    for _ in range(RACES):
        order, done = await used(stage, shop, uses=3)
        request = refund_request(order)
        answer = await race.run(
            stage.reverse(shop, done["redemption_id"]),
            consumers.fence_refund(request, stage.db),
        )
        (fenced,) = await stage.said(RefundFenced, request.refund_id)
        expected = (1, 2, 3) if answer.status_code == 201 else (2, 3)
        assert fenced.units[0].left_nos == expected
        assert await live_uses(stage, order) == 3 - len(expected)
        race.won_by(answer.status_code == 201)
    assert race.both_won(), race


async def test_a_refund_at_the_channel_and_a_reversal_leave_no_use_for_nothing(stage: Stage) -> None:
    shop = await stage.open_shop()
    race = Race()
    for _ in range(RACES):
        order, done = await used(stage, shop)
        refund = refund_succeeded(refund_request(order), external=True)
        answer = await race.run(
            stage.reverse(shop, done["redemption_id"]),
            consumers.close_refund(refund, stage.db),
        )
        (state,) = await stage.states(order)
        assert (answer.status_code, state) in {(201, "REFUNDED"), (409, "USED")}
        race.won_by(answer.status_code == 201)
    assert race.both_won(), race


async def test_tills_and_reversals_of_a_card_at_once_never_make_a_number_twice(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop, uses=5)
    token = token_for(stage, shop, order)

    async def till(number: int) -> None:
        for _ in range(4):
            answer = await stage.verify(shop, token, units_of(order))
            assert answer.status_code in (201, 409), answer.text
            if answer.status_code == 201 and number % 2:
                undone = await stage.reverse(shop, answer.json()["redemption_id"])
                assert undone.status_code == 201 or undone.json()["code"] == "too_many_reversals", undone.text

    await asyncio.gather(*(till(number) for number in range(8)))
    async with stage.db.transaction() as tx:
        rows = await tx.fetch(
            "select use_no, cycle, state from uses where unit_id = $1 order by use_no, cycle", units_of(order)[0]
        )
        left = await tx.row("select uses_left, freed_nos from certificates where unit_id = $1", units_of(order)[0])
    live = [row["use_no"] for row in rows if row["state"] == "USED"]
    assert left is not None
    assert len(live) == len(set(live)) == 5 - left["uses_left"]
    assert not set(live) & set(left["freed_nos"])
    cycles = Counter((row["use_no"], row["cycle"]) for row in rows)
    assert set(cycles.values()) == {1}, "of two uses with one number the later has the higher cycle"
    for no in {row["use_no"] for row in rows}:
        of_one = [row["state"] for row in rows if row["use_no"] == no]
        assert set(of_one[:-1]) <= {"REVERSED"}, "only the last use of a number can be live"


async def test_a_lost_store_and_a_reversal_never_leave_a_certificate_that_nobody_takes(stage: Stage) -> None:
    race = Race()
    for number in range(RACES // 2):
        race.head_start_s = (number % 9 - 4) * 0.002
        shop = await stage.open_shop()
        order, done = await used(stage, shop)
        answer = await race.run(
            stage.reverse(shop, done["redemption_id"]),
            lose(stage, store_lost(stage, shop)),
        )
        assert answer.status_code == 201
        assert (await stage.states(order), await recalls(stage, order)) == (["REFUNDING"], ["store_closed"])


async def test_a_store_that_is_lost_while_a_reversal_is_not_committed_finds_what_came_back(stage: Stage) -> None:
    shop = await stage.open_shop()
    order, done = await used(stage, shop)
    attempt = ReversalAttempt(new_id(), _uuid(done["redemption_id"]), shop.clerk, "till-1", "错", None)

    async def waits_or_is_done() -> bool:
        async with stage.db.transaction() as asking:
            waiting = await asking.value(
                "select exists (select from pg_locks where locktype = 'advisory' and not granted)"
            )
        return bool(waiting) or losing.done()

    async with stage.db.transaction() as tx:
        assert isinstance(await reverse(tx, attempt), Reversal)
        losing = asyncio.create_task(lose(stage, store_lost(stage, shop)))
        await eventually(waits_or_is_done, what="the loss waits for the reversal, or has overlooked it")
    await losing
    assert (await stage.states(order), await recalls(stage, order)) == (["REFUNDING"], ["store_closed"])


async def test_a_use_is_reversed_or_final_and_never_both(stage: Stage) -> None:
    shop = await stage.open_shop()
    async with stage.db.transaction() as tx:
        before = tx.now
    race = Race()
    for _ in range(RACES):
        order, done = await used(stage, shop)
        redemption_id = done["redemption_id"]

        async def undo(redemption_id: object = redemption_id) -> Reversal | Exception:
            # A process whose clock is late: the moment has passed for the other, and not yet for this one.
            async with stage.db.transaction() as tx:
                tx.now = before
                attempt = ReversalAttempt(new_id(), _uuid(redemption_id), shop.clerk, "till-1", "错", None)
                return await reverse(tx, attempt)

        async def finish(redemption_id: object = redemption_id) -> None:
            async with stage.db.transaction() as tx:
                tx.now = before + timedelta(hours=2)
                await use_cases.finalise_uses(tx, [_uuid(redemption_id)])

        outcome = await race.run(undo(), finish())
        race.won_by(isinstance(outcome, Reversal))
        finals = sum([len(await stage.said(UseFinal, use_id)) for use_id in await _use_ids(stage, order)])
        reversals = sum([len(await stage.said(UseReversed, use_id)) for use_id in await _use_ids(stage, order)])
        assert (finals, reversals) == ((0, 1) if isinstance(outcome, Reversal) else (1, 0))
        if not isinstance(outcome, Reversal):
            assert getattr(outcome, "code", None) == "use_final"
    assert race.both_won(), race


def _uuid(value: object) -> UUID:
    return UUID(str(value))


async def _use_ids(stage: Stage, order: OrderPaid) -> list[UUID]:
    async with stage.db.transaction() as tx:
        rows = await tx.fetch("select use_id from uses where unit_id = any($1)", units_of(order))
    return [row["use_id"] for row in rows]


class Killed(Exception):
    """The process ends here."""


@pytest.mark.parametrize("dies", ["before the commit", "after the commit"])
async def test_a_process_that_dies_leaves_a_reversal_done_or_not_begun_and_a_repeat_ends_it(
    stage: Stage, dies: str
) -> None:
    shop = await stage.open_shop()
    order, done = await used(stage, shop)
    attempt = ReversalAttempt(new_id(), _uuid(done["redemption_id"]), shop.clerk, "till-1", "扫错了", None)

    async def die() -> None:
        async with stage.db.transaction() as tx:
            assert isinstance(await reverse(tx, attempt), Reversal)
            if dies == "before the commit":
                raise Killed
        raise Killed

    with pytest.raises(Killed):
        await die()
    committed = dies == "after the commit"
    (use_id,) = await _use_ids(stage, order)
    assert await stage.states(order) == (["VALID"] if committed else ["USED"])
    assert len(await stage.said(UseReversed, use_id)) == committed
    again = await stage.reverse(shop, attempt.redemption_id, attempt.reversal_id)
    assert again.status_code == 201
    assert (await stage.states(order), len(await stage.said(UseReversed, use_id))) == (["VALID"], 1)
