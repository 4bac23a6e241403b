"""What an order is to its buyer, in one word: pure rules over what checkout, redemption and dispatch say."""

from collections.abc import Sequence

from services.web.gateways.checkout import Order, Unit
from services.web.gateways.dispatch import Parcel
from services.web.gateways.redemption import Certificate

TONES = {
    "to_pay": "orange",
    "to_use": "green",
    "preparing": "blue",
    "delivering": "blue",
    "delivered": "green",
    "refunding": "orange",
    "reviewing": "orange",
    "refunded": "grey",
    "used": "grey",
    "done": "grey",
    "closed": "grey",
}
REVIEWED = frozenset({"IN_REVIEW", "CONTESTED", "IN_ARBITRATION"})
_PARCEL_STEPS = ("PLACED", "ACCEPTED", "HANDED_OVER", "DELIVERED", "RECEIVED")
_BEFORE_HAND_OVER = {None, "PLACED", "ACCEPTED"}
_ON_THE_WAY_OR_THERE = {"HANDED_OVER", "DELIVERED"}


def status_of(order: Order, parcel_state: str | None = None) -> str:
    """The buyer's word for the order; a key of TONES."""
    if order.state == "PLACED":
        return "to_pay"
    if order.state == "CLOSED":
        return "refunded" if order.refunded_fen else "closed"
    open_units = [unit for unit in order.units if unit.state == "OPEN"]
    if order.units and all(unit.state == "REFUNDED" for unit in order.units):
        return "refunded"
    if not open_units and any(unit.state == "REFUNDING" for unit in order.units):
        return "reviewing" if any(refund.state in REVIEWED for refund in order.refunds) else "refunding"
    if order.kind == "VOUCHER":
        return "to_use" if open_units or not order.units else "used"
    parcel_state = parcel_state or (order.delivery.parcel_state if order.delivery else None)
    on_its_way = {"HANDED_OVER": "delivering", "DELIVERED": "delivered", "DISPUTED": "reviewing", "RECEIVED": "done"}
    return "done" if order.state == "COMPLETED" else on_its_way.get(parcel_state or "", "preparing")


def refundable_units(order: Order, parcel_state: str | None = None) -> list[Unit]:
    """The units for which the buyer may ask their money back now. Goods only before hand-over, and only whole; what is
    refunded only when it expires is refunded by itself."""
    if order.state not in {"PAID", "FULFILLING"} or (order.kind == "VOUCHER" and order.refund_policy == "ON_EXPIRY"):
        return []
    parcel_state = parcel_state or (order.delivery.parcel_state if order.delivery else None)
    if order.kind == "GOODS" and parcel_state not in _BEFORE_HAND_OVER:
        return []
    return [unit for unit in order.units if unit.state == "OPEN"]


def disputable_units(order: Order, parcel_state: str | None = None) -> list[Unit]:
    """The units that were used, or have left, so that their merchant reviews a refund. How long one may ask, and
    whether it was asked before, checkout says."""
    parcel_state = parcel_state or (order.delivery.parcel_state if order.delivery else None)
    if order.kind == "GOODS" and parcel_state in _ON_THE_WAY_OR_THERE:
        return [unit for unit in order.units if unit.state == "OPEN"]
    return [unit for unit in order.units if unit.state in {"USED", "FINAL"}]


def uses_left(order: Order) -> tuple[int, int] | None:
    """Of a card: how many uses are left of how many, over all its units; None for anything else."""
    if order.form != "TIMES_CARD":
        return None
    left = sum(unit.uses if unit.uses_left is None else unit.uses_left for unit in order.units)
    return left, sum(unit.uses for unit in order.units)


def parcel_steps(parcel: Parcel) -> list[tuple[str, bool]]:
    """The steps from payment to delivery, and which are done."""
    state = "DELIVERED" if parcel.state == "DISPUTED" else parcel.state
    reached = _PARCEL_STEPS.index(state) if state in _PARCEL_STEPS else 0
    return [(name, index <= reached) for index, name in enumerate(("paid", "accepted", "handed_over", "delivered"))]


def shown_certificate(certificates: Sequence[Certificate], wanted: str | None) -> Certificate | None:
    """The certificate that the visitor chose, else the first that can still be used, else the first."""
    chosen = next((one for one in certificates if str(one.unit_id) == wanted), None)
    usable = next((one for one in certificates if one.state == "VALID"), None)
    return chosen or usable or (certificates[0] if certificates else None)
