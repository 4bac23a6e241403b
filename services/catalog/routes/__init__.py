"""HTTP in: parse, one transaction, one use case, answer after the commit; one module per subject."""

from services.catalog.routes import (
    deals,
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
    videos.router,
    operators.router,
)
