"""What a merchant prefers: which carriers in which order, their own riders, tips and limits."""

from dataclasses import dataclass
from uuid import UUID

from services.dispatch.domain.eligibility import Contract
from shared.database import Row, Transaction


@dataclass(frozen=True, slots=True)
class Preferences:
    """A merchant's contract and how often it was changed; version 0: nothing was ever said."""

    version: int
    contract: Contract


_COLUMNS = "version, carrier_order, own_riders, own_radius_m, most_fee_fen, tip_fen, confirm_above_fen"


def _preferences(row: Row) -> Preferences:
    return Preferences(
        row["version"],
        Contract(
            order=tuple(row["carrier_order"]),
            own_riders=row["own_riders"],
            own_radius_m=row["own_radius_m"],
            most_fee_fen=row["most_fee_fen"],
            tip_fen=row["tip_fen"],
            confirm_above_fen=row["confirm_above_fen"],
        ),
    )


async def find(tx: Transaction, merchant_id: UUID) -> Preferences:
    """The merchant's preferences, or what holds for one who has none."""
    row = await tx.row(f"select {_COLUMNS} from delivery_preferences where merchant_id = $1", merchant_id)
    return _preferences(row) if row else Preferences(0, Contract())


async def keep(tx: Transaction, merchant_id: UUID, contract: Contract) -> Preferences:
    """Set all of them. Setting what is set already keeps the version."""
    row = await tx.row(
        f"""insert into delivery_preferences as p (merchant_id, carrier_order, own_riders, own_radius_m, most_fee_fen,
              tip_fen, confirm_above_fen, changed_at) values ($1, $2, $3, $4, $5, $6, $7, $8)
            on conflict (merchant_id) do update set carrier_order = $2, own_riders = $3, own_radius_m = $4,
              most_fee_fen = $5, tip_fen = $6, confirm_above_fen = $7,
              version = p.version + (case when (p.carrier_order, p.own_riders, p.own_radius_m, p.most_fee_fen,
                p.tip_fen, p.confirm_above_fen) is not distinct from ($2::text[], $3::bool, $4::int, $5::bigint,
                $6::bigint, $7::bigint) then 0 else 1 end),
              changed_at = $8
            returning {_COLUMNS}""",
        merchant_id,
        list(contract.order),
        contract.own_riders,
        contract.own_radius_m,
        contract.most_fee_fen,
        contract.tip_fen,
        contract.confirm_above_fen,
        tx.now,
    )
    assert row is not None, "an insert that updates on conflict always gives a row"
    return _preferences(row)
