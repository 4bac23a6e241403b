"""Group commit: one transaction for all that arrive together, and each gets exactly its own outcome."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from shared.database import Transaction
from shared.errors import Conflict, DomainError, Unavailable
from shared.group_commit import GroupCommit, TooBusy
from shared.observability import correlated, correlation_id

LOST = asyncpg.ConnectionDoesNotExistError("the server went away")


@pytest.fixture(scope="module", autouse=True)
def _quiet() -> Iterator[None]:
    """Failing batches are the point here; their tracebacks are not."""
    with capture_logs():
        yield


class Odd(Conflict):
    code = "odd"


@dataclass
class Ledger:
    """A table of numbers with transactions: what is written counts once it is committed, and each number once."""

    committed: list[int] = field(default_factory=list)
    transactions: int = 0
    lose_commits: int = 0
    """So many commits happen, and their replies are lost."""
    refuse_connections: bool = False
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    """Nothing commits while it is closed."""
    at_gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        self.transactions += 1
        if self.refuse_connections:
            raise ConnectionRefusedError
        rows: list[int] = []
        yield cast("Transaction", rows)
        self.at_gate.set()
        await self.gate.wait()
        self.committed += [row for row in dict.fromkeys(rows) if row not in self.committed]
        if self.lose_commits:
            self.lose_commits -= 1
            raise LOST


def write(tx: Transaction, number: int) -> int | DomainError:
    """Odd numbers are refused."""
    if number % 2:
        return Odd(number=number)
    cast("list[int]", tx).append(number)
    return number * 10


@dataclass
class Writers:
    """Writes numbers into a ledger, in batches and alone, and fails where it is told to."""

    ledger: Ledger
    batches: list[list[int]] = field(default_factory=list)
    singles: list[int] = field(default_factory=list)
    seen: dict[int, str] = field(default_factory=dict)
    poison: frozenset[int] = frozenset()
    batch_error: BaseException | None = None
    single_error: dict[int, BaseException] = field(default_factory=dict)

    async def together(self, tx: Transaction, numbers: Sequence[int]) -> list[int | DomainError]:
        self.batches.append(list(numbers))
        if self.batch_error is not None:
            raise self.batch_error
        if poisoned := self.poison & set(numbers):
            raise RuntimeError(f"bad: {poisoned}")
        return [write(tx, number) for number in numbers]

    async def alone(self, tx: Transaction, number: int) -> int:
        self.singles.append(number)
        self.seen[number] = correlation_id()
        if number in self.single_error:
            raise self.single_error[number]
        if number in self.poison:
            raise RuntimeError(f"bad: {number}")
        outcome = write(tx, number)
        if isinstance(outcome, DomainError):
            raise outcome
        return outcome


def group(writers: Writers, **limits: int) -> GroupCommit[int, int]:
    return GroupCommit("test", writers.together, writers.alone, **limits)


async def outcomes(commits: GroupCommit[int, int], ledger: Ledger, numbers: Sequence[int]) -> list[int | BaseException]:
    return await asyncio.gather(*(commits.submit(ledger, number) for number in numbers), return_exceptions=True)


@settings(deadline=None)
@given(
    numbers=st.lists(st.integers(0, 30), max_size=40),
    poison=st.frozensets(st.integers(0, 30), max_size=3),
    batch_limit=st.integers(1, 8),
    at_once=st.integers(1, 3),
    lose_commits=st.integers(0, 3),
)
def test_everybody_gets_exactly_their_own_outcome_and_only_the_bad_ones_fail(
    numbers: list[int], poison: frozenset[int], batch_limit: int, at_once: int, lose_commits: int
) -> None:
    async def run() -> None:
        ledger = Ledger(lose_commits=lose_commits)
        writers = Writers(ledger, poison=poison)
        commits = group(writers, batch_limit=batch_limit, at_once=at_once)
        found = await outcomes(commits, ledger, numbers)
        # Where even a single's reply was lost nobody knows: its caller asks again.
        while any(isinstance(outcome, Unavailable) for outcome in found):
            found = await outcomes(commits, ledger, numbers)
        for number, outcome in zip(numbers, found, strict=True):
            if number in poison:
                assert str(outcome) == f"bad: {number}"
            elif number % 2:
                assert isinstance(outcome, Odd)
                assert outcome.facts == {"number": number}
            else:
                assert outcome == number * 10
        assert set(ledger.committed) == {number for number in numbers if number % 2 == 0} - poison
        assert all(len(batch) <= batch_limit for batch in writers.batches)

    asyncio.run(run())


async def test_who_arrives_while_a_transaction_runs_shares_the_next_one() -> None:
    ledger = Ledger()
    writers = Writers(ledger)
    commits = group(writers, batch_limit=4)
    ledger.gate.clear()
    first = asyncio.create_task(commits.submit(ledger, 0))
    await ledger.at_gate.wait()
    others = asyncio.create_task(outcomes(commits, ledger, [2, 4, 6, 8, 10]))
    await asyncio.sleep(0)
    ledger.gate.set()

    assert await first == 0
    assert await others == [20, 40, 60, 80, 100]
    assert writers.batches == [[0], [2, 4, 6, 8], [10]]
    assert ledger.transactions == 3
    assert writers.singles == []


async def test_nobody_is_answered_before_the_commit() -> None:
    ledger = Ledger()
    writers = Writers(ledger)
    commits = group(writers)
    ledger.gate.clear()
    asked = asyncio.create_task(outcomes(commits, ledger, [2, 3]))
    await ledger.at_gate.wait()
    for _ in range(10):
        await asyncio.sleep(0)
    assert not asked.done()
    ledger.gate.set()
    assert (await asked)[0] == 20


async def test_a_lost_reply_to_the_commit_is_asked_for_one_by_one_and_nothing_is_written_twice() -> None:
    ledger = Ledger(lose_commits=1)
    writers = Writers(ledger)

    assert await outcomes(group(writers), ledger, [2, 4]) == [20, 40]
    assert ledger.committed == [2, 4]
    assert writers.singles == [2, 4]


async def test_while_the_database_is_away_everybody_is_told_to_come_again_after_one_attempt() -> None:
    ledger = Ledger(refuse_connections=True)
    writers = Writers(ledger)
    commits = group(writers)

    found = await outcomes(commits, ledger, [2, 4, 6])
    assert [type(one) for one in found] == [Unavailable] * 3
    assert len(set(map(id, found))) == 3
    assert ledger.transactions == 1

    ledger.refuse_connections = False
    assert await outcomes(commits, ledger, [2, 4, 6]) == [20, 40, 60]


async def test_when_the_database_goes_away_between_singles_the_rest_is_not_tried() -> None:
    ledger = Ledger()
    writers = Writers(ledger, batch_error=RuntimeError("bad batch"), single_error={4: LOST})

    found = await outcomes(group(writers), ledger, [2, 4, 6])

    assert found[0] == 20
    assert [type(one) for one in found[1:]] == [Unavailable] * 2
    assert writers.singles == [2, 4]


@pytest.mark.parametrize("collision", [asyncpg.DeadlockDetectedError("dead"), asyncpg.SerializationError("again")])
async def test_who_only_collided_with_others_is_tried_alone(collision: BaseException) -> None:
    ledger = Ledger()
    writers = Writers(ledger, batch_error=collision, single_error={4: collision})

    assert await outcomes(group(writers), ledger, [2, 4, 6]) == [20, collision, 60]


async def test_a_cancelled_error_out_of_nowhere_loses_nobody() -> None:
    ledger = Ledger()
    writers = Writers(ledger, batch_error=asyncio.CancelledError(), single_error={4: asyncio.CancelledError()})
    commits = group(writers)

    found = await outcomes(commits, ledger, [2, 4, 6])
    assert [found[0], type(found[1]), found[2]] == [20, Unavailable, 60]
    writers.batch_error = None
    assert await commits.submit(ledger, 8) == 80


async def test_an_answer_too_few_is_no_answer_at_all() -> None:
    ledger = Ledger()
    writers = Writers(ledger)

    async def too_few(tx: Transaction, numbers: Sequence[int]) -> list[int | DomainError]:
        return (await writers.together(tx, numbers))[1:]

    assert await outcomes(GroupCommit("test", too_few, writers.alone), ledger, [2, 4]) == [20, 40]
    assert ledger.committed == [2, 4]


async def test_a_caller_who_leaves_spoils_nothing_and_is_not_served_if_nobody_has_begun() -> None:
    ledger = Ledger()
    writers = Writers(ledger)
    commits = group(writers, batch_limit=2)
    ledger.gate.clear()
    tasks = [asyncio.create_task(commits.submit(ledger, number)) for number in (2, 4, 6, 8)]
    await ledger.at_gate.wait()
    tasks[0].cancel()
    tasks[2].cancel()
    await asyncio.sleep(0)
    ledger.gate.set()

    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(found[0]), found[1], type(found[2]), found[3]] == [
        asyncio.CancelledError, 40, asyncio.CancelledError, 80,
    ]  # fmt: skip
    assert writers.batches == [[2, 4], [8]]
    assert ledger.committed == [2, 4, 8]


async def test_who_finds_too_many_waiting_is_refused_at_once() -> None:
    ledger = Ledger()
    writers = Writers(ledger)
    commits = group(writers, batch_limit=1, waiting_limit=2)
    ledger.gate.clear()
    tasks = [asyncio.create_task(commits.submit(ledger, 2))]
    await ledger.at_gate.wait()
    tasks += [asyncio.create_task(commits.submit(ledger, number)) for number in (4, 6)]
    await asyncio.sleep(0)

    with pytest.raises(TooBusy) as refused:
        await commits.submit(ledger, 8)
    assert (refused.value.status, refused.value.code) == (503, "too_busy")
    ledger.gate.set()
    assert await asyncio.gather(*tasks) == [20, 40, 60]


async def test_at_its_end_it_answers_whom_it_took_on_and_takes_on_nobody_else() -> None:
    ledger = Ledger()
    writers = Writers(ledger)
    commits = group(writers, batch_limit=2)
    ledger.gate.clear()
    tasks = [asyncio.create_task(commits.submit(ledger, number)) for number in (2, 4, 6, 8)]
    await ledger.at_gate.wait()
    closing = asyncio.create_task(commits.close())
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await commits.submit(ledger, 10)
    assert not closing.done()
    ledger.gate.set()
    await closing

    assert ledger.committed == [2, 4, 6, 8]
    assert await asyncio.gather(*tasks) == [20, 40, 60, 80]


async def test_if_its_task_is_ended_by_force_nobody_waits_for_ever() -> None:
    ledger = Ledger()
    writers = Writers(ledger)
    commits = group(writers, batch_limit=1)
    ledger.gate.clear()
    asked = asyncio.create_task(outcomes(commits, ledger, [2, 4]))
    await ledger.at_gate.wait()
    (task,) = (one for one in asyncio.all_tasks() if one.get_name() == "group_commit.test")
    task.cancel()

    assert [type(one) for one in await asked] == [Unavailable] * 2
    ledger.gate.set()
    assert await commits.submit(ledger, 6) == 60


async def test_who_runs_alone_keeps_the_correlation_of_their_request() -> None:
    ledger = Ledger()
    writers = Writers(ledger, batch_error=RuntimeError("bad batch"))
    commits = group(writers)

    async def ask(number: int) -> None:
        with correlated(f"request-{number}"):
            await commits.submit(ledger, number)

    await asyncio.gather(ask(2), ask(4))
    assert writers.seen == {2: "request-2", 4: "request-4"}
