"""What redemption and dispatch report about bought units."""

from services.checkout.consumers.registry import handles
from services.checkout.use_cases import fulfilment
from shared.contracts.dispatch import ParcelAccepted, ParcelDelivered, ParcelFailed, ParcelHandedOver, ParcelReceived
from shared.contracts.redemption import (
    CertificateExpiring,
    CertificateIssueFailed,
    CertificateRecalled,
    CertificatesIssued,
    CertificateUsed,
    UseFinal,
    UseReversed,
)
from shared.database import Database
from shared.messaging import inbox


@handles(CertificatesIssued)
async def record_issued(event: CertificatesIssued, db: Database) -> None:
    """Every unit has its certificate."""
    async with db.transaction() as tx:
        if await inbox.is_duplicate(tx, event, "checkout.record_issued"):
            return
        await fulfilment.record_issued(tx, event.order_id, event.occurred_at)


@handles(CertificateIssueFailed)
async def refund_issue_failed(event: CertificateIssueFailed, db: Database) -> None:
    """No code came for a unit, so the money goes back."""
    async with db.transaction() as tx:
        if await inbox.is_duplicate(tx, event, "checkout.refund_issue_failed"):
            return
        await fulfilment.record_issue_failed(tx, event.order_id, event.unit_id)


@handles(CertificateExpiring)
async def note_expiring(event: CertificateExpiring, db: Database) -> None:
    """A certificate expires in some days: its buyer sees it on the order."""
    async with db.transaction() as tx:
        if await inbox.is_duplicate(tx, event, "checkout.note_expiring"):
            return
        await fulfilment.note_expiring(tx, event.order_id, event.days_left, event.occurred_at)


@handles(CertificateRecalled)
async def refund_recalled(event: CertificateRecalled, db: Database) -> None:
    """No store takes a certificate any more, so the money goes back."""
    async with db.transaction() as tx:
        if await inbox.is_duplicate(tx, event, "checkout.refund_recalled"):
            return
        await fulfilment.record_recalled(tx, event.order_id, event.unit_id, event.reason)


@handles(CertificateUsed)
async def record_use(event: CertificateUsed, db: Database) -> None:
    """A certificate was used in a store."""
    async with db.transaction() as tx:
        if await inbox.is_duplicate(tx, event, "checkout.record_use"):
            return
        await fulfilment.record_use(tx, event)


@handles(UseReversed)
async def record_reversed_use(event: UseReversed, db: Database) -> None:
    """A use was undone in the store."""
    async with db.transaction() as tx:
        if await inbox.is_duplicate(tx, event, "checkout.record_reversed_use"):
            return
        await fulfilment.record_reversed_use(tx, event)


@handles(UseFinal)
async def record_final_use(event: UseFinal, db: Database) -> None:
    """A use can no longer be reversed."""
    async with db.transaction() as tx:
        if await inbox.is_duplicate(tx, event, "checkout.record_final_use"):
            return
        await fulfilment.record_final_use(tx, event)


@handles(ParcelAccepted)
async def record_parcel_accepted(event: ParcelAccepted, db: Database) -> None:
    """The merchant took the order on."""
    async with db.transaction() as tx:
        if await inbox.is_duplicate(tx, event, "checkout.record_parcel_accepted"):
            return
        await fulfilment.record_parcel(tx, event.order_id, "ACCEPTED", event.occurred_at)


@handles(ParcelHandedOver)
async def record_parcel_handed_over(event: ParcelHandedOver, db: Database) -> None:
    """The goods are on their way."""
    async with db.transaction() as tx:
        if await inbox.is_duplicate(tx, event, "checkout.record_parcel_handed_over"):
            return
        await fulfilment.record_parcel(tx, event.order_id, "HANDED_OVER", event.occurred_at)


@handles(ParcelDelivered)
async def record_parcel_delivered(event: ParcelDelivered, db: Database) -> None:
    """The goods are at the door."""
    async with db.transaction() as tx:
        if await inbox.is_duplicate(tx, event, "checkout.record_parcel_delivered"):
            return
        await fulfilment.record_parcel(tx, event.order_id, "DELIVERED", event.delivered_at)


@handles(ParcelReceived)
async def record_parcel_received(event: ParcelReceived, db: Database) -> None:
    """The buyer has the goods."""
    async with db.transaction() as tx:
        if await inbox.is_duplicate(tx, event, "checkout.record_parcel_received"):
            return
        await fulfilment.record_received(tx, event.order_id, event.unit_ids, event.received_at)


@handles(ParcelFailed)
async def refund_failed_parcel(event: ParcelFailed, db: Database) -> None:
    """The goods will not arrive, so the money goes back."""
    async with db.transaction() as tx:
        if await inbox.is_duplicate(tx, event, "checkout.refund_failed_parcel"):
            return
        await fulfilment.record_failed_parcel(tx, event.order_id, event.failure, event.occurred_at)
