"""What a carrier offers to be played here, and the one switch that lets all carriers' orders walk by themselves."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from sqlite3 import Connection

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from services.sandbox.domain.times import Instant
from services.sandbox.settings import SandboxSettings
from services.sandbox.store import meta
from services.sandbox.use_cases.sender import Channel
from services.sandbox.world import World


@dataclass(frozen=True, slots=True)
class Simulator:
    """One carrier. `offers` are (address, what for) for the landing page; the carrier's name is its module's."""

    offers: tuple[tuple[str, str], ...]
    build_router: Callable[[World], APIRouter]
    build_channel: Callable[[SandboxSettings], Channel]
    walk: Callable[[World, Connection, Instant, timedelta], None]
    """Takes the next step of every order whose automatic step is due."""
    purge: Callable[[Connection, Instant], None] = lambda _tx, _at: None


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


def walk_step(tx: Connection, settings: SandboxSettings) -> timedelta | None:
    """The pause between automatic steps; None when orders wait for a control."""
    chosen_s = meta.read_walk_step_s(tx)
    if chosen_s is None:
        chosen_s = settings.carriers_step_s if settings.carriers_automatic else 0.0
    return timedelta(seconds=chosen_s) if chosen_s else None
