"""What comes in by itself: messages from other services, and moments from time."""

from services.dispatch.consumers.messages import COPIES, handles
from services.dispatch.consumers.moments import timers

__all__ = ["COPIES", "handles", "timers"]
