"""Expiry: what was not used in its time is over, and checkout pays it back."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from services.redemption.store import expiry
from services.redemption.store.expiry import Expired
from shared.contracts.redemption import CertificateExpired
from shared.database import Transaction
from shared.messaging import outbox, timers
from shared.observability import log

EXPIRE = "expire"
EVERY = timedelta(seconds=5)
"""How late an expiry may be told. Nobody waits for it: verify and the buyer's page go by the time itself."""
ORDERS_AT_ONCE = 20
"""With at most ten certificates each: a batch is short enough for a redemption to wait for."""
PAUSE = timedelta(milliseconds=50)
"""Between two full batches, so that a night on which a million expire leaves database and outbox to the tills: at most
four hundred orders a second, far less than the outbox sends. `make bench` compares what tills wait for."""

_ALL = "all"


async def look_at_once(tx: Transaction) -> None:
    """Set the one timer of all expiries, which then sets itself again."""
    await timers.schedule(tx, EXPIRE, _ALL, tx.now)


async def expire_next(tx: Transaction) -> None:
    """Expire what is due of the next orders. A full batch is soon followed by another, in a transaction of its own,
    after the other timers have had their turn."""
    order_ids = await expiry.take_due(tx, ORDERS_AT_ONCE)
    expired = await expiry.expire_of_orders(tx, order_ids)
    if expired:
        log.info("certificates_expired", count=len(expired), orders=len(order_ids))
    await _say(tx, expired)
    await timers.schedule(tx, EXPIRE, _ALL, tx.now + (PAUSE if len(order_ids) == ORDERS_AT_ONCE else EVERY))


async def expire_if_over(tx: Transaction, unit_ids: Sequence[UUID]) -> frozenset[UUID]:
    """For certificates that have just become valid (a fence was lifted, a use reversed, a code came late): those whose
    time is over meanwhile expire now, because their order's turn is past. Returns which."""
    expired = await expiry.expire_units(tx, unit_ids)
    await _say(tx, expired)
    return frozenset(one.unit_id for one in expired)


async def say_again(tx: Transaction, unit_ids: Sequence[UUID]) -> None:
    """Certificates that had expired before their fence are to be refunded for that again."""
    if unit_ids:
        await _say(tx, await expiry.expired_among(tx, unit_ids))


async def _say(tx: Transaction, expired: Sequence[Expired]) -> None:
    await outbox.emit(
        tx,
        *(
            CertificateExpired(
                occurred_at=tx.now,
                unit_id=one.unit_id,
                order_id=one.order_id,
                merchant_id=one.merchant_id,
                uses_left=one.uses_left,
                expired_at=one.until,
            )
            for one in expired
        ),
    )
