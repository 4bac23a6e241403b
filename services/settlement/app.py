"""Wires the settlement service together."""

import httpx

from services.settlement import consumers, routes
from services.settlement.domain.payouts import Terms
from services.settlement.gateways import Bills, ChannelBook, Transfer, World, Zhifutong
from services.settlement.settings import Settings
from shared.alipay import AlipayClient
from shared.contracts.catalog import Rail
from shared.database import Database
from shared.http import outgoing
from shared.sealed import Seals
from shared.service import Service
from shared.service import run as serve


def make(settings: Settings | None = None) -> Service:
    """The service as the shell runs it; settings come from the environment unless given."""
    settings = settings or Settings()
    http = outgoing()
    world = make_world(settings, http)

    async def on_start(db: Database) -> None:
        await consumers.make_ledger_months(db)
        await consumers.make_up_for_missed_runs(db, world)

    return Service(
        name="settlement",
        settings=settings,
        routers=(routes.router,),
        handlers=consumers.handles,
        timers=consumers.timed,
        copies=consumers.COPIES,
        world=world,
        on_start=on_start,
        on_stop=http.aclose,
    )


def make_world(settings: Settings, http: httpx.AsyncClient) -> World:
    """The rails and terms that the settings name."""
    alipay = AlipayClient(settings.alipay, http)
    rail = Zhifutong(alipay, partial_confirms=settings.partial_confirms)
    transfer = Transfer(
        alipay,
        Seals(settings.seal_keys),
        self_operated=settings.self_operated,
        minimum_fen=settings.transfer_min_fen,
        cap_fen=settings.transfer_cap_fen,
    )
    terms = Terms(
        fee_bp=settings.fee_bp,
        run_at=settings.run_at,
        self_operated=settings.self_operated,
        transfer_min_fen=settings.transfer_min_fen,
        denials_max=settings.denials_max,
    )
    return World(
        terms=terms,
        rails={Rail.ZHIFUTONG: rail, Rail.TRANSFER: transfer},
        bills=Bills(alipay, http),
        channel_book=ChannelBook(alipay, settings.fee_bp),
    )


def main() -> None:
    """Serve until told to stop."""
    serve(make())
