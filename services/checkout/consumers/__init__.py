"""Messages in, and timers, which are messages from time: one transaction, one use case."""

from services.checkout.consumers import copies, deadlines, disputes, fulfilment, losses, refunds
from services.checkout.consumers.copies import COPIES
from services.checkout.consumers.registry import handles, timers

__all__ = ["COPIES", "copies", "deadlines", "disputes", "fulfilment", "handles", "losses", "refunds", "timers"]
