"""What a process remembers of orders, so that verify need not ask for what never changes."""

from collections import OrderedDict
from uuid import UUID

from services.redemption.domain.certificates import Order

KEPT = 2_048
"""A few kilobytes each, and with five hundred stores seventy: 150 MB at the very most."""


class KeptOrders:
    """The orders that were looked at last. All of an order is frozen when it is paid, so what is kept is never stale;
    what can change (stores, staff, states) is not in it."""

    def __init__(self, limit: int = KEPT) -> None:
        self._limit = limit
        self._orders: OrderedDict[UUID, Order] = OrderedDict()

    def keep(self, order: Order) -> None:
        """Remember an order, and forget the one that was not asked for longest."""
        self._orders[order.order_id] = order
        self._orders.move_to_end(order.order_id)
        if len(self._orders) > self._limit:
            self._orders.popitem(last=False)

    def find(self, order_id: UUID) -> Order | None:
        """The order, if it is remembered."""
        order = self._orders.get(order_id)
        if order is not None:
            self._orders.move_to_end(order_id)
        return order
