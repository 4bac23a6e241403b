"""What a merchant pays the platform: the verification, and nothing else; there is no deposit and no opening fee."""

from dataclasses import dataclass
from enum import StrEnum

VERIFICATION_FEE_FEN = 60_000


class FeeKind(StrEnum):
    """企业认证审核费."""

    VERIFICATION = "VERIFICATION"


class FeeState(StrEnum):
    DUE = "DUE"
    PAID = "PAID"
    WAIVED = "WAIVED"


@dataclass(frozen=True, slots=True)
class Fee:
    """One item, opened with the application; `reference` is where the operator found it paid, or why it was waived."""

    kind: FeeKind
    amount_fen: int
    state: FeeState
    reference: str | None

    @property
    def settled(self) -> bool:
        """Whether nothing is left to pay."""
        return self.state is not FeeState.DUE
