"""Opens shops as merchants and operators do: application, verification, fee, account, opening, store, deal, video."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from services.console.environment import FIRST_OPERATOR
from services.console.people import Refused, World
from services.console.plans import Plan, fruit, hotel, hotpot
from shared.ids import new_id

__all__ = [
    "Plan",
    "Shop",
    "draft",
    "fruit",
    "hotel",
    "hotpot",
    "ids_of",
    "open_shop",
    "open_store",
    "put_on_sale",
    "seed_id",
]

_SEEDS = UUID("5b9f7a52-7d6c-4f0e-9a53-6c1a5f2f0c11")


@dataclass(frozen=True, slots=True)
class Shop:
    """One merchant with one store, one deal and one video."""

    merchant_id: UUID
    store_id: UUID
    deal_id: UUID
    video_id: UUID
    owner: str
    clerk: str
    name: str
    title: str


def seed_id(seed: str, part: str) -> UUID:
    """The id of a part of what a seed makes: always the same."""
    return uuid5(_SEEDS, f"{seed}:{part}")


def ids_of(seed: str | None) -> tuple[UUID, UUID, UUID, UUID, UUID]:
    """Ids of a shop: always the same for a seed's name, new without one."""
    parts = ("merchant", "store", "deal", "video", "staff")
    made = [new_id() if seed is None else seed_id(seed, part) for part in parts]
    return made[0], made[1], made[2], made[3], made[4]


async def open_shop(
    world: World, plan: Plan, seed: str | None = None, *, merchant_id: UUID | None = None, rail: str = "ZHIFUTONG"
) -> Shop:
    """Open a shop and put its deal on sale; a seeded shop that is there already stays as it is."""
    made_id, store_id, deal_id, video_id, staff_id = ids_of(seed)
    merchant_id = merchant_id or made_id
    shop = Shop(merchant_id, store_id, deal_id, video_id, plan.owner, plan.clerk, plan.name, plan.deal["title"])
    if seed is not None and await _is_on_sale(world, deal_id):
        return shop
    owner, operator = world.person(plan.owner), world.person(FIRST_OPERATOR)
    await owner.put("catalog", f"/merchants/{merchant_id}", _application(plan))
    await operator.put("catalog", f"/merchants/{merchant_id}/verification", {"approve": True})
    paid = {"state": "PAID", "reference": f"verification fee of {plan.smid}"}
    await operator.put("catalog", f"/merchants/{merchant_id}/fees/VERIFICATION", paid)
    account = {"kind": "ENTERPRISE", "account": f"{plan.smid}@example.com", "holder_name": plan.subject_name}
    await owner.put("catalog", f"/merchants/{merchant_id}/payout-account", {**account, "real_name_verified": True})
    await operator.put(
        "catalog",
        f"/merchants/{merchant_id}/payout-account/verification",
        {"approve": True, "sub_merchant_id": plan.smid if rail == "ZHIFUTONG" else None, "rail": rail},
    )
    await owner.put("catalog", f"/merchants/{merchant_id}/opening")
    await open_store(world, shop, plan.store)
    await owner.put(
        "catalog",
        f"/merchants/{merchant_id}/staff/{staff_id}",
        {"subject": plan.clerk, "role": plan.clerk_role, "store_ids": [str(store_id)], "active": True},
    )
    await put_on_sale(world, shop, plan.deal)
    try:
        await owner.put("catalog", f"/videos/{video_id}", {"merchant_id": str(merchant_id), **plan.video})
    except Refused as error:
        # An earlier, interrupted seeding registered it: only the ages of its comments differ.
        if error.code != "id_taken":
            raise
    await owner.put("catalog", f"/videos/{video_id}/deal", {"deal_id": str(deal_id)})
    return shop


async def open_store(world: World, shop: Shop, facts: dict[str, Any]) -> None:
    """The owner claims the shop's store with its licence, and an operator awards it."""
    place = {"merchant_id": str(shop.merchant_id), **facts}
    await world.person(shop.owner).put("catalog", f"/stores/{shop.store_id}", place)
    await world.person(FIRST_OPERATOR).put("catalog", f"/stores/{shop.store_id}/verification", {"approve": True})


async def put_on_sale(world: World, shop: Shop, deal: dict[str, Any]) -> None:
    """The owner writes the shop's deal, an operator approves it, and the sale begins; one on sale stays as it is."""
    if await _is_on_sale(world, shop.deal_id):
        return
    owner, path = world.person(shop.owner), f"/deals/{shop.deal_id}"
    await owner.put("catalog", path, draft(shop, deal))
    await owner.put("catalog", f"{path}/submission")
    await world.person(FIRST_OPERATOR).put("catalog", f"{path}/review", {"approve": True})
    await owner.put("catalog", f"{path}/online", {"online": True})


async def _is_on_sale(world: World, deal_id: UUID) -> bool:
    try:
        deal = await world.send("GET", "catalog", f"/deals/{deal_id}")
    except Refused as error:
        if error.status == 404:
            return False
        raise
    return bool(deal["state"] == "ON_SALE")


def _application(plan: Plan) -> dict[str, Any]:
    return {
        "name": plan.name,
        "phone": plan.store["phone"],
        "account_kind": "ENTERPRISE_VERIFIED",
        "licence_kind": "ENTERPRISE",
        "licence_no": f"91460100MA5T{plan.smid[-6:]}",
        "subject_name": plan.subject_name,
        "legal_person": "王海",
        "licence_expires_on": "2036-12-31",
        "licence_evidence": "licence.jpg",
    }


def draft(shop: Shop, deal: dict[str, Any]) -> dict[str, Any]:
    """What the owner sends for a deal of this shop."""
    # Fixed moments: a seeding that was interrupted says exactly the same when it is run again.
    return {
        "merchant_id": str(shop.merchant_id),
        "store_ids": [str(shop.store_id)],
        "sale_from": "2026-01-01T00:00:00Z",
        "sale_until": "2035-12-31T16:00:00Z",
        "rules": {"valid_days": 90, "blackout_dates": []},
        "delivery": None,
        **deal,
    }
