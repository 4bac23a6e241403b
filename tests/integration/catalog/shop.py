"""Short ways to say what people do at catalog, through its HTTP interface."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx

from services.catalog.use_cases import DEALS_CHANGED
from shared.clock import business_day
from shared.database import Database
from shared.ids import new_id
from tests.support.waiting import eventually

OPERATOR = "operator-of-the-tests"
# What makes a draft one of a cash voucher, at the original price of `draft`.
CASH_VOUCHER: dict[str, Any] = {
    "form": "CASH_VOUCHER",
    "catering": None,
    "items": [],
    "cash": {"face_value_fen": 26800, "threshold_fen": 30000},
    "rules": {"valid_days": 90, "max_count": 3},
}


@dataclass(frozen=True, slots=True)
class Catalog:
    """The running service and its database."""

    client: httpx.AsyncClient
    db: Database

    async def put(self, subject: str, path: str, body: dict[str, Any], **headers: str) -> httpx.Response:
        return await self.client.put(path, json=body, headers={"Authorization": f"Bearer {subject}", **headers})

    async def get(self, subject: str | None, path: str, **headers: str) -> httpx.Response:
        who = {"Authorization": f"Bearer {subject}"} if subject else {}
        return await self.client.get(path, headers={**who, **headers})

    async def said(self, aggregate_id: UUID) -> list[tuple[str, dict[str, Any]]]:
        """Topic and body of every event about something, in the order in which they were said."""
        async with self.db.transaction(read_only=True) as tx:
            rows = await tx.fetch(
                """select topic, convert_from(payload, 'UTF8')::jsonb as body from history
                   where aggregate_id = $1 order by created_at, event_id""",
                str(aggregate_id),
            )
        return [(row["topic"], row["body"]) for row in rows]


def application(**changes: Any) -> dict[str, Any]:
    return {
        "name": "老码头火锅",
        "phone": "023-63001234",
        "account_kind": "ENTERPRISE_VERIFIED",
        "licence_kind": "ENTERPRISE",
        "licence_no": "91500103MA5U000000",
        "subject_name": "重庆老码头餐饮有限公司",
        "legal_person": "张三",
        "licence_expires_on": in_days(400),
        "licence_evidence": "licence-scan-0",
        **changes,
    }


def licence(**changes: Any) -> dict[str, Any]:
    """The licence of an application alone."""
    facts = application(**changes)
    return {name: value for name, value in facts.items() if name not in {"name", "phone", "account_kind"}}


def in_days(days: int) -> str:
    """A day in Shanghai, counted from today."""
    return (business_day(datetime.now(UTC)) + timedelta(days=days)).isoformat()


def payout_account(**changes: Any) -> dict[str, Any]:
    return {
        "kind": "ENTERPRISE",
        "account": "finance@laomatou.example",
        "holder_name": "重庆老码头餐饮有限公司",
        "real_name_verified": True,
        **changes,
    }


def store_claim(merchant_id: UUID, **changes: Any) -> dict[str, Any]:
    return {
        "merchant_id": str(merchant_id),
        "name": "解放碑店",
        "city": "重庆",
        "address": "渝中区民权路 1 号",
        "latitude": 29.5586,
        "longitude": 106.577,
        "phone": "023-63001235",
        "hours": [{"weekdays": [1, 2, 3, 4, 5, 6, 7], "opens": "10:00", "closes": "22:00"}],
        "licence_evidence": "licence-scan-1",
        **changes,
    }


def draft(merchant_id: UUID, store_ids: list[UUID], **changes: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "merchant_id": str(merchant_id),
        "form": "SET",
        "category": "CATERING",
        "title": "双人套餐",
        "cover": "hotpot",
        "description": "含锅底和六份菜",
        "items": [{"name": "鸳鸯锅底", "quantity": 1, "price_fen": 6800, "portion": "1 锅"}],
        "price_fen": 12800,
        "original_price_fen": 26800,
        "total_quota": 100,
        "per_buyer_limit": 10,
        "sale_from": (now - timedelta(hours=1)).isoformat(),
        "sale_until": (now + timedelta(days=30)).isoformat(),
        "rules": {"valid_days": 90, "blackout_dates": []},
        "store_ids": [str(store_id) for store_id in store_ids],
        "catering": {"party_min": 2, "party_max": 2},
        **changes,
    }


def video_of(merchant_id: UUID, **changes: Any) -> dict[str, Any]:
    return {
        "merchant_id": str(merchant_id),
        "platform_id": f"v{new_id().hex}",
        "author": "老码头火锅",
        "caption": "今晚吃什么",
        "cover": "hotpot",
        "city": "重庆",
        "likes": 32000,
        "comments": [{"author": "小李", "text": "好吃", "place": "重庆", "at": datetime.now(UTC).isoformat()}],
        **changes,
    }


def won_and_lost(
    bodies: Sequence[dict[str, Any]], answers: Sequence[httpx.Response]
) -> tuple[dict[str, Any], httpx.Response]:
    """Of requests that raced: what the only one that won had said, and what the only other was told."""
    (won,) = [body for body, answer in zip(bodies, answers, strict=True) if answer.status_code == 200]
    (lost,) = [answer for answer in answers if answer.status_code == 409]
    return won, lost


@dataclass(frozen=True, slots=True)
class Shop:
    """A verified merchant with a verified payout account, opened for group-buy, and one open store."""

    merchant_id: UUID
    owner: str
    store_id: UUID


async def applied_merchant(catalog: Catalog, **changes: Any) -> tuple[UUID, str]:
    merchant_id, owner = new_id(), f"owner-{new_id()}"
    answer = await catalog.put(owner, f"/merchants/{merchant_id}", application(**changes))
    assert answer.status_code == 201, answer.text
    return merchant_id, owner


async def verified_merchant(catalog: Catalog, **changes: Any) -> tuple[UUID, str]:
    merchant_id, owner = await applied_merchant(catalog, **changes)
    answer = await catalog.put(OPERATOR, f"/merchants/{merchant_id}/verification", {"approve": True})
    assert answer.status_code == 200, answer.text
    return merchant_id, owner


async def open_store(catalog: Catalog, merchant_id: UUID, owner: str) -> UUID:
    store_id = new_id()
    answer = await catalog.put(owner, f"/stores/{store_id}", store_claim(merchant_id))
    assert answer.status_code == 201, answer.text
    answer = await catalog.put(OPERATOR, f"/stores/{store_id}/verification", {"approve": True})
    assert answer.json()["open"] is True, answer.text
    await eventually(lambda: _nothing_left_to_say(catalog, store_id), what="the deals of the store are said anew")
    return store_id


async def _nothing_left_to_say(catalog: Catalog, store_id: UUID) -> bool:
    """Whether the opening of a store has run its course: a deal made for it later is not said once more."""
    async with catalog.db.transaction(read_only=True) as tx:
        return not await tx.value(
            "select exists (select from timers where kind = $1 and key = $2)", DEALS_CHANGED, str(store_id)
        )


async def settle_fee(catalog: Catalog, merchant_id: UUID) -> None:
    body = {"state": "PAID", "reference": "bank-1"}
    answer = await catalog.put(OPERATOR, f"/merchants/{merchant_id}/fees/VERIFICATION", body)
    assert answer.status_code == 200, answer.text


async def bind_account(catalog: Catalog, merchant_id: UUID, owner: str, **changes: Any) -> None:
    answer = await catalog.put(owner, f"/merchants/{merchant_id}/payout-account", payout_account(**changes))
    assert answer.status_code == 200, answer.text
    answer = await catalog.put(
        OPERATOR,
        f"/merchants/{merchant_id}/payout-account/verification",
        {"approve": True, "sub_merchant_id": "2088123400000001"},
    )
    assert answer.status_code == 200, answer.text


async def opened_merchant(catalog: Catalog, **changes: Any) -> tuple[UUID, str]:
    merchant_id, owner = await verified_merchant(catalog, **changes)
    await settle_fee(catalog, merchant_id)
    await bind_account(catalog, merchant_id, owner)
    answer = await catalog.put(owner, f"/merchants/{merchant_id}/opening", {})
    assert answer.json()["opened_at"] is not None, answer.text
    return merchant_id, owner


async def ready_shop(catalog: Catalog) -> Shop:
    merchant_id, owner = await opened_merchant(catalog)
    return Shop(merchant_id, owner, await open_store(catalog, merchant_id, owner))


async def put_staff(catalog: Catalog, shop: Shop, role: str, **changes: Any) -> tuple[UUID, str]:
    """A new person at the shop: the id of the place, and the person's subject."""
    staff_id, subject = new_id(), f"{role.lower()}-{new_id()}"
    body = {"subject": subject, "role": role, **changes}
    answer = await catalog.put(shop.owner, f"/merchants/{shop.merchant_id}/staff/{staff_id}", body)
    assert answer.status_code == 200, answer.text
    return staff_id, subject


async def step_of(catalog: Catalog, merchant_id: UUID, owner: str, step: str) -> dict[str, str]:
    """One step of a merchant's checklist."""
    steps: list[dict[str, str]] = (await catalog.get(owner, f"/merchants/{merchant_id}")).json()["checklist"]
    (found,) = [one for one in steps if one["step"] == step]
    return found


async def deal_in_review(catalog: Catalog, shop: Shop, **changes: Any) -> UUID:
    deal_id = new_id()
    answer = await catalog.put(shop.owner, f"/deals/{deal_id}", draft(shop.merchant_id, [shop.store_id], **changes))
    assert answer.status_code == 201, answer.text
    answer = await catalog.put(shop.owner, f"/deals/{deal_id}/submission", {})
    assert answer.json()["state"] == "IN_REVIEW", answer.text
    return deal_id


async def deal_on_sale(catalog: Catalog, shop: Shop, **changes: Any) -> UUID:
    deal_id = await deal_in_review(catalog, shop, **changes)
    answer = await catalog.put(OPERATOR, f"/deals/{deal_id}/review", {"approve": True})
    assert answer.json()["state"] == "APPROVED", answer.text
    answer = await catalog.put(shop.owner, f"/deals/{deal_id}/online", {"online": True})
    assert answer.json()["state"] == "ONLINE", answer.text
    return deal_id


async def edit_in_review(catalog: Catalog, shop: Shop, deal_id: UUID, **changes: Any) -> None:
    """An edit of a deal waits for review."""
    answer = await catalog.put(shop.owner, f"/deals/{deal_id}", draft(shop.merchant_id, [shop.store_id], **changes))
    assert answer.status_code == 201, answer.text
    answer = await catalog.put(shop.owner, f"/deals/{deal_id}/submission", {})
    assert answer.json()["state"] == "IN_REVIEW", answer.text


async def video_with(catalog: Catalog, shop: Shop, deal_id: UUID | None, **changes: Any) -> UUID:
    video_id = new_id()
    answer = await catalog.put(shop.owner, f"/videos/{video_id}", video_of(shop.merchant_id, **changes))
    assert answer.status_code == 201, answer.text
    if deal_id:
        answer = await catalog.put(shop.owner, f"/videos/{video_id}/deal", {"deal_id": str(deal_id)})
        assert answer.status_code == 200, answer.text
    return video_id


async def waits_for_a_lock(catalog: Catalog, request: "asyncio.Task[Any]") -> None:
    """Until a request stands before a row that this test holds; one that is done will not wait any more."""

    async def waits() -> bool:
        async with catalog.db.transaction(read_only=True) as tx:
            return request.done() or await tx.value(
                """select exists (select from pg_stat_activity
                   where wait_event_type = 'Lock' and usename = current_user and datname = current_database())"""
            )

    await eventually(waits, what="the request waits for a lock")
