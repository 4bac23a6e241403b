"""A delivery attempt with one carrier: its states, the legal moves as one table, and how evidence moves it."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from services.dispatch.domain.routing import GeoPoint


class AttemptState(StrEnum):
    """Where an attempt is, in words common to every carrier."""

    CREATED = "CREATED"
    SUBMITTING = "SUBMITTING"
    UNKNOWN = "UNKNOWN"
    """The order to the carrier may or may not have arrived: ask before anything else."""
    SEARCHING = "SEARCHING"
    ASSIGNED = "ASSIGNED"
    AT_PICKUP = "AT_PICKUP"
    IN_TRANSIT = "IN_TRANSIT"
    OUT_FOR_DELIVERY = "OUT_FOR_DELIVERY"
    CANCELLING = "CANCELLING"
    EXCEPTION = "EXCEPTION"
    RETURNING = "RETURNING"
    DELIVERED = "DELIVERED"
    CANCELLED = "CANCELLED"
    RETURNED = "RETURNED"
    REJECTED = "REJECTED"
    LOST = "LOST"
    FENCED = "FENCED"
    """Never found at the carrier, and cancelled there by our own number so that it cannot come to life."""


_S = AttemptState

# The one table of legal moves. A carrier may skip steps (a late or lost callback), so evidence is accepted for every
# state that can be reached over this table, not only for the next one.
MOVES: dict[AttemptState, frozenset[AttemptState]] = {
    _S.CREATED: frozenset({_S.SUBMITTING, _S.CANCELLED}),
    _S.SUBMITTING: frozenset({_S.CREATED, _S.SEARCHING, _S.REJECTED, _S.UNKNOWN}),
    _S.UNKNOWN: frozenset({_S.SUBMITTING, _S.SEARCHING, _S.REJECTED, _S.CANCELLED, _S.FENCED}),
    _S.SEARCHING: frozenset({_S.ASSIGNED, _S.CANCELLING, _S.CANCELLED, _S.REJECTED}),
    _S.ASSIGNED: frozenset({_S.SEARCHING, _S.AT_PICKUP, _S.CANCELLING, _S.CANCELLED, _S.EXCEPTION}),
    _S.AT_PICKUP: frozenset({_S.SEARCHING, _S.IN_TRANSIT, _S.CANCELLING, _S.CANCELLED, _S.EXCEPTION}),
    _S.IN_TRANSIT: frozenset({_S.OUT_FOR_DELIVERY, _S.DELIVERED, _S.EXCEPTION, _S.RETURNING, _S.CANCELLED}),
    _S.OUT_FOR_DELIVERY: frozenset({_S.IN_TRANSIT, _S.DELIVERED, _S.EXCEPTION, _S.RETURNING, _S.CANCELLED}),
    _S.CANCELLING: frozenset({_S.CANCELLED, _S.SEARCHING, _S.ASSIGNED, _S.AT_PICKUP, _S.IN_TRANSIT}),
    _S.EXCEPTION: frozenset(
        {
            _S.ASSIGNED,
            _S.AT_PICKUP,
            _S.IN_TRANSIT,
            _S.OUT_FOR_DELIVERY,
            _S.DELIVERED,
            _S.RETURNING,
            _S.CANCELLED,
            _S.LOST,
        }
    ),
    _S.RETURNING: frozenset({_S.RETURNED, _S.LOST, _S.CANCELLED}),
    _S.DELIVERED: frozenset(),
    _S.CANCELLED: frozenset(),
    _S.RETURNED: frozenset(),
    _S.REJECTED: frozenset(),
    _S.LOST: frozenset(),
    _S.FENCED: frozenset(),
}

TERMINAL = frozenset(state for state, moves in MOVES.items() if not moves)
LIVE = frozenset(MOVES) - TERMINAL
PICKED_UP = frozenset({_S.IN_TRANSIT, _S.OUT_FOR_DELIVERY, _S.DELIVERED, _S.RETURNING, _S.RETURNED, _S.LOST})
ENDED_WITHOUT_GOODS = frozenset({_S.CANCELLED, _S.REJECTED, _S.FENCED})
UNCONFIRMED = frozenset({_S.CREATED, _S.SUBMITTING, _S.UNKNOWN})
WITH_CARRIER = LIVE - UNCONFIRMED
_BEFORE_PICKUP = frozenset({_S.SEARCHING, _S.ASSIGNED, _S.AT_PICKUP, _S.CANCELLING, _S.REJECTED})

_RANK = {state: rank for rank, state in enumerate(MOVES)}


def _reachable(start: AttemptState) -> frozenset[AttemptState]:
    seen: set[AttemptState] = set()
    todo = [start]
    while todo:
        for state in MOVES[todo.pop()] - seen:
            seen.add(state)
            todo.append(state)
    return frozenset(seen)


REACHABLE: dict[AttemptState, frozenset[AttemptState]] = {state: _reachable(state) for state in MOVES}


class CancelledBy(StrEnum):
    """Whose doing it was that an attempt was cancelled."""

    US = "US"
    RIDER = "RIDER"
    MERCHANT = "MERCHANT"
    """At the carrier's own app or counter, past us."""
    SYSTEM = "SYSTEM"


@dataclass(frozen=True, slots=True)
class Rider:
    """Who carries the parcel, as the carrier names them. Personal data: sealed at rest."""

    name: str
    phone: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a carrier said about one attempt. `state` is None for a report that is not a state (a fee, an unknown
    code); `occurred_at` is None when the carrier sends no time of its own."""

    raw_status: str
    state: AttemptState | None
    occurred_at: datetime | None = None
    picked_up: bool = False
    rider: Rider | None = None
    fee_fen: int | None = None
    cancel_fee_fen: int | None = None
    provider_id: str | None = None
    waybill: str | None = None
    cancelled_by: CancelledBy | None = None
    cancel_words: str | None = None
    """Why it was cancelled, in the carrier's words, without numbers that could be somebody's."""
    position: GeoPoint | None = None
    receive_code: str | None = None
    """What the carrier's rider asks the buyer for at the door."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What an attempt's own evidence amounts to so far."""

    state: AttemptState
    watermark: datetime | None = None
    picked_up: bool = False


class Verdict(StrEnum):
    """What a snapshot does to an attempt."""

    MOVED = "MOVED"
    KEPT = "KEPT"
    ASK = "ASK"
    """Two different reports of the same moment: only the carrier itself can say which is last."""
    ZOMBIE = "ZOMBIE"
    """An attempt that we count as over shows signs of life: somebody may be carrying goods."""


def weigh(before: Progress, snapshot: Snapshot, *, asked: bool = False) -> tuple[Progress, Verdict]:
    """The attempt after this evidence. `asked`: an answer to our own query just now, which no time outdates.

    The result does not depend on the order in which the reports of one attempt arrive.
    """
    verdict = _verdict(before, snapshot, asked)
    if verdict is Verdict.ZOMBIE:
        return before, verdict
    shows_pickup = snapshot.picked_up or snapshot.state in PICKED_UP
    after = replace(before, picked_up=before.picked_up or (shows_pickup and before.state not in ENDED_WITHOUT_GOODS))
    if verdict is Verdict.MOVED:
        assert snapshot.state is not None
        after = replace(after, state=snapshot.state)
    if snapshot.occurred_at is not None and snapshot.state is after.state:
        after = replace(after, watermark=max(snapshot.occurred_at, before.watermark or snapshot.occurred_at))
    return after, verdict


def _verdict(before: Progress, snapshot: Snapshot, asked: bool) -> Verdict:
    state = snapshot.state
    if state is None or state is before.state:
        return Verdict.KEPT
    if before.state in TERMINAL:
        return Verdict.ZOMBIE if _is_zombie(before, snapshot) else Verdict.KEPT
    if state not in REACHABLE[before.state] or (before.picked_up and state in _BEFORE_PICKUP):
        return Verdict.KEPT
    if asked or before.state in UNCONFIRMED:
        return Verdict.MOVED
    return _by_time(before, snapshot, forward=_RANK[state] > _RANK[before.state])


def _by_time(before: Progress, snapshot: Snapshot, *, forward: bool) -> Verdict:
    if snapshot.occurred_at is None or before.watermark is None:
        return Verdict.MOVED if forward else Verdict.KEPT
    if snapshot.occurred_at > before.watermark:
        return Verdict.MOVED
    if snapshot.occurred_at == before.watermark:
        return Verdict.MOVED if forward else Verdict.ASK
    return Verdict.KEPT


def _is_zombie(before: Progress, snapshot: Snapshot) -> bool:
    if before.state not in ENDED_WITHOUT_GOODS:
        return False
    if snapshot.state in PICKED_UP and not before.picked_up:
        return True
    if before.state is AttemptState.FENCED:
        return snapshot.state in LIVE
    if snapshot.occurred_at is None or before.watermark is None:
        return False
    return snapshot.state in LIVE and snapshot.occurred_at > before.watermark
