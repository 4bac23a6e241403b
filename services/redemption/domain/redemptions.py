"""One redemption: what was asked for, and the uses that came of it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a member of staff asks for. Two attempts with the same id are the same one only if all of this is equal."""

    redemption_id: UUID
    operator: str
    store_id: UUID
    device_id: str
    unit_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Use:
    """One use of one certificate."""

    use_id: UUID
    unit_id: UUID
    use_no: int
    sealed_code: str | None = None
    cycle: int = 0
    reversed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Redemption:
    """An attempt that was granted. A use can be undone until `reversible_until`."""

    attempt: Attempt
    order_id: UUID
    merchant_id: UUID
    title: str
    used_at: datetime
    reversible_until: datetime
    uses: tuple[Use, ...]
