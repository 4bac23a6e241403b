"""The timers of dispatch by name: what is due for a parcel (by its id) and for an attempt (by its)."""

from uuid import UUID

from shared.database import Transaction
from shared.messaging import timers

# Of a parcel; the first three act inside the database, the last calls carriers.
ACCEPT_DEADLINE = "accept_deadline"
HAND_OVER_DEADLINE = "hand_over_deadline"
RECEIVE_DEADLINE = "receive_deadline"
DISPATCH_PARCEL = "dispatch_parcel"

# Of an attempt; all call the carrier.
SUBMIT_ATTEMPT = "submit_attempt"
ASK_ATTEMPT = "ask_attempt"
CANCEL_ATTEMPT = "cancel_attempt"
POLL_ATTEMPT = "poll_attempt"
LAY_ZOMBIE = "lay_zombie"
SUBSCRIBE_TRACK = "subscribe_track"
NO_RIDER = "no_rider"
CONFIRM_RETURN = "confirm_return"
LEARN_FEE = "learn_fee"

# Of a stored webhook, and of all of them.
APPLY_WEBHOOK = "apply_webhook"
PURGE_WEBHOOKS = "purge_webhooks"

# Of the whole service.
SWEEP = "sweep"


async def stop_parcel_timers(tx: Transaction, parcel_id: UUID) -> None:
    """Nothing more is due before hand-over."""
    for kind in (ACCEPT_DEADLINE, HAND_OVER_DEADLINE, DISPATCH_PARCEL):
        await timers.cancel(tx, kind, parcel_id)


async def stop_attempt_timers(tx: Transaction, attempt_id: UUID) -> None:
    """Nothing more is due for an attempt that is over."""
    for kind in (SUBMIT_ATTEMPT, ASK_ATTEMPT, CANCEL_ATTEMPT, POLL_ATTEMPT, NO_RIDER):
        await timers.cancel(tx, kind, attempt_id)
