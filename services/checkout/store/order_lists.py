"""Orders as staff look for them: a merchant's, by state, deal and time, and the one that a number names.

The questions are put together from what is asked, so that each is answered by the index made for it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.checkout.domain.orders import Order, OrderState
from services.checkout.store.orders import COLUMNS, read_order
from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of a merchant's orders: of this state, of this deal, placed from one moment until before another."""

    merchant_id: UUID
    state: OrderState | None = None
    deal_id: UUID | None = None
    placed_from: datetime | None = None
    placed_until: datetime | None = None


def question(wanted: Wanted, before: tuple[datetime, UUID] | None, limit: int) -> tuple[str, list[Any]]:
    """The statement and its values."""
    conditions, values = ["merchant_id = $1"], [wanted.merchant_id]
    for condition, *asked in (
        ("state = {}", wanted.state),
        ("deal_id = {}", wanted.deal_id),
        ("placed_at >= {}", wanted.placed_from),
        ("placed_at < {}", wanted.placed_until),
        ("(placed_at, order_id) < ({}, {})", *(before or (None, None))),
    ):
        if asked[0] is not None:
            numbers = [f"${len(values) + 1 + index}" for index in range(len(asked))]
            conditions.append(condition.format(*numbers))
            values += asked
    statement = f"""select {COLUMNS} from orders where {" and ".join(conditions)}
        order by placed_at desc, order_id desc limit ${len(values) + 1}"""
    return statement, [*values, limit]


async def list_of_merchant(
    tx: Transaction, wanted: Wanted, before: tuple[datetime, UUID] | None, limit: int
) -> list[Order]:
    """A merchant's orders, newest first, from after the one named by `before`."""
    statement, values = question(wanted, before, limit)
    return [read_order(row) for row in await tx.fetch(statement, *values)]


async def by_number(tx: Transaction, order_no: str | None, out_trade_no: UUID | None) -> list[Order]:
    """The order with this number, and the one for which this payment attempt was opened."""
    rows = await tx.fetch(
        f"""select {COLUMNS} from orders where order_no = $1
            union all
            select {COLUMNS} from orders
            where order_id = (select order_id from payment_attempts where attempt_id = $2)
              and order_no is distinct from $1""",
        order_no,
        out_trade_no,
    )
    return [read_order(row) for row in rows]
