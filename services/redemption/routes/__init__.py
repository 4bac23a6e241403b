"""HTTP in: parse, one transaction, one use case, answer after the commit."""

from services.redemption.routes import buyer, money, reversals, staff

ROUTERS = (buyer.router, staff.router, reversals.router, money.router)
