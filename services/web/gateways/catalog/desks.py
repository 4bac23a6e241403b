"""What merchants, their staff and operators see: opening, staff, drafts, and what waits for a decision."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from services.web.gateways.catalog.deals import Form
from services.web.gateways.service import View


class StaffStore(View):
    store_id: UUID
    name: str


class Employer(View):
    """A merchant that the visitor works for, with the stores that are theirs."""

    merchant_id: UUID
    name: str
    role: str
    stores: tuple[StaffStore, ...] = ()

    @property
    def edits(self) -> bool:
        """Whether they may change what the merchant shows and sells; catalog decides, this only spares a refusal."""
        return self.role in {"OWNER", "MANAGER"}


class Step(View):
    step: str
    state: Literal["DONE", "OPEN", "REFUSED"]
    reason_zh: str | None = None
    reason_en: str | None = None

    @property
    def needs_a_look(self) -> bool:
        """Whether it is open, or done with a warning: a licence that soon expires."""
        return self.state != "DONE" or bool(self.reason_zh)


class PayoutAccount(View):
    state: str
    kind: str = ""
    masked_account: str = ""


class Fee(View):
    """What a merchant owes the platform once; whether and how it was settled."""

    kind: str = "VERIFICATION"
    amount_fen: int = 0
    state: str = "DUE"
    reference: str | None = None


class Support(View):
    """A time in which the platform shows a merchant more."""

    version: int | None = None
    weight: int
    starts_at: datetime
    ends_at: datetime


class Licence(View):
    """What the business licence says; `licence_evidence` names the scan."""

    licence_kind: str = ""
    licence_no: str = ""
    subject_name: str = ""
    legal_person: str = ""
    licence_expires_on: date | None = None
    licence_evidence: str = ""


class Merchant(View):
    """A merchant's file, for its staff and operators."""

    merchant_id: UUID
    version: int | None = None
    name: str
    phone: str = ""
    state: str = ""
    account_kind: str = ""
    licence: Licence | None = None
    suspension_reason: str | None = None
    opened_at: datetime | None = None
    payout_account: PayoutAccount | None = None
    checklist: tuple[Step, ...] = ()
    fees: tuple[Fee, ...] = ()
    support: Support | None = None


class Colleague(View):
    staff_id: UUID
    subject: str
    role: str
    store_ids: tuple[UUID, ...] = ()
    active: bool = True


class Invitation(View):
    """An offer of a place at a merchant, for whoever holds the token."""

    invitation_id: UUID
    role: str
    state: str = "OPEN"
    token: str | None = None
    store_ids: tuple[UUID, ...] = ()
    note: str | None = None
    expires_at: datetime | None = None
    accepted_by: str | None = None


class Offer(View):
    """An invitation as the invited read it."""

    merchant_name: str
    role: str
    store_names: tuple[str, ...] = ()
    note: str | None = None
    state: str = "OPEN"
    expires_at: datetime | None = None


class Draft(View):
    """A deal as its merchant and operators see it."""

    deal_id: UUID
    merchant_id: UUID | None = None
    title: str
    cover: str = ""
    state: str
    revision: int = 1
    reason_zh: str | None = None
    reason_en: str | None = None
    deal_version: int = 0
    online: bool = False
    form: Form = "SET"
    price_fen: int = 0
    original_price_fen: int = 0
    total_quota: int = 0
    sold: int = 0
    sale_until: datetime | None = None


class Written(View):
    """What a draft became when it was saved."""

    deal_id: UUID
    revision: int


class Review(View):
    """What sells now beside what is proposed, as catalog writes deals, and the names of what differs."""

    revision: int
    current: dict[str, Any] | None = None
    proposed: dict[str, Any]
    changed: tuple[str, ...] = ()


class Template(View):
    """A reason of the list with which a draft may be rejected."""

    template: str
    zh: str
    en: str = ""


class Queue(View):
    """What waits for the operator, each kind as catalog describes it, and where each goes on."""

    merchants: tuple[dict[str, Any], ...] = ()
    payout_accounts: tuple[dict[str, Any], ...] = ()
    stores: tuple[dict[str, Any], ...] = ()
    fees: tuple[dict[str, Any], ...] = ()
    deals: tuple[dict[str, Any], ...] = ()
    next_cursors: dict[str, str | None] = Field(default_factory=dict)


class Colleagues(View):
    items: list[Colleague]
    next_cursor: str | None = None


class Invitations(View):
    items: list[Invitation]
    next_cursor: str | None = None


class Drafts(View):
    items: list[Draft]
    next_cursor: str | None = None
