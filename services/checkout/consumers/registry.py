"""Where checkout's message handlers and timers register themselves."""

from shared.messaging.handlers import Handlers
from shared.messaging.timers import Timers

handles = Handlers("checkout")
timers = Timers()
