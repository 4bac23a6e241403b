"""Catalog as the pages see it: what everybody reads here, and the desks of merchants and operators."""

from typing import Any
from uuid import UUID

from services.web.gateways.catalog.claims import Claim, OwnStores
from services.web.gateways.catalog.content import Feed, Lives, Livestream, Share, ShareLink, Video
from services.web.gateways.catalog.deals import Deal, FoundDeals, FoundStores, StorePage
from services.web.gateways.catalog.desks import (
    Colleagues,
    Drafts,
    Employer,
    Invitation,
    Invitations,
    Merchant,
    Offer,
    Queue,
    Review,
    Template,
    Written,
)
from services.web.gateways.service import Asker, Service, View

RADIUS_M = 20_000


class Looking(View):
    """What somebody searches for. The position is GCJ-02, and both numbers or neither are given."""

    q: str = ""
    city: str = ""
    latitude: float | None = None
    longitude: float | None = None

    def params(self) -> dict[str, str | float | None]:
        return {
            "q": self.q or None,
            "city": self.city or None,
            "latitude": self.latitude,
            "longitude": self.longitude,
            "radius_m": RADIUS_M if self.latitude is not None else None,
        }


class Catalog(Service):
    async def feed(self, asker: Asker, *, city: str | None = None, cursor: str | None = None, limit: int = 8) -> Feed:
        return Feed.model_validate(await self.get(asker, "/feed", city=city, cursor=cursor, limit=limit))

    async def video(self, asker: Asker, video_id: UUID) -> Video:
        return Video.model_validate(await self.get(asker, f"/videos/{video_id}"))

    async def lives(self, asker: Asker, *, city: str | None = None, cursor: str | None = None) -> Lives:
        return Lives.model_validate(await self.get(asker, "/livestreams", city=city, cursor=cursor))

    async def live(self, asker: Asker, livestream_id: UUID) -> Livestream:
        return Livestream.model_validate(await self.get(asker, f"/livestreams/{livestream_id}"))

    async def deal(self, asker: Asker, deal_id: UUID) -> Deal:
        return Deal.model_validate(await self.get(asker, f"/deals/{deal_id}"))

    async def store(
        self, asker: Asker, store_id: UUID, part: str | None = None, cursor: str | None = None
    ) -> StorePage:
        """A store's page; a cursor continues one part of it, `vouchers` or `deals`."""
        return StorePage.model_validate(await self.get(asker, f"/stores/{store_id}", part=part, cursor=cursor))

    async def find_deals(self, asker: Asker, looking: Looking, cursor: str | None = None) -> FoundDeals:
        answer = await self.get(asker, "/search/deals", **looking.params(), cursor=cursor, limit=20)
        return FoundDeals.model_validate(answer)

    async def find_stores(self, asker: Asker, looking: Looking, cursor: str | None = None) -> FoundStores:
        answer = await self.get(asker, "/search/stores", **looking.params(), cursor=cursor, limit=20)
        return FoundStores.model_validate(answer)

    async def share(self, asker: Asker, share_id: UUID, deal_id: UUID, video_id: UUID | None = None) -> ShareLink:
        body: dict[str, Any] = {"deal_id": str(deal_id)}
        if video_id is not None:
            body["video_id"] = str(video_id)
        return ShareLink.model_validate(await self.put(asker, f"/shares/{share_id}", body))

    async def shared(self, asker: Asker, code: str) -> Share:
        return Share.model_validate(await self.get(asker, f"/shares/{code}"))


class Desks(Service):
    """The same service, for those who work for a merchant or for the platform."""

    async def employers(self, asker: Asker) -> list[Employer]:
        answer = await self.get(asker, "/me/merchants")
        return [Employer.model_validate(item) for item in answer["items"]]

    async def merchant(self, asker: Asker, merchant_id: UUID) -> Merchant:
        return Merchant.model_validate(await self.get(asker, f"/merchants/{merchant_id}"))

    async def open_group_buy(self, asker: Asker, merchant_id: UUID) -> None:
        await self.put(asker, f"/merchants/{merchant_id}/opening", {})

    async def colleagues(self, asker: Asker, merchant_id: UUID, cursor: str | None = None) -> Colleagues:
        return Colleagues.model_validate(await self.get(asker, f"/merchants/{merchant_id}/staff", cursor=cursor))

    async def invitations(self, asker: Asker, merchant_id: UUID, cursor: str | None = None) -> Invitations:
        answer = await self.get(asker, f"/merchants/{merchant_id}/invitations", cursor=cursor)
        return Invitations.model_validate(answer)

    async def invite(self, asker: Asker, merchant_id: UUID, invitation_id: UUID, body: dict[str, Any]) -> Invitation:
        answer = await self.put(asker, f"/merchants/{merchant_id}/invitations/{invitation_id}", body)
        return Invitation.model_validate(answer)

    async def revoke(self, asker: Asker, merchant_id: UUID, invitation_id: UUID) -> None:
        await self.put(asker, f"/merchants/{merchant_id}/invitations/{invitation_id}/revocation", {})

    async def offer(self, asker: Asker, token: str) -> Offer:
        return Offer.model_validate(await self.get(asker, f"/invitations/{token}"))

    async def accept(self, asker: Asker, token: str) -> None:
        await self.put(asker, f"/invitations/{token}/acceptance", {})

    async def drafts(self, asker: Asker, merchant_id: UUID, state: str | None, cursor: str | None = None) -> Drafts:
        answer = await self.get(asker, f"/merchants/{merchant_id}/deals", state=state, cursor=cursor)
        return Drafts.model_validate(answer)

    async def written(self, asker: Asker, deal_id: UUID) -> dict[str, Any]:
        """The draft in full, as catalog writes it."""
        draft: dict[str, Any] = await self.get(asker, f"/deals/{deal_id}/draft")
        return draft

    async def write(self, asker: Asker, deal_id: UUID, draft: dict[str, Any], seen: int) -> Written:
        """Save a draft on the revision that its writer saw; 0 is none, so that what is there by now is not lost."""
        return Written.model_validate(await self.put(asker, f"/deals/{deal_id}", draft, seen=seen))

    async def submit(self, asker: Asker, deal_id: UUID, seen: int) -> None:
        await self.put(asker, f"/deals/{deal_id}/submission", {}, seen=seen)

    async def register(self, asker: Asker, store_id: UUID, facts: dict[str, Any]) -> None:
        """Register a place and claim it."""
        await self.put(asker, f"/stores/{store_id}", facts)

    async def queue(self, asker: Asker, kind: str | None = None, cursor: str | None = None) -> Queue:
        """What waits of every kind, or of one, which a cursor continues."""
        return Queue.model_validate(await self.get(asker, "/operator/queue", kind=kind, cursor=cursor))

    async def templates(self, asker: Asker) -> list[Template]:
        answer = await self.get(asker, "/operator/review-templates")
        return [Template.model_validate(item) for item in answer["items"]]

    async def review(self, asker: Asker, deal_id: UUID) -> Review:
        return Review.model_validate(await self.get(asker, f"/deals/{deal_id}/review"))

    async def claims(self, asker: Asker, store_id: UUID) -> list[Claim]:
        answer = await self.get(asker, f"/stores/{store_id}/claims")
        return [Claim.model_validate(item) for item in answer["items"]]

    async def stores(self, asker: Asker, merchant_id: UUID, cursor: str | None = None) -> OwnStores:
        return OwnStores.model_validate(await self.get(asker, f"/merchants/{merchant_id}/stores", cursor=cursor))

    async def compete(self, asker: Asker, store_id: UUID, claim_id: UUID, merchant_id: UUID, evidence: str) -> None:
        body = {"merchant_id": str(merchant_id), "licence_evidence": evidence}
        await self.put(asker, f"/stores/{store_id}/claims/{claim_id}", body)

    async def appeal(self, asker: Asker, claim_id: UUID, text: str, evidence: str) -> None:
        await self.put(asker, f"/claims/{claim_id}/appeal", {"text": text, "evidence": evidence})

    async def release(self, asker: Asker, store_id: UUID, seen: int | None = None) -> None:
        """Give a store back, on the version that its owner saw."""
        await self.put(asker, f"/stores/{store_id}/release", {}, seen=seen)

    async def decide(self, asker: Asker, path: str, decision: dict[str, Any], seen: int | None = None) -> None:
        """Put an operator's decision at `path`, on the version that they saw."""
        await self.put(asker, path, decision, seen=seen)

    async def end_support(self, asker: Asker, merchant_id: UUID, seen: int | None = None) -> None:
        """End the support on the version that the operator saw."""
        await self.delete(asker, f"/merchants/{merchant_id}/support", seen=seen)
