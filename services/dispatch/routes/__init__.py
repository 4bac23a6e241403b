"""HTTP in: parse, one transaction, one use case, answer after the commit."""

from services.dispatch.routes import board, money, parcels, webhooks

ROUTERS = (parcels.router, board.router, webhooks.router, money.router)
