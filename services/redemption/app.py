"""Wires redemption together; the only file that knows all the others."""

from services.redemption.consumers import COPIES, handles, timers
from services.redemption.domain.codes import Codes
from services.redemption.routes import ROUTERS
from services.redemption.settings import Settings
from shared.sealed import Seals
from shared.service import Service, run


def make(settings: Settings | None = None) -> Service:
    """The service as the shell runs it; settings come from the environment unless given."""
    settings = settings or Settings()
    codes = Codes(Seals(settings.seal_keys))
    return Service(
        name="redemption",
        settings=settings,
        routers=ROUTERS,
        handlers=handles,
        timers=timers,
        copies=COPIES,
        world=codes,
    )


def main() -> None:
    """Serve until SIGTERM."""
    run(make())
