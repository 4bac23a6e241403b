"""Where a parcel is in the few words that its buyer needs."""

from enum import StrEnum

from services.dispatch.domain.attempts import AttemptState
from services.dispatch.domain.parcels import DispatchState, ParcelState
from services.dispatch.domain.timeline import Text


class Phase(StrEnum):
    PREPARING = "PREPARING"
    FINDING_RIDER = "FINDING_RIDER"
    TO_SHOP = "TO_SHOP"
    ON_THE_WAY = "ON_THE_WAY"
    DELIVERED = "DELIVERED"
    PROBLEM = "PROBLEM"
    REFUNDING = "REFUNDING"
    ENDED = "ENDED"


TEXTS = {
    Phase.PREPARING: Text("商家备货中", "The store is preparing your order"),
    Phase.FINDING_RIDER: Text("正在安排配送员", "Finding a rider"),
    Phase.TO_SHOP: Text("配送员正在赶往商家", "The rider is on the way to the store"),
    Phase.ON_THE_WAY: Text("商品配送中", "Your order is on its way"),
    Phase.DELIVERED: Text("已送达", "Delivered"),
    Phase.PROBLEM: Text("配送遇到问题，正在处理", "There is a problem; we are on it"),
    Phase.REFUNDING: Text("退款处理中", "Your refund is under way"),
    Phase.ENDED: Text("订单已结束", "This order has ended"),
}

_S, _A = ParcelState, AttemptState
_BY_PARCEL = {
    _S.PLACED: Phase.PREPARING,
    _S.DELIVERED: Phase.DELIVERED,
    _S.RECEIVED: Phase.DELIVERED,
    _S.DISPUTED: Phase.DELIVERED,
    _S.REFUNDING: Phase.REFUNDING,
    _S.FAILED: Phase.REFUNDING,
    _S.RETURNED: Phase.REFUNDING,
    _S.LOST: Phase.REFUNDING,
    _S.REFUNDED: Phase.ENDED,
}
_TROUBLE = frozenset({_A.EXCEPTION, _A.RETURNING})


def phase_of(parcel: ParcelState, dispatch: DispatchState, attempt: AttemptState | None) -> Phase:
    """One carrier after another looks the same to the buyer: a rider is being found."""
    if parcel in _BY_PARCEL:
        return _BY_PARCEL[parcel]
    if dispatch is DispatchState.MANUAL or attempt in _TROUBLE:
        return Phase.PROBLEM
    if parcel is ParcelState.HANDED_OVER:
        return Phase.ON_THE_WAY
    return Phase.TO_SHOP if attempt in (_A.ASSIGNED, _A.AT_PICKUP) else Phase.FINDING_RIDER
