"""Short ways to say what claimants and operators do with stores."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

from shared.ids import derived_id, new_id
from tests.integration.catalog.shop import OPERATOR, Catalog, ready_shop, store_claim, verified_merchant
from tests.support.waiting import eventually

APPEAL = {"text": "营业执照上的地址就是这里", "evidence": "licence-scan-3"}
REJECT = {"approve": False, "reason": "证据不足"}
CLOSED = {"closed": True, "reason": "卫生检查不合格"}
OPENED = {"closed": False}


@dataclass(frozen=True, slots=True)
class Claimant:
    """A merchant with a claim to a store."""

    merchant_id: UUID
    owner: str
    claim_id: UUID


async def registered_store(catalog: Catalog, **changes: Any) -> tuple[UUID, Claimant]:
    """A place that one merchant registered, and waits for."""
    merchant_id, owner = await verified_merchant(catalog)
    store_id = new_id()
    answer = await catalog.put(owner, f"/stores/{store_id}", store_claim(merchant_id, **changes))
    assert answer.status_code == 201, answer.text
    return store_id, Claimant(merchant_id, owner, derived_id(store_id, str(merchant_id)))


async def competitor(catalog: Catalog, store_id: UUID) -> Claimant:
    """Another merchant that claims the same store."""
    merchant_id, owner = await verified_merchant(catalog)
    claimant = Claimant(merchant_id, owner, new_id())
    answer = await compete(catalog, store_id, claimant)
    assert (answer.status_code, answer.json()["state"]) == (201, "CLAIMED"), answer.text
    return claimant


async def compete(catalog: Catalog, store_id: UUID, claimant: Claimant, evidence: str = "scan-9") -> httpx.Response:
    body = {"merchant_id": str(claimant.merchant_id), "licence_evidence": evidence}
    return await catalog.put(claimant.owner, f"/stores/{store_id}/claims/{claimant.claim_id}", body)


async def decide(catalog: Catalog, claimant: Claimant, body: dict[str, Any], **headers: str) -> httpx.Response:
    return await catalog.put(OPERATOR, f"/claims/{claimant.claim_id}/decision", body, **headers)


async def approve(catalog: Catalog, claimant: Claimant, **headers: str) -> httpx.Response:
    return await decide(catalog, claimant, {"approve": True}, **headers)


async def claims(catalog: Catalog, subject: str, store_id: UUID) -> dict[str, dict[str, Any]]:
    """The claims to a store that somebody sees, by their ids."""
    answer = await catalog.get(subject, f"/stores/{store_id}/claims")
    assert answer.status_code == 200, answer.text
    return {one["claim_id"]: one for one in answer.json()["items"]}


async def held_store(catalog: Catalog) -> tuple[UUID, Claimant]:
    """A store that a merchant who may sell holds."""
    shop = await ready_shop(catalog)
    claimant = Claimant(shop.merchant_id, shop.owner, derived_id(shop.store_id, str(shop.merchant_id)))
    return shop.store_id, claimant


async def close_store(catalog: Catalog, store_id: UUID, body: dict[str, Any] = CLOSED) -> httpx.Response:
    return await catalog.put(OPERATOR, f"/stores/{store_id}/closing", body)


async def said(catalog: Catalog, store_id: UUID) -> list[tuple[Any, ...]]:
    """What was said about a store: (closure or none, open, merchant, version)."""
    return [
        (body.get("closure"), body.get("open"), body["merchant_id"], body["version"])
        for _, body in await catalog.said(store_id)
    ]


async def eventually_said(catalog: Catalog, deal_id: UUID, **expected: Any) -> dict[str, Any]:
    """The newest state of a deal, once it is what was expected."""

    async def newest() -> dict[str, Any] | None:
        changes = [body for topic, body in await catalog.said(deal_id) if topic == "catalog.deal_changed.v1"]
        last = max(changes, key=lambda body: int(body["version"]))
        return last if expected.items() <= last.items() else None

    return await eventually(newest, within_s=30)
