"""Messages in, and timers, which are messages from time: one transaction, one use case."""

from services.checkout.consumers import copies, deadlines, fulfilment, refunds
from services.checkout.consumers.registry import handles, timers

__all__ = ["copies", "deadlines", "fulfilment", "handles", "refunds", "timers"]
