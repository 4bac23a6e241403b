"""Which of the carriers that may carry a parcel does: what each would cost in all, and the reasons, kept to be told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.dispatch.domain.eligibility import PASSING, Contract
from services.dispatch.domain.routing import Candidate
from shared.contracts.catalog import DeliveryMode


@dataclass(frozen=True, slots=True)
class Offer:
    """What a candidate would take, and when it would be there. Fee and time are assumed where nothing was said."""

    fee_fen: int
    eta: timedelta
    quoted: bool = False
    token: str | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """How a provider did lately in this zone at this hour."""

    ended: int = 0
    failed: int = 0
    """No rider, or cancelled by the provider."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What time and trouble cost, in fen."""

    promise: timedelta = timedelta(minutes=60)
    late_fen_per_minute: int = 20
    failure_fen: int = 800
    prior_ended: int = 20
    prior_failed: int = 2
    """With nothing known a provider counts as failing as often as this."""
    assumed_fee_fen: int = 600
    assumed_fen_per_km: int = 100
    assumed_m_per_minute: int = 300
    assumed_pickup: timedelta = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Score:
    """The expected cost, part by part."""

    fee_fen: int
    late_fen: int
    risk_fen: int

    @property
    def total_fen(self) -> int:
        return self.fee_fen + self.late_fen + self.risk_fen


@dataclass(frozen=True, slots=True)
class Considered:
    """One candidate as it was looked at: refused for reasons, or with an offer and its score."""

    candidate: Candidate
    refused: tuple[str, ...] = ()
    offer: Offer | None = None
    score: Score | None = None
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Choice:
    """The decision: those who may carry the parcel, best first, and then those who may not."""

    policy: str
    ranked: tuple[Considered, ...]
    refused: tuple[Considered, ...]

    @property
    def chosen(self) -> Considered | None:
        return self.ranked[0] if self.ranked else None

    @property
    def may_pass(self) -> bool:
        """Whether somebody was refused only for what may be otherwise in a minute."""
        return any(set(one.refused) <= PASSING for one in self.refused)

    def record(self) -> dict[str, Any]:
        """The decision as it is stored and shown."""
        return {
            "policy": self.policy,
            "chosen": self.chosen.candidate.provider if self.chosen else None,
            "why": self._why(),
            "candidates": [_told(one, rank) for rank, one in enumerate(self.ranked, 1)]
            + [_told(one, None) for one in self.refused],
        }

    def _why(self) -> str:
        if not self.ranked:
            return "nobody_may"
        if len(self.ranked) == 1:
            return "only_candidate"
        first, second = self.ranked[:2]
        if first.tries != second.tries:
            return "tried_less"
        return "merchants_order" if self.policy == "merchants_order" else "lowest_expected_cost"


def assumed_offer(candidate: Candidate, distance_m: float, weights: Weights) -> Offer:
    """What a carrier that names no price beforehand will take, about. The merchant's own rider takes nothing."""
    on_the_way = timedelta(minutes=distance_m / weights.assumed_m_per_minute)
    fee_fen = weights.assumed_fee_fen + weights.assumed_fen_per_km * int(distance_m // 1000)
    own = candidate.mode is DeliveryMode.SELF
    return Offer(0 if own else fee_fen, weights.assumed_pickup + on_the_way)


def score(offer: Offer, record: Record, weights: Weights) -> Score:
    """Fee, plus a fine for every minute after the promise, plus what a failure costs as often as one is expected."""
    late_minutes = max(0, -((weights.promise - offer.eta) // timedelta(minutes=1)))
    failed, ended = record.failed + weights.prior_failed, record.ended + weights.prior_ended
    return Score(offer.fee_fen, late_minutes * weights.late_fen_per_minute, weights.failure_fen * failed // ended)


def choose(considered: Sequence[Considered], contract: Contract) -> Choice:
    """Best first: whoever has failed this parcel least; then the merchant's order, or else the lowest score."""
    able = [one for one in considered if not one.refused and one.score is not None]
    ordered = bool(contract.order) and all(one.candidate.provider in contract.order for one in able)

    def position(one: Considered) -> tuple[int, int, str, str]:
        assert one.score is not None, "those without a score were left out"
        place = contract.order.index(one.candidate.provider) if ordered else one.score.total_fen
        return (one.tries, place, one.candidate.provider, one.candidate.account)

    return Choice(
        "merchants_order" if ordered else "score",
        tuple(sorted(able, key=position)),
        tuple(one for one in considered if one.refused),
    )


def _told(one: Considered, rank: int | None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "provider": one.candidate.provider,
        "account": one.candidate.account,
        "mode": one.candidate.mode.value,
        "rank": rank,
        "refused": list(one.refused),
        "tries": one.tries,
    }
    if one.offer is not None:
        told |= {"quoted": one.offer.quoted, "eta_s": int(one.offer.eta.total_seconds())}
    if one.score is not None:
        told |= {
            "fee_fen": one.score.fee_fen,
            "late_fen": one.score.late_fen,
            "risk_fen": one.score.risk_fen,
            "total_fen": one.score.total_fen,
        }
    return told
