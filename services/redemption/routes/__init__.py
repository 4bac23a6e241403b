"""HTTP in: parse, one transaction, one use case, answer after the commit."""

from services.redemption.routes import buyer, codes, money, reversals, signed, staff

ROUTERS = (buyer.router, staff.router, reversals.router, codes.router, signed.router, money.router)
