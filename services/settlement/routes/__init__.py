"""HTTP in: what merchants read, what operators decide, and the money audit."""

from fastapi import APIRouter

from services.settlement.routes import admin, bills, external_refunds, incidents, merchants, money

router = APIRouter()
for part in (merchants, admin, incidents, bills, external_refunds, money):
    router.include_router(part.router)

__all__ = ["router"]
