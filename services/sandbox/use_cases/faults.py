"""Deciding whether a scripted fault hits this call."""

import random
import sqlite3

from services.sandbox.domain.faults import FaultScript
from services.sandbox.store import faults


def take_fault(tx: sqlite3.Connection, provider: str, operation: str, chance: random.Random) -> FaultScript | None:
    """The first script that matches and whose dice fall so; it is then used up by one."""
    for row_id, script in faults.candidates(tx, provider, operation):
        if chance.random() < script.probability:
            faults.spend(tx, row_id)
            return script
    return None
