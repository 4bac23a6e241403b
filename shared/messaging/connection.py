"""What a lost broker looks like from inside a task."""

import asyncio


def lost_connection() -> bool:
    """Whether a CancelledError just caught is aiormq giving up on a silent peer, rather than a real cancellation.

    aiormq raises a bare CancelledError inside every pending publish when it decides that the connection is stuck;
    a loop that takes it for its own cancellation dies quietly while everything else recovers.
    """
    task = asyncio.current_task()
    return task is not None and not task.cancelling()
