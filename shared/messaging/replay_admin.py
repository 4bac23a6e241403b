"""How an operator asks a service to say its state anew, and watches it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from shared.auth import Caller, require_operator
from shared.database import Transaction
from shared.http import Db
from shared.messaging import outbox, replay
from shared.messaging.copies import Reason
from shared.messaging.replay import Replay, Replays, ReplayState

router = APIRouter(prefix="/admin/replays", tags=["admin"])


class StartReplay(BaseModel):
    to: Annotated[str, Field(max_length=40, description="The service whose copies are filled")]
    reason: Reason
    dry_run: Annotated[bool, Field(description="Only count; nothing is kept or sent")] = False


class ReplayedEvent(BaseModel):
    topic: str
    counted: int = Field(description="How many there were to say at the start")
    emitted: int


class ReplayView(BaseModel):
    replay_id: UUID
    to: str
    reason: str
    state: ReplayState | None = Field(description="Null: a dry run")
    started_by: str
    started_at: datetime
    finished_at: datetime | None
    unsent: int = Field(description="Written and not yet confirmed by the broker")
    events: list[ReplayedEvent]


def _of_service(request: Request) -> Replays:
    replays: Replays = request.app.state.replays
    return replays


OfService = Annotated[Replays, Depends(_of_service)]


@router.put("/{replay_id}")
async def start_replay(replay_id: UUID, body: StartReplay, caller: Caller, db: Db, replays: OfService) -> ReplayView:
    """Say this service's present state anew to the copies of one other. Harmless to repeat: copies keep the newest."""
    async with db.transaction(read_only=body.dry_run) as tx:
        await require_operator(tx, caller)
        if body.dry_run:
            events = _events(await replays.count(tx, body.to), {})
            return ReplayView(
                replay_id=replay_id, to=body.to, reason=body.reason, state=None, started_by=caller, started_at=tx.now,
                finished_at=None, unsent=0, events=events,
            )  # fmt: skip
        return await _view(tx, await replays.start(tx, replay_id, body.to, body.reason, caller))


@router.get("/{replay_id}")
async def show_replay(replay_id: UUID, caller: Caller, db: Db) -> ReplayView:
    """How far a replay is."""
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
        return await _view(tx, await replay.find(tx, replay_id))


async def _view(tx: Transaction, found: Replay) -> ReplayView:
    return ReplayView(
        replay_id=found.replay_id,
        to=found.consumer,
        reason=found.reason,
        state=found.state,
        started_by=found.started_by,
        started_at=found.started_at,
        finished_at=found.finished_at,
        unsent=await outbox.unsent_again(tx, found.replay_id),
        events=_events(found.counted, found.emitted),
    )


def _events(counted: dict[str, int], emitted: dict[str, int]) -> list[ReplayedEvent]:
    return [ReplayedEvent(topic=topic, counted=rows, emitted=emitted.get(topic, 0)) for topic, rows in counted.items()]
