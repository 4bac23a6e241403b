"""Who may carry a parcel at all: pure checks, each of which says by name why somebody may not."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from services.dispatch.domain.routing import Candidate
from shared.contracts.catalog import DeliveryMode

_SELF, _INSTANT, _COURIER = DeliveryMode.SELF, DeliveryMode.INSTANT, DeliveryMode.COURIER

# What is spoiled, melted or cold after a day in a van.
SPOILS = frozenset({"snack", "hot_food", "drink", "cake", "flower", "frozen"})


@dataclass(frozen=True, slots=True)
class Ranges:
    """How far each way of carrying reaches, as the deployment has it."""

    instant_m: int = 20_000
    instant_across_cities: bool = False
    courier_at_least: timedelta = timedelta(hours=2)
    """A courier who has less time than this until the hand-over is due does not come in time."""


@dataclass(frozen=True, slots=True)
class Need:
    """What is to be carried, how far, and under which circumstances."""

    mode: DeliveryMode
    weight_g: int
    category: str
    distance_m: float
    same_city: bool
    store_open: bool
    slack: timedelta
    """How long a rider can still be looked for."""
    hand_over_in: timedelta
    """Until the goods must have left the store."""


@dataclass(frozen=True, slots=True)
class Contract:
    """What the merchant agreed to: the order in which carriers are asked (nobody else is), and their own riders."""

    order: tuple[str, ...] = ()
    own_riders: bool = False
    own_radius_m: int = 3_000
    most_fee_fen: int | None = None
    tip_fen: int = 200
    confirm_above_fen: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """How an account stands now, and what it did with this parcel before."""

    balance_short: bool = False
    disabled: bool = False
    breaker_open: bool = False
    refused_parcel: bool = False
    stale_quotes: int = 0
    tries: int = 0
    """How often it had this parcel and did not carry it."""


@dataclass(frozen=True, slots=True)
class Question:
    """Everything that the checks look at."""

    need: Need
    candidate: Candidate
    standing: Standing
    contract: Contract
    ranges: Ranges

    @property
    def beyond_instant(self) -> bool:
        """Whether riders do not go there, so that only a courier does."""
        across = not self.need.same_city and not self.ranges.instant_across_cities
        return across or self.need.distance_m > self.ranges.instant_m


_REQUOTES = 1


def refusals(asked: Question) -> tuple[str, ...]:
    """Every reason for which a candidate may not carry the parcel; none: it may."""
    return tuple(reason for reason, refuses in _CHECKS if refuses(asked))


def _other_mode(asked: Question) -> bool:
    wanted, offered = asked.need.mode, asked.candidate.mode
    if offered is wanted:
        return False
    if wanted is not _INSTANT:
        return True
    if offered is _SELF:
        return not asked.contract.own_riders
    return not asked.beyond_instant


def _not_contracted(asked: Question) -> bool:
    order = asked.contract.order
    return bool(order) and asked.need.mode is not _SELF and asked.candidate.provider not in order


def _out_of_range(asked: Question) -> bool:
    if asked.candidate.mode is _INSTANT:
        return asked.beyond_instant
    # Who sold delivery by their own riders goes where they sold it; only a substitute has a radius.
    substitute = asked.candidate.mode is _SELF and asked.need.mode is not _SELF
    return substitute and asked.need.distance_m > asked.contract.own_radius_m


def _spoils(asked: Question) -> bool:
    return asked.candidate.mode is _COURIER and asked.need.category.lower() in SPOILS


def _closed(asked: Question) -> bool:
    return asked.candidate.mode is not _COURIER and not asked.need.store_open


def _too_late(asked: Question) -> bool:
    if asked.candidate.mode is _COURIER:
        return asked.need.hand_over_in <= asked.ranges.courier_at_least
    return asked.need.slack <= timedelta(0)


_CHECKS: tuple[tuple[str, Callable[[Question], bool]], ...] = (
    ("other_mode", _other_mode),
    ("not_contracted", _not_contracted),
    ("out_of_range", _out_of_range),
    ("overweight", lambda asked: asked.need.weight_g > asked.candidate.max_weight_g),
    ("spoils_on_the_way", _spoils),
    ("store_closed", _closed),
    ("promise_out_of_reach", _too_late),
    ("balance_short", lambda asked: asked.standing.balance_short),
    ("account_disabled", lambda asked: asked.standing.disabled),
    ("breaker_open", lambda asked: asked.standing.breaker_open),
    ("refused_this_parcel", lambda asked: asked.standing.refused_parcel),
    ("quote_stale", lambda asked: asked.standing.stale_quotes > _REQUOTES),
)

# What may be otherwise in a minute, so that looking again is worth more than asking a person at once.
PASSING = frozenset({"breaker_open", "quote_failed", "quote_expired"})
