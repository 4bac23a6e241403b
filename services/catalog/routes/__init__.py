"""HTTP in: parse, one transaction, one use case, answer after the commit; one module per subject."""

from services.catalog.routes import claims, deals, merchants, operators, search, staff, store_page, stores, videos

ROUTERS = (
    merchants.router,
    staff.router,
    stores.router,
    claims.router,
    store_page.router,
    search.router,
    deals.router,
    videos.router,
    operators.router,
)
