"""Whether carriers' orders walk to delivered by themselves: one switch for all carriers, kept over restarts."""

from datetime import timedelta
from sqlite3 import Connection

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from services.sandbox.settings import Settings
from services.sandbox.store import meta
from services.sandbox.world import World


class Walking(BaseModel):
    """`step_s` is the pause between two steps, in real seconds."""

    model_config = ConfigDict(extra="forbid")

    automatic: bool
    step_s: float = Field(default=2.0, gt=0, le=3_600)


def build_router(world: World) -> APIRouter:
    router = APIRouter(prefix="/_sim/carriers", tags=["carriers"])

    @router.get("")
    async def show_walking() -> Walking:
        with world.db.reading() as tx:
            step = walk_step(tx, world.settings)
        return Walking(automatic=step is not None, step_s=(step or timedelta(seconds=2)).total_seconds())

    @router.put("")
    async def set_walking(body: Walking) -> Walking:
        """Applies to orders placed from now on."""
        with world.db.transaction() as tx:
            meta.write_walk_step_s(tx, body.step_s if body.automatic else 0.0)
        return body

    return router


def walk_step(tx: Connection, settings: Settings) -> timedelta | None:
    """The pause between automatic steps; None when orders wait for a control."""
    chosen_s = meta.read_walk_step_s(tx)
    if chosen_s is None:
        chosen_s = settings.carriers_step_s if settings.carriers_automatic else 0.0
    return timedelta(seconds=chosen_s) if chosen_s else None
