"""What redemption's routes and handlers reach beside the database."""

from dataclasses import dataclass, field
from datetime import timedelta

from services.redemption.domain.codes import Codes
from services.redemption.domain.kept_orders import KeptOrders
from services.redemption.gateways.issuer import CodeIssuer
from shared.sealed import Seals


@dataclass(frozen=True, slots=True)
class RedemptionWorld:
    """Handed to every route and handler by the shell. A third-party code may take `code_timeout`, business time;
    loopback is called for codes only where developers work."""

    codes: Codes
    code_timeout: timedelta
    issuer: CodeIssuer
    allow_loopback: bool
    reminder_days: tuple[int, ...]
    seals: Seals
    orders: KeptOrders = field(default_factory=KeptOrders)
