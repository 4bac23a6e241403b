"""Orders by the phone that was left with them."""

from uuid import UUID

from services.redemption.domain.certificates import CertificateState, Order
from services.redemption.store.certificates import read_order
from shared.database import Transaction

USABLE = (CertificateState.VALID,)


async def orders_by_phone(tx: Transaction, merchant_id: UUID, phone_lookup: bytes, limit: int) -> list[Order]:
    """The newest orders of this merchant with this phone that still have something to use."""
    rows = await tx.fetch(
        """select o.* from orders o
           where o.merchant_id = $1 and o.phone_lookup = $2 and o.until > $4
             and exists (select from certificates c where c.order_id = o.order_id and c.state = any($5))
           order by o.paid_at desc, o.order_id desc limit $3""",
        merchant_id,
        phone_lookup,
        limit,
        tx.now,
        [state.value for state in USABLE],
    )
    return [read_order(row) for row in rows]
