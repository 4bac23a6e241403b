"""HTTP in: parse, one transaction, one use case, answer after the commit; one module per subject."""

from services.checkout.routes import admin, notify, orders, payments, refunds, reviews

ROUTERS = (orders.router, payments.router, notify.router, refunds.router, reviews.router, admin.router)
