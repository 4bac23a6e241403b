"""Wires checkout together; the only file that knows all the others."""

from services.checkout.consumers import COPIES, handles, timers
from services.checkout.gateways import AlipayGateway
from services.checkout.routes import ROUTERS
from services.checkout.settings import Settings
from services.checkout.use_cases.placing import Placing
from services.checkout.world import CheckoutWorld
from shared.alipay import AlipayClient
from shared.http import outgoing
from shared.sealed import Seals
from shared.service import Service, run


def make(settings: Settings | None = None) -> Service:
    """The service as the shell runs it; settings come from the environment unless given."""
    settings = settings or Settings()
    http = outgoing()
    alipay = AlipayClient(settings.alipay, http)
    seals = Seals(settings.seal_keys)
    placing = Placing(
        seals,
        settings.pay_within,
        batch_limit=settings.placed_together_most,
        offers_kept_s=settings.offers_kept_s,
    )

    async def stop() -> None:
        await placing.close()
        await http.aclose()

    return Service(
        name="checkout",
        settings=settings,
        routers=ROUTERS,
        handlers=handles,
        timers=timers,
        copies=COPIES,
        world=CheckoutWorld(settings, alipay, AlipayGateway(alipay, settings.qr_product_code), seals, placing),
        on_stop=stop,
    )


def main() -> None:
    """Serve until SIGTERM."""
    run(make())
