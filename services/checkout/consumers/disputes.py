"""What is said about refunds that were asked for after the use, or when the goods had left."""

from services.checkout.consumers.registry import handles
from services.checkout.use_cases import reviews
from services.checkout.world import CheckoutWorld
from shared.contracts.dispatch import GoodsDisputed
from shared.contracts.redemption import UseDisputed
from shared.database import Database
from shared.messaging import inbox


@handles(UseDisputed)
async def review_refund(event: UseDisputed, db: Database, world: CheckoutWorld) -> None:
    """The use is held back: the merchant reviews."""
    async with db.transaction() as tx:
        if await inbox.is_duplicate(tx, event, "checkout.review_refund"):
            return
        await reviews.open_review(tx, world.settings.review_rules, event.refund_id)


@handles(GoodsDisputed)
async def review_goods_refund(event: GoodsDisputed, db: Database, world: CheckoutWorld) -> None:
    """The payout of the goods is held back: the merchant reviews."""
    async with db.transaction() as tx:
        if await inbox.is_duplicate(tx, event, "checkout.review_goods_refund"):
            return
        await reviews.open_review(tx, world.settings.review_rules, event.refund_id)
