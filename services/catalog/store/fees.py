"""What merchants pay the platform, in the database."""

from uuid import UUID

from services.catalog.domain.fees import VERIFICATION_FEE_FEN, Fee, FeeKind, FeeState
from shared.database import Row, Transaction

FEE_COLUMNS = "kind, amount_fen, state, reference"


def fee_of(row: Row) -> Fee:
    """The fee in a row that has FEE_COLUMNS."""
    return Fee(FeeKind(row["kind"]), row["amount_fen"], FeeState(row["state"]), row["reference"])


async def open_fee(tx: Transaction, merchant_id: UUID) -> None:
    """The verification of a new merchant is to be paid."""
    await tx.execute(
        """insert into merchant_fees (merchant_id, kind, amount_fen, state, opened_at)
           values ($1, $2, $3, 'DUE', $4)""",
        merchant_id,
        FeeKind.VERIFICATION.value,
        VERIFICATION_FEE_FEN,
        tx.now,
    )


async def settle_fee(
    tx: Transaction, merchant_id: UUID, kind: FeeKind, state: FeeState, reference: str, operator: str
) -> bool:
    """The fee is paid or waived, once; False when it is not due."""
    return bool(
        await tx.execute(
            """update merchant_fees set state = $3, reference = $4, settled_by = $5, settled_at = $6
               where merchant_id = $1 and kind = $2 and state = 'DUE'""",
            merchant_id,
            kind.value,
            state.value,
            reference,
            operator,
            tx.now,
        )
    )


async def fee(tx: Transaction, merchant_id: UUID, kind: FeeKind) -> Fee | None:
    """One fee of a merchant."""
    row = await tx.row(
        f"select {FEE_COLUMNS} from merchant_fees where merchant_id = $1 and kind = $2", merchant_id, kind.value
    )
    return fee_of(row) if row else None
