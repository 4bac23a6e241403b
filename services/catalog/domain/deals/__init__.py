"""A deal: what it says, what it may not say, which states it has, and why a draft is rejected."""

from services.catalog.domain.deals.checks import check_content
from services.catalog.domain.deals.content import (
    Booking,
    Category,
    DealContent,
    DealItem,
    Quota,
    StoreIds,
    changed_fields,
)
from services.catalog.domain.deals.reviews import TEMPLATE_TEXTS, Rejection, ReviewTemplate, rejection_of
from services.catalog.domain.deals.states import (
    BadgeState,
    Deal,
    DealState,
    DraftState,
    Sale,
    SaleState,
    badge_state,
    deal_state,
)
from services.catalog.domain.deals.templates import Catering, Hotel, Surcharge, Tourism
from services.catalog.domain.deals.usability import usability

__all__ = [
    "TEMPLATE_TEXTS",
    "BadgeState",
    "Booking",
    "Category",
    "Catering",
    "Deal",
    "DealContent",
    "DealItem",
    "DealState",
    "DraftState",
    "Hotel",
    "Quota",
    "Rejection",
    "ReviewTemplate",
    "Sale",
    "SaleState",
    "StoreIds",
    "Surcharge",
    "Tourism",
    "badge_state",
    "changed_fields",
    "check_content",
    "deal_state",
    "rejection_of",
    "usability",
]
