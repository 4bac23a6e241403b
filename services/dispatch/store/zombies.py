"""Attempts that are over here and live at their carrier."""

from uuid import UUID

from shared.database import Transaction


async def mark(tx: Transaction, attempt_id: UUID) -> bool:
    """Note that an attempt that was over shows life; True the first time."""
    return (
        await tx.execute(
            "update attempts set zombie_since = clock_timestamp() where attempt_id = $1 and zombie_since is null",
            attempt_id,
        )
        == 1
    )


async def learn_ids(tx: Transaction, attempt_id: UUID, provider_id: str | None, waybill: str | None) -> None:
    """The carrier's own numbers, told after the attempt was over: without them it could not be cancelled."""
    await tx.execute(
        """update attempts set provider_id = coalesce(provider_id, $2), waybill = coalesce(waybill, $3)
           where attempt_id = $1""",
        attempt_id,
        provider_id,
        waybill,
    )


async def lay(tx: Transaction, attempt_id: UUID) -> None:
    """The carrier confirmed that the zombie is cancelled."""
    await tx.execute("update attempts set zombie_since = null where attempt_id = $1", attempt_id)
