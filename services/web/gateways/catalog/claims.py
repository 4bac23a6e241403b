"""Who says that a store is theirs: claims with their appeals, and a merchant's stores, each with its own claim."""

from datetime import datetime
from uuid import UUID

from services.web.gateways.catalog.deals import Store
from services.web.gateways.service import View


class Appeal(View):
    text: str = ""
    evidence: str = ""


class Claim(View):
    """Who says that a store is theirs, and by what proof; `appeal` is their word against a refusal."""

    claim_id: UUID
    store_id: UUID
    merchant_id: UUID
    merchant_name: str = ""
    version: int | None = None
    licence_evidence: str = ""
    state: str = ""
    reason: str | None = None
    appeal: Appeal | None = None
    claimed_at: datetime | None = None


class OwnStore(Store):
    """A store that a merchant holds, held or asked for; `state` and `reason` are those of its newest claim."""

    version: int | None = None
    closed_reason: str | None = None
    claim_id: UUID | None = None
    state: str | None = None
    reason: str | None = None


class OwnStores(View):
    items: list[OwnStore]
    next_cursor: str | None = None
