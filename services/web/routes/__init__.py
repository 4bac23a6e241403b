"""The addresses of the pages; one module per subject."""

from services.web.routes import (
    buying,
    deals,
    developers,
    feed,
    health,
    me,
    merchants,
    operators,
    orders,
    refunds,
    scanning,
    sign_in,
    statements,
)

ROUTERS = (
    feed.router,
    deals.router,
    buying.router,
    orders.router,
    refunds.router,
    me.router,
    sign_in.router,
    scanning.router,
    merchants.router,
    statements.router,
    operators.router,
    developers.router,
    health.router,
)
