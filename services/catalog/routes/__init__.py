"""HTTP in: parse, one transaction, one use case, answer after the commit; one module per subject."""

from services.catalog.routes import deals, deals_page, deals_review, merchants, operators, staff, stores, videos

ROUTERS = (
    merchants.router,
    staff.router,
    stores.router,
    deals.router,
    deals_page.router,
    deals_review.router,
    videos.router,
    operators.router,
)
