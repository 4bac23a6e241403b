"""Wires redemption together; the only file that knows all the others."""

from datetime import timedelta

from services.redemption.consumers import COPIES, handles, timers, watch_time
from services.redemption.domain.codes import Codes
from services.redemption.gateways.issuer import HttpIssuer
from services.redemption.routes import ROUTERS
from services.redemption.settings import Settings
from services.redemption.world import RedemptionWorld
from shared.http import outgoing
from shared.sealed import Seals
from shared.service import Service, run


def make(settings: Settings | None = None) -> Service:
    """The service as the shell runs it; settings come from the environment unless given."""
    settings = settings or Settings()
    allow_loopback = settings.environment == "development"
    seals = Seals(settings.seal_keys)
    # No proxy and no redirect stands between us and the address that was checked.
    http = outgoing(trust_env=False, follow_redirects=False)
    world = RedemptionWorld(
        codes=Codes(seals),
        code_timeout=timedelta(seconds=settings.code_timeout_s),
        issuer=HttpIssuer(http, allow_loopback=allow_loopback),
        allow_loopback=allow_loopback,
        reminder_days=settings.expiry_reminder_days,
        seals=seals,
    )
    return Service(
        name="redemption",
        settings=settings,
        routers=ROUTERS,
        handlers=handles,
        timers=timers,
        copies=COPIES,
        world=world,
        on_start=watch_time,
        on_stop=http.aclose,
    )


def main() -> None:
    """Serve until SIGTERM."""
    run(make())
