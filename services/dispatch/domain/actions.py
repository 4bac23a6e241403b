"""What a merchant can do about a parcel now: the buttons of the board."""

from dataclasses import dataclass
from enum import StrEnum

from services.dispatch.domain.attempts import WITH_CARRIER, AttemptState
from services.dispatch.domain.parcels import DispatchState, ParcelState
from shared.contracts.catalog import DeliveryMode


class Action(StrEnum):
    ACCEPT = "ACCEPT"
    REFUSE = "REFUSE"
    TIP = "TIP"
    SWITCH = "SWITCH"
    KEEP_WAITING = "KEEP_WAITING"
    DELIVER_OURSELVES = "DELIVER_OURSELVES"
    HAND_OVER = "HAND_OVER"
    DELIVER = "DELIVER"
    CONFIRM_RETURN = "CONFIRM_RETURN"


@dataclass(frozen=True, slots=True)
class LiveAttempt:
    state: AttemptState
    carried_as: DeliveryMode
    picked_up: bool
    tippable: bool
    leaving: bool = False
    """It is being taken back already."""


def actions(parcel: ParcelState, dispatch: DispatchState, live: LiveAttempt | None) -> tuple[Action, ...]:
    """In the order in which they are shown."""
    if parcel is ParcelState.PLACED:
        return (Action.ACCEPT, Action.REFUSE)
    own = live is not None and live.carried_as is DeliveryMode.SELF
    if parcel is ParcelState.HANDED_OVER:
        return _under_way(dispatch, live, own=own)
    if parcel is not ParcelState.ACCEPTED:
        return ()
    return (*_before_hand_over(dispatch, live, own=own), Action.REFUSE)


def _before_hand_over(dispatch: DispatchState, live: LiveAttempt | None, *, own: bool) -> tuple[Action, ...]:
    if own:
        return (Action.HAND_OVER,)
    if live is None:
        return (Action.KEEP_WAITING, Action.DELIVER_OURSELVES) if dispatch is DispatchState.MANUAL else ()
    if live.state not in WITH_CARRIER or live.picked_up or live.leaving:
        return ()
    tip = (Action.TIP,) if live.state is AttemptState.SEARCHING and live.tippable else ()
    return (*tip, Action.SWITCH)


def _under_way(dispatch: DispatchState, live: LiveAttempt | None, *, own: bool) -> tuple[Action, ...]:
    if own:
        return (Action.DELIVER, Action.CONFIRM_RETURN)
    if live is None and dispatch is DispatchState.MANUAL:
        return (Action.DELIVER_OURSELVES, Action.CONFIRM_RETURN)
    return (Action.CONFIRM_RETURN,) if live is not None and live.state is AttemptState.RETURNING else ()
