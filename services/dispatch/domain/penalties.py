"""Who pays for an order that was taken back: never the buyer, whose refund is whole."""

from datetime import timedelta
from enum import StrEnum

from services.dispatch.domain.attempts import CancelledBy


class Bearer(StrEnum):
    MERCHANT = "MERCHANT"
    PLATFORM = "PLATFORM"


# Why we took the order back, where that was the merchant's own wish.
MERCHANTS_WISH = frozenset({"MERCHANT"})


def whose_doing(told: CancelledBy | None, cancel_reason: str | None) -> CancelledBy:
    """Ours when we asked for it, whatever the carrier says; its own when it says nothing."""
    return CancelledBy.US if cancel_reason else told or CancelledBy.SYSTEM


def borne_by(cancelled_by: CancelledBy, cancel_reason: str | None) -> Bearer:
    """The merchant for what the merchant wanted; the platform for refunds, for riders that were not found, and for
    what a carrier charges although it gave up itself."""
    if cancelled_by is CancelledBy.MERCHANT:
        return Bearer.MERCHANT
    merchants = cancelled_by is CancelledBy.US and cancel_reason in MERCHANTS_WISH
    return Bearer.MERCHANT if merchants else Bearer.PLATFORM


# Carriers settle within a day or two; what they have not said by then is a person's to find in their bill.
_ASK_FEE_AFTER = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 720, 1440))


def ask_fee_again_after(times_asked: int) -> timedelta | None:
    """The pause before a carrier is asked again what a cancelled order cost; None: not any more."""
    return _ASK_FEE_AFTER[times_asked] if times_asked < len(_ASK_FEE_AFTER) else None
