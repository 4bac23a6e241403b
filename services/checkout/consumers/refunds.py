"""Answers to a refund's fence."""

from services.checkout.consumers.registry import handles
from services.checkout.use_cases import refunds
from shared.contracts.dispatch import GoodsRefundFenced, GoodsRefundRefused
from shared.contracts.redemption import RefundFenced, RefundRefused
from shared.database import Database
from shared.messaging import inbox


@handles(RefundFenced)
async def approve_voucher_refund(event: RefundFenced, db: Database) -> None:
    """Redemption has fenced the certificates: the money of the uses that are left goes back."""
    async with db.transaction() as tx:
        if await inbox.is_duplicate(tx, event, "checkout.approve_voucher_refund"):
            return
        await refunds.approve(tx, event.refund_id, event.units)


@handles(RefundRefused)
async def refuse_voucher_refund(event: RefundRefused, db: Database) -> None:
    """Redemption could not fence: a certificate was used first."""
    async with db.transaction() as tx:
        if await inbox.is_duplicate(tx, event, "checkout.refuse_voucher_refund"):
            return
        await refunds.refuse(tx, event.refund_id, event.code)


@handles(GoodsRefundFenced)
async def approve_goods_refund(event: GoodsRefundFenced, db: Database) -> None:
    """Dispatch has stopped the parcel."""
    async with db.transaction() as tx:
        if await inbox.is_duplicate(tx, event, "checkout.approve_goods_refund"):
            return
        await refunds.approve(tx, event.refund_id, None)


@handles(GoodsRefundRefused)
async def refuse_goods_refund(event: GoodsRefundRefused, db: Database) -> None:
    """Dispatch could not stop the parcel."""
    async with db.transaction() as tx:
        if await inbox.is_duplicate(tx, event, "checkout.refuse_goods_refund"):
            return
        await refunds.refuse(tx, event.refund_id, event.code)
