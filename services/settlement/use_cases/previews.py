"""What the next run will pay, after what it will pay off."""

from datetime import date
from uuid import UUID

from services.settlement.domain.payouts import offsets
from services.settlement.gateways import World
from services.settlement.store import instructions, statements
from shared.database import Transaction

_TRANSFERS_MAX = 10_000


async def offset(tx: Transaction, merchant_id: UUID, day: date, world: World, owed_fen: int) -> int:
    """What the transfers of the run of `day` will take of a debt. Transfers of earlier runs that have not left take
    their part before; like them, those of the run take theirs largest first."""
    minimum_fen = world.terms.transfer_min_fen
    left_fen = owed_fen - sum(offsets(await instructions.unsent_transfers(tx, merchant_id), owed_fen, minimum_fen))
    nets_fen = await statements.transfers_ahead(tx, merchant_id, world.terms.fee_bp, day, world.reach, _TRANSFERS_MAX)
    return sum(offsets(nets_fen, left_fen, minimum_fen))
