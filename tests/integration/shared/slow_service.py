"""A service that takes its time, run as a process of its own to see how it ends: `python -m tests…slow_service`."""

import asyncio
import os

from fastapi import APIRouter

from shared.contracts.checkout import AvailabilityChanged
from shared.contracts.settlement import PayoutFailed
from shared.database import Database
from shared.http import Db
from shared.messaging import inbox
from shared.messaging.handlers import Handlers
from shared.service import Service, run
from shared.settings import ServiceSettings

router = APIRouter()
handles = Handlers("catalog")
SLOW_S = 2.0


@router.put("/effects/{key}")
async def slow_request(key: str, db: Db) -> dict[str, str]:
    """Begin, take a while, and only then write."""
    await _say(db, f"begun {key}")
    await asyncio.sleep(SLOW_S)
    await _say(db, key)
    return {"done": key}


@handles(PayoutFailed)
async def reopen_payout_account(event: PayoutFailed, db: Database) -> None:
    """The same for a message."""
    await _say(db, f"begun {event.instruction_id}")
    await asyncio.sleep(SLOW_S)
    async with db.transaction() as tx:
        if not await inbox.is_duplicate(tx, event, "catalog.reopen_payout_account"):
            await tx.execute("insert into effects values ($1, 1)", str(event.instruction_id))


@handles(AvailabilityChanged)
async def keep_availability(event: AvailabilityChanged, db: Database) -> None:
    """Not used here."""


async def _say(db: Database, key: str) -> None:
    async with db.transaction() as tx:
        await tx.execute("insert into effects values ($1, 1)", key)


class Settings(ServiceSettings):
    """As every service has them."""


if __name__ == "__main__":
    run(Service("catalog", Settings(port=int(os.environ["GROUPBUY_PORT"])), (router,), handles))
