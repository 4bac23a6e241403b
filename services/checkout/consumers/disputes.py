"""What is said about refunds that were asked for after the use."""

from services.checkout.consumers.registry import handles
from shared.contracts.dispatch import GoodsDisputed
from shared.contracts.redemption import UseDisputed
from shared.database import Database
from shared.errors import NotYet


@handles(UseDisputed)
async def review_refund(event: UseDisputed, db: Database) -> None:
    """The use is held back: the merchant reviews."""
    raise NotYet("reviews are being built")


@handles(GoodsDisputed)
async def review_goods_refund(event: GoodsDisputed, db: Database) -> None:
    """The payout of the goods is held back: the merchant reviews."""
    raise NotYet("reviews are being built")
