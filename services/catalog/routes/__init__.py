"""HTTP in: parse, one transaction, one use case, answer after the commit; one module per subject."""

from services.catalog.routes import (
    deals,
    deals_page,
    deals_review,
    invitations,
    merchants,
    opening,
    operators,
    payout_accounts,
    staff,
    stores,
    support,
    suspension,
    videos,
)

ROUTERS = (
    merchants.router,
    payout_accounts.router,
    opening.router,
    suspension.router,
    support.router,
    staff.router,
    invitations.router,
    stores.router,
    deals.router,
    deals_page.router,
    deals_review.router,
    videos.router,
    operators.router,
)
