"""HTTP in: parse, one transaction, one use case, answer after the commit."""

from services.redemption.routes import buyer, money, staff

ROUTERS = (buyer.router, staff.router, money.router)
