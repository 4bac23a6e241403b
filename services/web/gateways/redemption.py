"""Redemption as the pages see it: the buyer's certificates, and prepare → verify at the counter."""

from datetime import datetime
from uuid import UUID

from services.web.gateways.service import Asker, Refused, Service, View


class Certificate(View):
    """One bought unit. Code, QR and barcode are there only while it is VALID."""

    unit_id: UUID
    state: str
    title: str = ""
    code: str | None = None
    qr_svg: str | None = None
    qr_expires_at: datetime | None = None
    barcode_svg: str | None = None
    starts_at: datetime | None = None
    until: datetime | None = None
    used_at: datetime | None = None
    used_store_name: str | None = None
    store_names: tuple[str, ...] = ()


class Reason(View):
    code: str
    zh: str = ""
    en: str = ""


class PreparedCertificate(View):
    unit_id: UUID
    masked_code: str = ""
    state: str
    usable: bool
    reason: Reason | None = None
    used_at: datetime | None = None
    used_store_name: str | None = None


class Preparation(View):
    """What was found under a scanned or typed code; `token` allows to verify the usable ones for two minutes."""

    order_id: UUID
    title: str
    certificates: list[PreparedCertificate]
    token: str | None = None
    token_expires_at: datetime | None = None


class ListedCertificate(View):
    """Found by phone: enough to tell the customer, nothing to redeem with."""

    title: str
    masked_code: str
    until: datetime
    usable: bool
    reason: Reason | None = None


class Use(View):
    use_id: UUID
    unit_id: UUID
    use_no: int = 1
    used_at: datetime
    reversible_until: datetime | None = None
    reversed_at: datetime | None = None
    masked_code: str = ""


class Redeemed(View):
    """What was redeemed at once, in which some uses, or all, may have been undone since."""

    redemption_id: UUID
    store_id: UUID
    title: str = ""
    uses: list[Use]

    @property
    def standing(self) -> list[Use]:
        """The uses that were not undone."""
        return [use for use in self.uses if use.reversed_at is None]

    def undoable_until(self, now: datetime) -> datetime | None:
        """Until when this can still be undone; None when there is nothing to undo, or it is too late."""
        moments = [use.reversible_until for use in self.standing if use.reversible_until is not None]
        return min(moments) if moments and now < min(moments) else None


class RedeemedPage(View):
    items: list[Redeemed]
    next_cursor: str | None = None


class Reversed(View):
    reversal_id: UUID
    redemption_id: UUID
    reversed_at: datetime
    uses: list[View]


class CodePool(View):
    """How many codes of a deal are in which state; `waiting` certificates have none yet."""

    free: int
    allocated: int
    used: int
    void: int
    waiting: int


class CodeIssuer(View):
    """Where a merchant's codes are asked for."""

    url: str
    changed_at: datetime


class Redemption(Service):
    async def certificates(self, asker: Asker, order_id: UUID) -> list[Certificate]:
        answer = await self.get(asker, f"/orders/{order_id}/certificates")
        return [Certificate.model_validate(item) for item in answer["items"]]

    async def prepare(
        self, asker: Asker, store_id: UUID, *, scanned: str | None, code: str | None, device_id: str | None = None
    ) -> Preparation:
        body = {"store_id": str(store_id)} | ({"device_id": device_id} if device_id else {})
        body |= {"scanned": scanned} if scanned else {"code": code or ""}
        return Preparation.model_validate(await self.post(asker, "/preparations", body))

    async def by_phone(
        self, asker: Asker, store_id: UUID, phone: str, device_id: str | None
    ) -> list[ListedCertificate]:
        """What the owner of this number can use of what the store's merchant sold."""
        body = {"store_id": str(store_id), "phone": phone} | ({"device_id": device_id} if device_id else {})
        answer = await self.post(asker, "/preparations/by-phone", body)
        return [ListedCertificate.model_validate(item) for item in answer["items"]]

    async def verify(
        self, asker: Asker, redemption_id: UUID, store_id: UUID, token: str, unit_ids: list[UUID], device_id: str
    ) -> Redeemed:
        body = {
            "store_id": str(store_id),
            "token": token,
            "unit_ids": [str(unit) for unit in unit_ids],
            "device_id": device_id,
        }
        return Redeemed.model_validate(await self.put(asker, f"/redemptions/{redemption_id}", body))

    async def reverse(
        self, asker: Asker, redemption_id: UUID, reversal_id: UUID, device_id: str, reason: str
    ) -> Reversed:
        """Undo all of a redemption that was not undone yet."""
        body = {"use_ids": None, "device_id": device_id, "reason": reason}
        path = f"/redemptions/{redemption_id}/reversals/{reversal_id}"
        return Reversed.model_validate(await self.put(asker, path, body))

    async def of_store(self, asker: Asker, store_id: UUID, cursor: str | None = None) -> RedeemedPage:
        """What was redeemed in a store, newest first."""
        query = {"cursor": cursor} if cursor else {}
        return RedeemedPage.model_validate(await self.get(asker, f"/stores/{store_id}/redemptions", **query))

    async def find(self, asker: Asker, redemption_id: UUID) -> Redeemed | None:
        """What became of an act whose answer never came; None if it was never done."""
        try:
            return Redeemed.model_validate(await self.get(asker, f"/redemptions/{redemption_id}"))
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    async def code_pool(self, asker: Asker, merchant_id: UUID, deal_id: UUID) -> CodePool:
        return CodePool.model_validate(await self.get(asker, f"/merchants/{merchant_id}/code-pools/{deal_id}"))

    async def import_codes(
        self, asker: Asker, merchant_id: UUID, deal_id: UUID, import_id: UUID, codes: list[str]
    ) -> None:
        """Add codes to the pool of a deal, all or none."""
        path = f"/merchants/{merchant_id}/code-pools/{deal_id}/imports/{import_id}"
        await self.put(asker, path, {"codes": codes})

    async def code_issuer(self, asker: Asker, merchant_id: UUID) -> CodeIssuer | None:
        """The merchant's issuer; None if it has named none."""
        try:
            return CodeIssuer.model_validate(await self.get(asker, f"/merchants/{merchant_id}/code-issuer"))
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    async def name_issuer(self, asker: Asker, merchant_id: UUID, url: str, secret: str) -> None:
        """Replace address and secret."""
        await self.put(asker, f"/merchants/{merchant_id}/code-issuer", {"url": url, "secret": secret})
