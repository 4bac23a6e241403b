"""What ended without anybody asking here: certificates expired, refunds made at the channel itself."""

from services.checkout.consumers.registry import handles
from services.checkout.use_cases import fulfilment
from shared.contracts.redemption import CertificateExpired
from shared.contracts.settlement import ExternalRefundFound
from shared.database import Database
from shared.errors import NotYet
from shared.messaging import inbox


@handles(CertificateExpired)
async def refund_expired(event: CertificateExpired, db: Database) -> None:
    """The time to use a certificate is over, so the money goes back."""
    async with db.transaction() as tx:
        if await inbox.is_duplicate(tx, event, "checkout.refund_expired"):
            return
        await fulfilment.record_expired(tx, event.order_id, event.unit_id)


@handles(ExternalRefundFound)
async def record_external_refund(event: ExternalRefundFound, db: Database) -> None:
    """Money went back without us: the order obeys the channel's book."""
    raise NotYet("external refunds are being built")
