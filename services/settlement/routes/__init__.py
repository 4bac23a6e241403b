"""HTTP in: what merchants read, what operators decide, and the money audit."""

from fastapi import APIRouter

from services.settlement.routes import (
    admin,
    bill_days,
    bills,
    external_refunds,
    incidents,
    liabilities,
    merchants,
    money,
    statement_files,
)

router = APIRouter()
for part in (merchants, statement_files, liabilities, admin, incidents, bill_days, bills, external_refunds, money):
    router.include_router(part.router)

__all__ = ["router"]
