"""Leaves an account out of the search, whichever of its calls was refused for want of money or of a known key."""

from typing import Any
from uuid import UUID

from services.dispatch.domain.timeline import What
from services.dispatch.gateways.port import Carrier, Outcome, Reason, Result
from services.dispatch.store import accounts, attempts, happenings, parcels
from shared.database import Transaction
from shared.observability import log

_ABOUT_THE_ACCOUNT = frozenset({Reason.FUNDS, Reason.AUTH})


async def leave_out(
    tx: Transaction, carrier: Carrier, parcel_id: UUID, answer: Result[Any], attempt_id: UUID | None = None
) -> None:
    """Give the account no new orders from now on, until an operator says that it was topped up or its key set right.
    Orders that it has are followed as ever."""
    if answer.outcome is not Outcome.REJECTED or answer.reason not in _ABOUT_THE_ACCOUNT:
        return
    # Parcel first, then account: everybody locks in that order.
    await parcels.lock_parcel(tx, parcel_id)
    if answer.reason is Reason.AUTH:
        if await accounts.disable(tx, carrier.provider, carrier.account, answer.code):
            log.error("carrier_account_disabled", provider=carrier.provider, account=carrier.account)
    elif await accounts.mark_short(tx, carrier.provider, carrier.account, answer.code):
        await happenings.note(tx, parcel_id, What.BALANCE_SHORT, attempt_id)
        log.error("carrier_balance_short", provider=carrier.provider, account=carrier.account)


async def leave_out_by(tx: Transaction, carrier: Carrier, attempt_id: UUID, answer: Result[Any]) -> None:
    """Likewise, by what was said about one of its orders."""
    if answer.outcome is Outcome.OK:
        return
    attempt = await attempts.find_attempt(tx, attempt_id)
    if attempt is not None:
        await leave_out(tx, carrier, attempt.parcel_id, answer, attempt_id)
