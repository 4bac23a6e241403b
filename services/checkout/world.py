"""What checkout's routes and timers reach beside the database."""

from dataclasses import dataclass

from services.checkout.gateways import PaymentGateway
from services.checkout.settings import Settings
from services.checkout.use_cases.placing import Placing
from shared.alipay import AlipayClient
from shared.sealed import Seals


@dataclass(frozen=True, slots=True)
class CheckoutWorld:
    """Handed to every route and outside timer by the shell. `alipay` verifies notifies; `payments` is the channel."""

    settings: Settings
    alipay: AlipayClient
    payments: PaymentGateway
    seals: Seals
    placing: Placing
