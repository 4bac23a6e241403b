"""Wires dispatch together; the only file that knows all the others."""

from datetime import timedelta

import httpx

from services.dispatch.consumers import COPIES, handles, timers
from services.dispatch.consumers.moments import start_housekeeping
from services.dispatch.gateways.carriers import Account, Carriers
from services.dispatch.gateways.guard import Guarded
from services.dispatch.gateways.native import NativeCarrier
from services.dispatch.routes import ROUTERS
from services.dispatch.settings import DispatchSettings, Settings
from services.dispatch.world import DispatchWorld
from shared.http import outgoing
from shared.sealed import Seals
from shared.service import Service, run


def make(settings: DispatchSettings | None = None) -> Service:
    """The service as the shell runs it; settings come from the environment unless given."""
    settings = settings or Settings()
    http = outgoing(limits=httpx.Limits(max_connections=50, max_keepalive_connections=10))
    world = make_world(settings, http)
    return Service(
        name="dispatch",
        settings=settings,
        routers=ROUTERS,
        handlers=handles,
        timers=timers,
        copies=COPIES,
        world=world,
        on_start=start_housekeeping,
        on_stop=http.aclose,
    )


def make_world(settings: DispatchSettings, http: httpx.AsyncClient) -> DispatchWorld:
    """The carriers of this deployment, in order of preference, and the keys and periods it was given."""

    def guarded(account: Account) -> Guarded:
        return Guarded(
            account.open(http),
            threshold=settings.breaker_threshold,
            open_for=timedelta(seconds=settings.breaker_open_s),
            calls_per_s=account.calls_per_s,
        )

    own = {
        merchant_id: tuple(map(guarded, settings.accounts_of(merchant_id)))
        for merchant_id in settings.merchant_accounts
    }
    carriers = Carriers((NativeCarrier(), *map(guarded, settings.accounts())), own)
    return DispatchWorld(settings.policy(), Seals(settings.seal_keys), carriers, settings.callback_base_url)


def main() -> None:
    """Serve until SIGTERM."""
    run(make())
