"""HTTP in: parse, one transaction, one use case, answer after the commit."""

from services.redemption.routes import buyer, codes, money, signed, staff

ROUTERS = (buyer.router, staff.router, codes.router, signed.router, money.router)
