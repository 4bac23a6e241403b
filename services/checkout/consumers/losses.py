"""What ended without its buyer asking: certificates expired, refunds made at the channel, campaigns called off."""

from services.checkout.consumers.registry import handles, timers
from services.checkout.use_cases import external_refunds, fulfilment, mass_refunds
from shared.contracts.redemption import CertificateExpired
from shared.contracts.settlement import ExternalRefundFound
from shared.database import Database, Transaction
from shared.messaging import inbox
from shared.messaging.timers import Due


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
    async with db.transaction() as tx:
        if await inbox.is_duplicate(tx, event, "checkout.record_external_refund"):
            return
        await external_refunds.record(tx, event)


@timers.acts_inside(mass_refunds.MASS_REFUND)
async def advance_mass_refund(tx: Transaction, due: list[Due]) -> None:
    """A campaign was called off: the next batch of its orders."""
    await mass_refunds.advance(tx, due)
