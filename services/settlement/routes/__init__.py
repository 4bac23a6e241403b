"""HTTP in: what merchants read, what operators decide, and the money audit."""

from fastapi import APIRouter

from services.settlement.routes import admin, external_refunds, merchants, money

router = APIRouter()
for part in (merchants.router, admin.router, external_refunds.router, money.router):
    router.include_router(part)

__all__ = ["router"]
