"""HTTP in: parse, one transaction, one use case, answer after the commit; one module per subject."""

from services.checkout.routes import (
    admin,
    external_refunds,
    mass_refunds,
    movements,
    notify,
    orders,
    payments,
    refunds,
    reviews,
    staff_orders,
)

ROUTERS = (
    orders.router,
    payments.router,
    notify.router,
    refunds.router,
    reviews.router,
    admin.router,
    movements.router,
    mass_refunds.router,
    external_refunds.router,
    staff_orders.router,
)
