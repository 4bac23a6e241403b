"""HTTP in: parse, one transaction, one use case, answer after the commit; one module per subject."""

from services.catalog.routes import deals, merchants, operators, staff, stores, videos

ROUTERS = (
    merchants.router,
    staff.router,
    stores.router,
    deals.router,
    videos.router,
    operators.router,
)
