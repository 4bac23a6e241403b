"""What the buyer sees: the certificates of an order, each with QR code, barcode and digits while it can be used."""

from datetime import UTC, datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from services.redemption import use_cases
from services.redemption.domain.certificates import Certificate, CertificateState, Order, shown_state
from services.redemption.domain.codes import Codes
from services.redemption.domain.third_party import fits_code128
from shared.auth import Caller
from shared.http import Db
from shared.service import World
from shared.symbols import barcode_svg, qr_svg

router = APIRouter()


class CertificateView(BaseModel):
    """`qr_svg` says something else every minute: ask again before `qr_expires_at` (real time). A third party's code
    has a QR code that says just the code and does not expire, and a barcode if Code128 can hold it. The secrets are
    null unless the state is VALID."""

    unit_id: UUID
    state: CertificateState
    title: str
    code: str | None
    qr_svg: str | None
    qr_expires_at: datetime | None
    barcode_svg: str | None
    starts_at: datetime
    until: datetime
    used_at: datetime | None
    used_store_name: str | None
    store_names: list[str]


class CertificatesView(BaseModel):
    items: list[CertificateView]
    next_cursor: None = None


@router.get("/orders/{order_id}/certificates")
async def certificates_of_order(order_id: UUID, buyer: Caller, db: Db, world: World) -> CertificatesView:
    """The certificates of the caller's own order (10 at most)."""
    async with db.transaction(read_only=True) as tx:
        order, certificates, store_names = await use_cases.certificates_of_buyer(tx, order_id, buyer)
        now = tx.now
    return CertificatesView(items=[_view(world.codes, order, one, store_names, now) for one in certificates])


def _view(
    codes: Codes, order: Order, certificate: Certificate, store_names: list[str], now: datetime
) -> CertificateView:
    state = shown_state(certificate, order, now)
    code = qr = barcode = expires_at = None
    if state is CertificateState.VALID and certificate.sealed_code is not None:
        code = codes.open(certificate.sealed_code)
        token = code
        if order.code_source is None:
            token, expires_at = codes.qr_token(certificate.unit_id, datetime.now(UTC))
        qr, barcode = qr_svg(token), barcode_svg(code) if fits_code128(code) else None
    last = certificate.last_use
    return CertificateView(
        unit_id=certificate.unit_id,
        state=state,
        title=order.title,
        code=code,
        qr_svg=qr,
        qr_expires_at=expires_at,
        barcode_svg=barcode,
        starts_at=order.window.starts_at,
        until=order.window.until,
        used_at=last and last.used_at,
        used_store_name=last and last.store_name,
        store_names=store_names,
    )
