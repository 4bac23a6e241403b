"""Delivering notifies and callbacks: each is posted until the shop answers as its protocol demands."""

import asyncio
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from services.sandbox.domain.faults import Fault, FaultScript
from services.sandbox.domain.times import Instant
from services.sandbox.gateways import Answer, Postman
from services.sandbox.store import outgoing
from services.sandbox.store.database import Database
from services.sandbox.store.outgoing import Delivery
from services.sandbox.use_cases.faults import take_fault

NOTIFY_OPERATION = "notify"
TAMPERED = "tampered"
_AT_ONCE = 16
_COPIES = 3
_POLL_S = 0.2
_CHANCE = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Letter:
    """The bytes to post."""

    content: bytes
    content_type: str


class Channel(Protocol):
    """How one provider words its callbacks and what it takes for an acknowledgement."""

    @property
    def intervals_s(self) -> tuple[float, ...]:
        """Pauses between the attempts; after the last one the provider gives up."""

    def compose(self, delivery: Delivery, _at: Instant, /) -> Letter: ...

    def is_acknowledged(self, answer: Answer) -> bool: ...


class Sender:
    """The background loop; its memory is the `outgoing` table, so a killed process goes on where it was."""

    def __init__(
        self, db: Database, channels: Mapping[str, Channel], postman: Postman, clock: Callable[[], Instant]
    ) -> None:
        self._db = db
        self._channels = channels
        self._postman = postman
        self._clock = clock
        self._in_flight: dict[tuple[str, int], asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Deliver what is due, for ever."""
        try:
            while True:
                self._db.committed.clear()
                self._start_due()
                with suppress(TimeoutError):
                    async with asyncio.timeout(_POLL_S):
                        await self._db.committed.wait()
        finally:
            for task in self._in_flight.values():
                task.cancel()

    def _start_due(self) -> None:
        """Start what is due, up to the limit."""
        at = self._clock()
        with self._db.reading() as tx:
            due = outgoing.due(tx, at.real, _AT_ONCE + len(self._in_flight))
        waiting = [delivery for delivery in due if (delivery.id, delivery.part) not in self._in_flight]
        for delivery in waiting[: _AT_ONCE - len(self._in_flight)]:
            task = asyncio.create_task(self._deliver(delivery))
            self._in_flight[delivery.id, delivery.part] = task
            task.add_done_callback(self._landed(delivery))

    def _landed(self, delivery: Delivery) -> Callable[[asyncio.Task[None]], None]:
        def forget(_: asyncio.Task[None]) -> None:
            self._in_flight.pop((delivery.id, delivery.part), None)

        return forget

    async def _deliver(self, delivery: Delivery) -> None:
        channel = self._channels[delivery.channel]
        with self._db.transaction() as tx:
            script = take_fault(tx, delivery.channel, NOTIFY_OPERATION, _CHANCE)
        if script is not None and script.fault is Fault.LATE:
            with self._db.transaction() as tx:
                outgoing.postpone(tx, delivery, self._clock().real + timedelta(seconds=script.seconds))
            return
        if script is not None and script.fault is Fault.SLOW:
            await asyncio.sleep(script.seconds)
        answer = await self._post(channel, delivery, script)
        acknowledged = answer is not None and channel.is_acknowledged(answer)
        self._record(channel, delivery, answer, acknowledged)

    async def _post(self, channel: Channel, delivery: Delivery, script: FaultScript | None) -> Answer | None:
        """The shop's answer; None where the fault loses the letter or the answer."""
        fault = script.fault if script else None
        if fault is Fault.DROP_BEFORE_COMMIT:
            return None
        if fault is Fault.BAD_SIGNATURE:
            delivery = replace(delivery, flaw="bad_signature")
        letter = channel.compose(delivery, self._clock())
        for _ in range(_COPIES if fault is Fault.DUPLICATE else 1):
            answer = await self._postman.post(delivery.url, letter.content, letter.content_type)
        return None if fault is Fault.COMMIT_THEN_TIMEOUT else answer

    def _record(self, channel: Channel, delivery: Delivery, answer: Answer | None, acknowledged: bool) -> None:
        real = self._clock().real
        # The forger does not try again; the provider's own copies do.
        exhausted = delivery.attempts >= len(channel.intervals_s) or delivery.flaw == TAMPERED
        state = "done" if acknowledged else "given_up" if exhausted else "pending"
        pause_s = channel.intervals_s[delivery.attempts] if state == "pending" else 0
        text = f"{answer.status} {answer.body}" if answer else "lost by a scripted fault"
        with self._db.transaction() as tx:
            outgoing.record_attempt(tx, delivery, state=state, due_at=real + timedelta(seconds=pause_s), answer=text)
