"""What the staff of a store do: prepare, verify, and look at what was redeemed."""

from datetime import UTC, datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, Field, model_validator

from services.redemption import use_cases
from services.redemption.domain.certificates import CertificateState
from services.redemption.domain.codes import Codes, masked
from services.redemption.domain.redemptions import Attempt, Redemption
from services.redemption.domain.refusals import PhoneInvalid, PhonesNotKept
from services.redemption.routes.views import RedemptionView, guesser_of, redemption_view
from services.redemption.use_cases import ByPhone, Listed, Presented
from shared.auth import Caller
from shared.errors import DomainError
from shared.http import Address, Db
from shared.paging import Cursor, Limit, page_of, read_cursor
from shared.phones import normal_phone, phone_lookup
from shared.service import World

router = APIRouter()

PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
DeviceId = Annotated[str, Field(min_length=1, max_length=64, pattern=PRINTABLE)]


class Prepare(BaseModel):
    """Either what the scanner read (QR or barcode) or what was typed."""

    store_id: UUID
    scanned: Annotated[str, Field(min_length=1, max_length=512)] | None = None
    code: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    device_id: DeviceId | None = None

    @model_validator(mode="after")
    def _one_of_the_two(self) -> Self:
        if (self.scanned is None) == (self.code is None):
            raise ValueError("give either scanned or code")
        return self

    def presented(self) -> Presented:
        """What the customer showed."""
        return Presented.scanned(self.scanned) if self.scanned is not None else Presented.typed(self.code or "")


class Reason(BaseModel):
    code: str
    zh: str
    en: str


class PreparedCertificate(BaseModel):
    unit_id: UUID
    masked_code: str
    state: CertificateState
    usable: bool
    reason: Reason | None
    used_at: datetime | None
    used_store_name: str | None


class PreparationView(BaseModel):
    """`token` is what verify asks for, within two minutes of real time, for any of these certificates."""

    order_id: UUID
    title: str
    certificates: list[PreparedCertificate]
    token: str
    token_expires_at: datetime


@router.post("/preparations")
async def prepare(body: Prepare, operator: Caller, address: Address, db: Db, world: World) -> PreparationView:
    """What can be used here of the order whose certificate the customer shows. After too many wrong codes 429, with
    Retry-After."""
    guesser = guesser_of(world.codes, operator, body.store_id, body.device_id, address)
    async with db.transaction() as tx:
        found = await use_cases.prepare(tx, world.codes, guesser, body.presented(), datetime.now(UTC))
    if isinstance(found, DomainError):
        raise found
    world.orders.keep(found.order)
    return PreparationView(
        order_id=found.order.order_id,
        title=found.order.title,
        certificates=[_prepared(world.codes, one) for one in found.listed],
        token=found.token,
        token_expires_at=found.token_expires_at,
    )


class ListByPhone(BaseModel):
    """The whole number, as the customer says it."""

    store_id: UUID
    phone: Annotated[str, Field(min_length=5, max_length=30)]
    device_id: DeviceId | None = None


class ListedCertificate(BaseModel):
    """Enough to tell the customer what he has; to redeem it he shows the code."""

    title: str
    masked_code: str
    uses_left: int
    starts_at: datetime
    until: datetime
    usable: bool
    reason: Reason | None


class ListedView(BaseModel):
    """Of the newest 20 orders at most."""

    items: list[ListedCertificate]
    next_cursor: None = None


@router.post("/preparations/by-phone")
async def list_by_phone(body: ListByPhone, operator: Caller, address: Address, db: Db, world: World) -> ListedView:
    """What the owner of a phone can use of what this merchant sold: masked, and with no token for verify. Numbers that
    nobody left count like wrong codes."""
    phone = normal_phone(body.phone)
    if phone is None:
        raise PhoneInvalid
    lookup = phone_lookup(world.seals, phone)
    if lookup is None:
        raise PhonesNotKept
    guesser = guesser_of(world.codes, operator, body.store_id, body.device_id, address)
    async with db.transaction() as tx:
        found = await use_cases.list_by_phone(tx, guesser, bytes.fromhex(lookup))
    if isinstance(found, DomainError):
        raise found
    return ListedView(items=[_listed(world.codes, one) for one in found])


def _listed(codes: Codes, one: ByPhone) -> ListedCertificate:
    sealed = one.certificate.sealed_code
    return ListedCertificate(
        title=one.order.title,
        masked_code=masked(codes.open(sealed)) if sealed else "",
        uses_left=one.certificate.uses_left,
        starts_at=one.order.window.starts_at,
        until=one.order.window.until,
        usable=one.refusal is None,
        reason=_reason(one.refusal),
    )


def _reason(refusal: DomainError | None) -> Reason | None:
    return None if refusal is None else Reason(code=refusal.code, zh=refusal.text("zh"), en=refusal.text("en"))


def _prepared(codes: Codes, listed: Listed) -> PreparedCertificate:
    certificate, refusal = listed.certificate, listed.refusal
    last = certificate.last_use
    return PreparedCertificate(
        unit_id=certificate.unit_id,
        masked_code=masked(codes.open(certificate.sealed_code)) if certificate.sealed_code else "",
        state=certificate.state,
        usable=refusal is None,
        reason=_reason(refusal),
        used_at=last and last.used_at,
        used_store_name=last and last.store_name,
    )


def each_once(unit_ids: tuple[UUID, ...]) -> tuple[UUID, ...]:
    """Sorted, because two requests for the same certificates are the same request in whatever order they stand."""
    if len(set(unit_ids)) != len(unit_ids):
        raise ValueError("name each certificate once")
    return tuple(sorted(unit_ids))


class Redeem(BaseModel):
    store_id: UUID
    token: Annotated[str, Field(max_length=4000)]
    unit_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=10), AfterValidator(each_once)]
    device_id: DeviceId


@router.put("/redemptions/{redemption_id}", status_code=201)
async def redeem(redemption_id: UUID, body: Redeem, operator: Caller, db: Db, world: World) -> RedemptionView:
    """Use certificates of one order, all or none. Repeating the request gives the first result."""
    attempt = Attempt(redemption_id, operator, body.store_id, body.device_id, body.unit_ids)
    done: Redemption | DomainError | None
    async with db.one_statement() as tx:
        done = await use_cases.redeem_at_once(tx, world.codes, world.orders, attempt, body.token, datetime.now(UTC))
    if done is None:
        async with db.transaction() as tx:
            done = await use_cases.redeem(tx, world.codes, world.orders, attempt, body.token, datetime.now(UTC))
    if isinstance(done, DomainError):
        raise done
    return redemption_view(world.codes, done)


@router.get("/redemptions/{redemption_id}")
async def redemption(redemption_id: UUID, caller: Caller, db: Db, world: World) -> RedemptionView:
    """A redemption, for the staff of its store."""
    async with db.transaction(read_only=True) as tx:
        done = await use_cases.redemption_for(tx, redemption_id, caller)
    return redemption_view(world.codes, done)


class RedemptionsView(BaseModel):
    items: list[RedemptionView]
    next_cursor: str | None


@router.get("/stores/{store_id}/redemptions")
async def redemptions_of_store(
    store_id: UUID,
    caller: Caller,
    db: Db,
    world: World,
    cursor: Cursor = None,
    limit: Limit = 20,
) -> RedemptionsView:
    """The store's redemptions, newest first."""
    before = read_cursor(cursor, datetime, UUID)
    async with db.transaction(read_only=True) as tx:
        done = await use_cases.redemptions_of_store(tx, store_id, caller, before, limit + 1)
    page = page_of(done, limit, lambda one: (one.used_at, one.attempt.redemption_id))
    return RedemptionsView(
        items=[redemption_view(world.codes, one) for one in page.items], next_cursor=page.next_cursor
    )
