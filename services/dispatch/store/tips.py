"""What riders are promised beyond the fee, and what leaving would cost."""

from uuid import UUID

from shared.database import Transaction


async def want(tx: Transaction, attempt_id: UUID, tip_fen: int) -> bool:
    """The one tip of an attempt is about to be offered; False if one was."""
    return (
        await tx.execute(
            "update attempts set tip_wanted_fen = $2 where attempt_id = $1 and tip_wanted_fen is null",
            attempt_id,
            tip_fen,
        )
        == 1
    )


async def taken(tx: Transaction, attempt_id: UUID, tip_fen: int) -> None:
    """The carrier took it."""
    await tx.execute("update attempts set tip_fen = $2 where attempt_id = $1", attempt_id, tip_fen)


async def not_taken(tx: Transaction, attempt_id: UUID) -> None:
    """The carrier certainly did not take it, so that it may be offered again."""
    await tx.execute("update attempts set tip_wanted_fen = null where attempt_id = $1 and tip_fen = 0", attempt_id)


async def learn_terms(tx: Transaction, attempt_id: UUID, fee_fen: int | None) -> None:
    """What the carrier would take for leaving now; None: it does not say, and nobody knows."""
    await tx.execute("update attempts set cancel_terms_fen = $2 where attempt_id = $1", attempt_id, fee_fen)
