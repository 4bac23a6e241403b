"""Redeeming without prepare, and what comes of it: for tests of verify alone."""

from datetime import UTC, datetime, timedelta

from services.redemption import consumers
from services.redemption.domain.codes import Prepared
from shared.contracts.checkout import OrderPaid
from shared.contracts.settlement import PaidUse, PayoutPaid
from shared.ids import new_id
from tests.integration.redemption.stage import Shop, Stage, units_of


def token_for(stage: Stage, shop: Shop, order: OrderPaid, *, age: timedelta = timedelta()) -> str:
    """A token of our own making, so that what is refused is refused by verify and not by prepare."""
    prepared = Prepared(shop.clerk, shop.store_id, order.order_id, tuple(units_of(order)))
    return stage.codes.preparation_token(prepared, datetime.now(UTC) - age)[0]


async def used(stage: Stage, shop: Shop) -> OrderPaid:
    """An order whose certificates were used."""
    order = await stage.pay(shop)
    assert (await stage.redeem(shop, order)).status_code == 201
    return order


async def settled(stage: Stage, shop: Shop) -> OrderPaid:
    """An order whose uses were paid out."""
    order = await used(stage, shop)
    await stage.pass_time(timedelta(hours=1))
    await consumers.mark_settled(payout(order), stage.db)
    return order


def payout(order: OrderPaid, *use_numbers: int) -> PayoutPaid:
    """The merchant was paid for these uses of every unit (the first, if none are named)."""
    uses = tuple(
        PaidUse(unit_id=unit_id, use_no=use_no) for unit_id in units_of(order) for use_no in use_numbers or (1,)
    )
    return PayoutPaid(
        occurred_at=order.paid_at, instruction_id=new_id(), payout_id=new_id(), merchant_id=order.merchant_id,
        order_id=order.order_id, gross_fen=12_800, fee_fen=77, net_fen=12_723, paid_at=order.paid_at, uses=uses,
    )  # fmt: skip


async def uses_of(stage: Stage, order: OrderPaid) -> int:
    """How many uses there are of an order's certificates."""
    async with stage.db.transaction() as tx:
        count: int = await tx.value("select count(*) from uses where unit_id = any($1)", units_of(order))
    return count
