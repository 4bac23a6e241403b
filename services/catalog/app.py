"""Wires catalog together; the only file that knows all the others."""

from services.catalog import use_cases
from services.catalog.consumers import handles, timers
from services.catalog.routes import ROUTERS
from services.catalog.settings import Settings
from services.catalog.use_cases.replay import SNAPSHOTS
from services.catalog.world import CatalogWorld
from shared.database import Database
from shared.sealed import Seals
from shared.service import Service, run


def make(settings: Settings | None = None) -> Service:
    """The service as the shell runs it; settings come from the environment unless given."""
    settings = settings or Settings()
    first_operator = settings.first_operator

    async def seed(db: Database) -> None:
        if first_operator:
            async with db.transaction() as tx:
                await use_cases.seed_first_operator(tx, first_operator)

    return Service(
        name="catalog",
        settings=settings,
        routers=ROUTERS,
        handlers=handles,
        timers=timers,
        snapshots=SNAPSHOTS,
        world=CatalogWorld(seals=Seals(settings.seal_keys)),
        on_start=seed,
    )


def main() -> None:
    """Serve until SIGTERM."""
    run(make())
