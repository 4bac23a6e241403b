"""Messages in, and timers, which are messages from time: one transaction, one use case."""

from services.checkout.consumers import copies, deadlines, fulfilment, refunds
from services.checkout.consumers.copies import COPIES
from services.checkout.consumers.registry import handles, timers

__all__ = ["COPIES", "copies", "deadlines", "fulfilment", "handles", "refunds", "timers"]
