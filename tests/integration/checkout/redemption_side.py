"""What redemption answers to checkout's requests for a fence, and reports of uses."""

from uuid import UUID

from services.checkout.consumers import fulfilment, refunds
from shared.contracts.redemption import CertificateUsed, FencedUnit, RefundFenced, RefundRefused, UseFinal
from shared.ids import derived_id, new_id
from tests.integration.checkout.stage import Purchase, Stage


async def fence(stage: Stage, purchase: Purchase, refund_id: UUID, *unit_ids: UUID, uses_left: int = 1) -> None:
    """Redemption answers that these certificates can no longer be used."""
    event = RefundFenced(
        occurred_at=stage.now(), refund_id=refund_id, order_id=purchase.order_id,
        units=tuple(FencedUnit(unit_id=unit_id, uses_left=uses_left) for unit_id in unit_ids),
    )  # fmt: skip
    await refunds.approve_voucher_refund(event, stage.db)


async def refuse(stage: Stage, purchase: Purchase, refund_id: UUID, code: str = "certificate_used") -> None:
    """Redemption answers that a certificate was used first."""
    event = RefundRefused(occurred_at=stage.now(), refund_id=refund_id, order_id=purchase.order_id, code=code)
    await refunds.refuse_voucher_refund(event, stage.db)


def a_use(stage: Stage, purchase: Purchase, unit_id: UUID, use_no: int = 1) -> CertificateUsed:
    """A use that redemption has not reported yet."""
    return CertificateUsed(
        occurred_at=stage.now(), use_id=new_id(), unit_id=unit_id, use_no=use_no, order_id=purchase.order_id,
        merchant_id=purchase.deal.merchant_id, store_id=purchase.deal.store_id, used_at=stage.now(),
        reversible_until=stage.now(),
    )  # fmt: skip


async def use(stage: Stage, purchase: Purchase, unit_id: UUID, use_no: int = 1) -> CertificateUsed:
    """Redemption reports a use."""
    event = a_use(stage, purchase, unit_id, use_no)
    await fulfilment.record_use(event, stage.db)
    return event


async def finish(stage: Stage, used: CertificateUsed) -> None:
    """Redemption reports, by one and the same event, that this use can no longer be reversed."""
    event = UseFinal.model_validate({**used.model_dump(), "event_id": derived_id(used.event_id, "final")})
    await fulfilment.record_final_use(event, stage.db)


async def fenced(stage: Stage, purchase: Purchase, *unit_ids: UUID) -> UUID:
    """A refund that is about to be sent."""
    units = unit_ids or tuple(await purchase.unit_ids())
    refund_id = await purchase.refunding(*units)
    await fence(stage, purchase, refund_id, *units)
    return refund_id
