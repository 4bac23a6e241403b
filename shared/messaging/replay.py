"""Replay: a service says its present state anew, to the copies of one consumer, page by page until it is sent."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from shared.contracts import Event, copied_from, copies_of
from shared.database import Row, Transaction
from shared.errors import IdTaken, NotFound
from shared.messaging import outbox, timers
from shared.messaging.timers import Due
from shared.observability import log
from shared.paging import Page

ADVANCE = "replay.advance"
PAGE = 250
# Live events wait behind at most so many replayed ones: a fraction of a second.
MOST_UNSENT = 1000
LOOK_AGAIN = timedelta(milliseconds=200)
KEEP = timedelta(days=400)


class ConsumerKeepsNothing(NotFound):
    code = "consumer_keeps_nothing"
    zh = "{consumer}没有保存本服务的副本"
    en = "{consumer} keeps no copies of what this service says"


class ReplayState(StrEnum):
    """READING writes pages into the outbox; SENDING waits until the broker has confirmed the last of them."""

    READING = "READING"
    SENDING = "SENDING"
    DONE = "DONE"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How one kind of event is said anew from the rows of today: a page of them in keyset order, and how many."""

    event: type[Event]
    page: Callable[[Transaction, str | None, int], Awaitable[Page[Event]]]
    count: Callable[[Transaction], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Replay:
    """One replay as it stands: `phase` is the topic that is being read, `cursor` where its last page ended."""

    replay_id: UUID
    consumer: str
    reason: str
    started_by: str
    started_at: datetime
    state: ReplayState
    phase: str | None
    cursor: str | None
    counted: dict[str, int]
    emitted: dict[str, int]
    finished_at: datetime | None


_COLUMNS = """replay_id, consumer, reason, started_by, started_at, state, phase, cursor, counted, emitted,
finished_at"""


def _replay(row: Row) -> Replay:
    return Replay(**{**dict(row), "state": ReplayState(row["state"])})


class Replays:
    """The replays of one service, which declares how each event that others copy is said anew."""

    def __init__(self, service: str, snapshots: Sequence[Snapshot]) -> None:
        self.service = service
        self._snapshots = tuple(snapshots)

    def missing(self) -> list[str]:
        """Topics that others copy and that no snapshot says anew."""
        copied = {event for consumer in copied_from(self.service) for event in self._copied_by(consumer)}
        return sorted(event.topic for event in copied - {snapshot.event for snapshot in self._snapshots})

    async def count(self, tx: Transaction, consumer: str) -> dict[str, int]:
        """How many events of each topic a replay to this consumer would say now. Raises ConsumerKeepsNothing."""
        chosen = self._for(consumer)
        if not chosen:
            raise ConsumerKeepsNothing(consumer=consumer)
        return {snapshot.event.topic: await snapshot.count(tx) for snapshot in chosen}

    async def start(self, tx: Transaction, replay_id: UUID, consumer: str, reason: str, operator: str) -> Replay:
        """Begin, or find what this id began."""
        counted = await self.count(tx, consumer)
        row = await tx.row(
            f"""insert into replays (replay_id, consumer, reason, started_by, started_at, phase, counted)
                values ($1, $2, $3, $4, $5, $6, $7) on conflict (replay_id) do nothing returning {_COLUMNS}""",
            replay_id,
            consumer,
            reason,
            operator,
            tx.now,
            next(iter(counted)),
            counted,
        )
        if row is None:
            return await _same(tx, replay_id, consumer, reason)
        await tx.execute("delete from replays where state = 'DONE' and started_at < $1", tx.now - KEEP)
        await timers.schedule(tx, ADVANCE, replay_id, tx.now)
        log.warning("replay_started", replay_id=str(replay_id), consumer=consumer, operator=operator, reason=reason)
        return _replay(row)

    async def advance(self, tx: Transaction, due: list[Due]) -> None:
        """Say the next page of each replay, or look whether the last one is sent. A crash repeats nothing: page,
        cursor and timer are one transaction."""
        for replay_id in sorted(UUID(one.key) for one in due):
            row = await tx.row(f"select {_COLUMNS} from replays where replay_id = $1 for update", replay_id)
            if row is not None:
                again = await self._step(tx, _replay(row))
                if again is not None:
                    await timers.schedule(tx, ADVANCE, replay_id, tx.now + again)

    async def _step(self, tx: Transaction, replay: Replay) -> timedelta | None:
        """One step, and how long until the next; None when there is none."""
        if replay.state is ReplayState.READING:
            if await outbox.unsent_again(tx) >= MOST_UNSENT:
                return LOOK_AGAIN
            await self._say_page(tx, replay)
            return timedelta(0)
        if replay.state is ReplayState.SENDING:
            if await outbox.unsent_again(tx, replay.replay_id):
                return LOOK_AGAIN
            await _finish(tx, replay)
        return None

    async def _say_page(self, tx: Transaction, replay: Replay) -> None:
        chosen = self._for(replay.consumer)
        place = [snapshot.event.topic for snapshot in chosen].index(str(replay.phase))
        page = await chosen[place].page(tx, replay.cursor, PAGE)
        await outbox.emit_again(tx, replay.consumer, replay.replay_id, page.items)
        topic = str(replay.phase)
        emitted = {**replay.emitted, topic: replay.emitted.get(topic, 0) + len(page.items)}
        following = [snapshot.event.topic for snapshot in chosen[place + 1 :]]
        phase = topic if page.next_cursor else next(iter(following), None)
        await tx.execute(
            """update replays set phase = $2, cursor = $3, emitted = $4,
                   state = case when $2::text is null then 'SENDING' else 'READING' end
               where replay_id = $1 and state = 'READING'""",
            replay.replay_id,
            phase,
            page.next_cursor,
            emitted,
        )

    def _for(self, consumer: str) -> list[Snapshot]:
        copied = self._copied_by(consumer)
        return [snapshot for snapshot in self._snapshots if snapshot.event in copied]

    def _copied_by(self, consumer: str) -> set[type[Event]]:
        return set(copies_of(self.service, consumer).values())


async def find(tx: Transaction, replay_id: UUID) -> Replay:
    """One replay. Raises NotFound."""
    row = await tx.row(f"select {_COLUMNS} from replays where replay_id = $1", replay_id)
    if row is None:
        raise NotFound
    return _replay(row)


async def _same(tx: Transaction, replay_id: UUID, consumer: str, reason: str) -> Replay:
    replay = await find(tx, replay_id)
    if (replay.consumer, replay.reason) != (consumer, reason):
        raise IdTaken
    return replay


async def _finish(tx: Transaction, replay: Replay) -> None:
    await tx.execute(
        "update replays set state = 'DONE', finished_at = $2 where replay_id = $1 and state = 'SENDING'",
        replay.replay_id,
        tx.now,
    )
    log.info("replay_done", replay_id=str(replay.replay_id), consumer=replay.consumer, emitted=replay.emitted)
