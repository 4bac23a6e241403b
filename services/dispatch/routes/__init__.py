"""HTTP in: parse, one transaction, one use case, answer after the commit."""

from services.dispatch.routes import board, cancel_fees, carriers, choices, money, parcels, riders, tracking, webhooks

ROUTERS = (
    parcels.router,
    choices.router,
    riders.router,
    tracking.router,
    board.router,
    carriers.router,
    webhooks.router,
    money.router,
    cancel_fees.router,
)
