"""Checkout's timers: their kinds, and when each is set."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from services.checkout.domain.refunds import FENCE_PATIENCE
from services.checkout.store.stock import Unsaid
from shared.database import Transaction
from shared.messaging import timers
from shared.observability import correlation_id

ORDER_EXPIRED = "order_expired"
ASK_CHANNEL = "ask_channel"
FETCH_CODE = "fetch_code"
FENCE_OVERDUE = "fence_overdue"
SEND_REFUND = "send_refund"
SAY_AVAILABILITY = "say_availability"
REVIEW_DUE = "review_due"
APPEAL_DUE = "appeal_due"
OF_REFUNDS = (FENCE_OVERDUE, SEND_REFUND, REVIEW_DUE, APPEAL_DUE)

_SAY_EVERY = timedelta(seconds=1)


async def expire_order(tx: Transaction, order_id: UUID, at: datetime) -> None:
    """Close the order at this moment if it is unpaid then."""
    await timers.schedule(tx, ORDER_EXPIRED, order_id, at)


async def expire_orders(tx: Transaction, expiries: Sequence[tuple[UUID, datetime, str | None]]) -> None:
    """Close each of these orders at its moment if it is unpaid then; with the correlation ids of their requests."""
    await timers.schedule_many(tx, ORDER_EXPIRED, expiries)


async def ask_channel(tx: Transaction, attempt_id: UUID, at: datetime, *, even_if_closed: bool = False) -> None:
    """Ask the channel about a payment attempt; about a closed one only when an operator wants to know."""
    payload = {"correlation_id": correlation_id(), "even_if_closed": even_if_closed}
    await timers.schedule(tx, ASK_CHANNEL, attempt_id, at, payload)


async def fetch_code(tx: Transaction, attempt_id: UUID, at: datetime) -> None:
    """Ask the channel for the code of a payment that is to be scanned."""
    await timers.schedule(tx, FETCH_CODE, attempt_id, at, {"correlation_id": correlation_id()})


async def flag_unfenced(tx: Transaction, refund_id: UUID) -> None:
    """Show the refund to an operator if nobody has answered for its units in time."""
    await timers.schedule(tx, FENCE_OVERDUE, refund_id, tx.now + FENCE_PATIENCE)


async def end_review(tx: Transaction, refund_id: UUID, at: datetime) -> None:
    """The merchant's time to answer ends at this moment."""
    await timers.schedule(tx, REVIEW_DUE, refund_id, at)


async def end_appeal(tx: Transaction, refund_id: UUID, at: datetime) -> None:
    """The buyer's time to appeal ends at this moment."""
    await timers.schedule(tx, APPEAL_DUE, refund_id, at)


async def send_refund(tx: Transaction, refund_id: UUID, at: datetime) -> None:
    """Send a refund to the channel, or ask what became of it."""
    await timers.schedule(tx, SEND_REFUND, refund_id, at, {"correlation_id": correlation_id()})


async def say_availability(tx: Transaction, unsaid: Sequence[Unsaid]) -> None:
    """Announce what is left of these deals, each at most once a second. Only the first change after an announcement
    comes here, so that a hot deal does not rewrite its timer with every order."""
    for one in unsaid:
        await timers.schedule(tx, SAY_AVAILABILITY, one.deal_id, max(tx.now, one.said_at + _SAY_EVERY))
