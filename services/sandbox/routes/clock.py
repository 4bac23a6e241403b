"""The movable clock."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from services.sandbox.domain.refusals import SandboxRefusal
from services.sandbox.gateways import BroadcastFailed, ClockBroadcast
from services.sandbox.store import meta
from services.sandbox.world import World

_TEN_YEARS_S = 10 * 366 * 86_400.0


class Offset(BaseModel):
    model_config = ConfigDict(extra="forbid")

    offset_s: float = Field(ge=-_TEN_YEARS_S, le=_TEN_YEARS_S, allow_inf_nan=False)


class Advance(BaseModel):
    model_config = ConfigDict(extra="forbid")

    seconds: float = Field(ge=-_TEN_YEARS_S, le=_TEN_YEARS_S, allow_inf_nan=False)


class ClockView(BaseModel):
    """The offset from real time in seconds, and the moved time."""

    offset_s: float
    now: datetime


def build_router(world: World, broadcast: ClockBroadcast | None) -> APIRouter:
    router = APIRouter(prefix="/clock", tags=["clock"])

    @router.get("")
    async def read_clock() -> ClockView:
        return _view(world)

    @router.put("")
    async def set_clock(body: Offset) -> ClockView:
        return await _move(world, broadcast, body.offset_s)

    @router.post("/advance")
    async def advance_clock(body: Advance) -> ClockView:
        return await _move(world, broadcast, world.offset_s + body.seconds)

    return router


async def _move(world: World, broadcast: ClockBroadcast | None, offset_s: float) -> ClockView:
    """Persist, then tell everybody; the answer means that the broker has the new offset."""
    if abs(offset_s) > _TEN_YEARS_S:
        raise SandboxRefusal(422, "clock_out_of_range", "时钟最多移动十年", "The clock moves ten years at most.")
    with world.db.transaction() as tx:
        meta.write_offset_s(tx, offset_s)
    world.offset_s = offset_s
    if broadcast is not None:
        try:
            await broadcast.announce()
        except BroadcastFailed:
            raise SandboxRefusal(
                503,
                "clock_broadcast_failed",
                "时钟已移动，但消息服务未确认广播",
                "The clock has moved, but the broker has not confirmed the broadcast; it follows on reconnection.",
            ) from None
    return _view(world)


def _view(world: World) -> ClockView:
    return ClockView(offset_s=world.offset_s, now=world.instant().now)
