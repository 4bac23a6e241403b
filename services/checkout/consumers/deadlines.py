"""What time demands: unpaid orders closed, the channel asked, refunds sent, what is left announced."""

from uuid import UUID

from services.checkout.consumers.registry import timers
from services.checkout.store import refunds as refund_store
from services.checkout.use_cases import channel, payments, reviews, schedule, selling
from services.checkout.world import CheckoutWorld
from shared.database import Database, Transaction
from shared.messaging.timers import Due


@timers.acts_inside(schedule.ORDER_EXPIRED)
async def expire_orders(tx: Transaction, due: list[Due]) -> None:
    """The time to pay is over."""
    await payments.expire_orders(tx, [UUID(one.key) for one in due])


@timers.acts_inside(schedule.SAY_AVAILABILITY)
async def say_availability(tx: Transaction, due: list[Due]) -> None:
    """Badges and feed learn what is left, at most once a second per deal."""
    await selling.say_availability(tx, [UUID(one.key) for one in due])


@timers.acts_inside(schedule.FENCE_OVERDUE)
async def flag_unfenced(tx: Transaction, due: list[Due]) -> None:
    """Nobody answered for a refund's units: an operator looks."""
    await refund_store.flag_unfenced(tx, [UUID(one.key) for one in due])


@timers.acts_inside(schedule.REVIEW_DUE)
async def approve_unanswered(tx: Transaction, due: list[Due]) -> None:
    """A merchant has not answered in time."""
    await reviews.approve_unanswered(tx, [UUID(one.key) for one in due])


@timers.acts_inside(schedule.APPEAL_DUE)
async def close_unappealed(tx: Transaction, due: list[Due]) -> None:
    """A buyer has not appealed in time."""
    await reviews.close_unappealed(tx, [UUID(one.key) for one in due])


@timers.acts_outside(schedule.ASK_CHANNEL)
async def ask_channel(due: Due, db: Database, world: CheckoutWorld) -> None:
    """A notify may never come, and an order is closed only after the channel says that nothing was paid."""
    even_if_closed = bool(due.payload.get("even_if_closed"))
    await channel.ask(db, world.payments, world.seals, UUID(due.key), even_if_closed=even_if_closed)


@timers.acts_outside(schedule.FETCH_CODE)
async def fetch_code(due: Due, db: Database, world: CheckoutWorld) -> None:
    """The buyer waits for a code to scan that the channel did not give at once."""
    await channel.fetch_code(db, world.payments, UUID(due.key))


@timers.acts_outside(schedule.SEND_REFUND)
async def send_refund(due: Due, db: Database, world: CheckoutWorld) -> None:
    """A refund is sent, or asked about when an earlier call may have done it."""
    await channel.send_refund(db, world.payments, UUID(due.key))
