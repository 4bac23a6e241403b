"""What ended without anybody asking here: certificates expired, refunds made at the channel itself."""

from services.checkout.consumers.registry import handles
from shared.contracts.redemption import CertificateExpired
from shared.contracts.settlement import ExternalRefundFound
from shared.database import Database
from shared.errors import NotYet


@handles(CertificateExpired)
async def refund_expired(event: CertificateExpired, db: Database) -> None:
    """The time to use a certificate is over, so the money goes back."""
    raise NotYet("automatic refunds on expiry are being built")


@handles(ExternalRefundFound)
async def record_external_refund(event: ExternalRefundFound, db: Database) -> None:
    """Money went back without us: the order obeys the channel's book."""
    raise NotYet("external refunds are being built")
