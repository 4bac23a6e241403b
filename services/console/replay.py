"""Rebuilds a consumer's copy of what a publisher says: counted first, emptied if asked, replayed, and looked at."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.console.environment import FIRST_OPERATOR
from services.console.people import Refused, TimedOut, World
from shared.ids import new_id

Report = Callable[[str], None]
_DRY_RUN = "counted before a replay"
# Without any progress for this long, something is wrong.
STALLED_S = 60.0


class EmptyAndUnfilled(Exception):
    """The consumer's copy was emptied, and then the replay that fills it did not begin."""


@dataclass(frozen=True, slots=True)
class Line:
    """One kind of event: how many the publisher said, and how many rows the consumer has of it (None: not asked)."""

    topic: str
    said: int
    kept: int | None = None

    @property
    def complete(self) -> bool:
        """Whether every event that was said has its row."""
        return self.kept is None or self.kept >= self.said


async def count(world: World, publisher: str, consumer: str) -> list[Line]:
    """What a replay would say."""
    body = {"to": consumer, "reason": _DRY_RUN, "dry_run": True}
    counted = await world.person(FIRST_OPERATOR).put(publisher, f"/admin/replays/{new_id()}", body)
    return [Line(event["topic"], event["counted"]) for event in counted["events"]]


async def rebuild(
    world: World, publisher: str, consumer: str, reason: str, report: Report, *, empty: bool, replay_id: UUID
) -> list[Line]:
    """Empty the copy if asked, replay into it, and wait until it has everything."""
    operator = world.person(FIRST_OPERATOR)
    # Asked first, so that nothing is emptied that cannot be filled again.
    await count(world, publisher, consumer)
    if empty:
        emptied = await operator.put(consumer, "/admin/copies/emptying", {"publisher": publisher, "reason": reason})
        report(f"{consumer} has forgotten {sum(copy['rows'] for copy in emptied):,} rows")
    try:
        await operator.put(publisher, f"/admin/replays/{replay_id}", {"to": consumer, "reason": reason})
    except Exception as error:
        if empty:
            raise EmptyAndUnfilled(f"{consumer} is empty; run this again without --empty ({error!r})") from error
        raise
    report(f"replay {replay_id} has begun")
    done = await _sent(world, publisher, replay_id, report)
    return await _kept(world, consumer, {event["topic"]: event["emitted"] for event in done["events"]})


async def _sent(world: World, publisher: str, replay_id: UUID, report: Report) -> dict[str, Any]:
    """The replay, once the publisher's outbox is drained of it."""
    told = ""
    while True:
        told, done = await world.until(
            lambda told=told: _moved(world, publisher, replay_id, told),  # type: ignore[misc]
            f"replay {replay_id} moves on",
            STALLED_S,
        )
        report(told)
        if done["state"] == "DONE":
            return done


async def _moved(world: World, publisher: str, replay_id: UUID, told: str) -> tuple[str, dict[str, Any]] | None:
    shown: dict[str, Any] = await world.person(FIRST_OPERATOR).get(publisher, f"/admin/replays/{replay_id}")
    emitted = sum(event["emitted"] for event in shown["events"])
    counted = sum(event["counted"] for event in shown["events"])
    now = f"{emitted:,} of {counted:,} said, {shown['unsent']:,} of them not sent yet"
    return (now, shown) if now != told or shown["state"] == "DONE" else None


async def _kept(world: World, consumer: str, said: dict[str, int]) -> list[Line]:
    """What the consumer has, once that is everything; what it has after a minute, if it is not."""
    lines = [Line(topic, rows, 0) for topic, rows in said.items()]

    async def look() -> bool:
        nonlocal lines
        try:
            copies = await world.person(FIRST_OPERATOR).get(consumer, "/admin/copies")
        except Refused as error:
            # Until the staff among the copies has arrived, nobody is an operator there.
            if error.status != 403:
                raise
            return False
        rows = {copy["topic"]: copy["rows"] for copy in copies}
        lines = [Line(topic, count, rows.get(topic, 0)) for topic, count in said.items()]
        return all(line.complete for line in lines)

    try:
        await world.until(look, f"{consumer} has everything", STALLED_S)
    except TimedOut:
        return lines
    return lines
