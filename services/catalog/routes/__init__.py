"""HTTP in: parse, one transaction, one use case, answer after the commit; one module per subject."""

from services.catalog.routes import (
    attribution,
    deals,
    feed,
    livestreams,
    merchants,
    operators,
    shares,
    staff,
    stores,
    videos,
)

ROUTERS = (
    merchants.router,
    staff.router,
    stores.router,
    deals.router,
    videos.router,
    feed.router,
    livestreams.router,
    shares.router,
    attribution.router,
    operators.router,
)
