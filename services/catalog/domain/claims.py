"""Claims to stores: several merchants may ask for one, an operator awards it to at most one of them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.catalog.domain.refusals import AppealUsed, ClaimNotAppealable, TooManyClaimsOnStore, TooManyOpenClaims

WAITING_PER_STORE = 20
WAITING_PER_MERCHANT = 200

# What nobody wrote, because the platform decided it by deciding something else.
AWARDED_TO_ANOTHER = "门店已判给另一认领商家 · The store was awarded to another claimant"
GIVEN_BACK = "商家放弃认领 · The merchant gave the store back"


class ClaimState(StrEnum):
    """CLAIMED → APPROVED | REJECTED; REJECTED, LOST → APPEALED, once; APPROVED → RELEASED | LOST."""

    CLAIMED = "CLAIMED"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    APPEALED = "APPEALED"
    RELEASED = "RELEASED"
    LOST = "LOST"


WAITING = frozenset({ClaimState.CLAIMED, ClaimState.APPEALED})
LIVE = WAITING | {ClaimState.APPROVED}


@dataclass(frozen=True, slots=True)
class Appeal:
    """Why a claimant thinks that the decision was wrong."""

    text: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Claim:
    """One merchant's claim to one store; `licence_evidence` names the proof, `reason` why it was refused or lost."""

    claim_id: UUID
    store_id: UUID
    merchant_id: UUID
    merchant_name: str
    version: int
    licence_evidence: str
    state: ClaimState
    reason: str | None
    appeal: Appeal | None
    claimed_at: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many claims wait for the operator: on one store, and of one merchant."""

    on_store: int
    of_merchant: int


def check_room(waiting: Waiting) -> None:
    """Raise when one more claim would be too many to wait."""
    if waiting.on_store >= WAITING_PER_STORE:
        raise TooManyClaimsOnStore(limit=WAITING_PER_STORE)
    if waiting.of_merchant >= WAITING_PER_MERCHANT:
        raise TooManyOpenClaims(limit=WAITING_PER_MERCHANT)


def check_appealable(claim: Claim) -> None:
    """Raise the reason why this claim cannot be appealed (again)."""
    if claim.appeal is not None:
        raise AppealUsed
    if claim.state not in {ClaimState.REJECTED, ClaimState.LOST}:
        raise ClaimNotAppealable(state=claim.state.value)
