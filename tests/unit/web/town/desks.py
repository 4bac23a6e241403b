"""What merchants and operators of the town have on their desks."""

from typing import Any

from tests.unit.web.town.things import HOTPOT, HOTPOT_MERCHANT, STORE, at, known_id

CLAIM, RIVAL_CLAIM = known_id("claim"), known_id("rival claim")
RIVAL = known_id("rival merchant")
STEPS = (
    "ACCOUNT_KIND",
    "ENTERPRISE_VERIFICATION",
    "VERIFICATION_FEE",
    "PAYOUT_ACCOUNT",
    "OPENING",
    "STORE",
    "FIRST_DEAL",
)
PLACE: dict[str, Any] = {
    "name": "老码头火锅（海口国贸店）",
    "city": "海口",
    "address": "美兰区国贸路 56 号",
    "latitude": 20.031,
    "longitude": 110.331,
    "phone": "+8689866000001",
    "hours": [{"weekdays": [1, 2, 3, 4, 5, 6, 7], "opens": "10:30", "closes": "02:00"}],
    "open": True,
}
_LICENCE = {
    "licence_kind": "ENTERPRISE",
    "licence_no": "91460000MA5T",
    "subject_name": "海口老码头餐饮有限公司",
    "legal_person": "陈海",
    "licence_expires_on": "2031-06-30",
    "licence_evidence": "licence-hotpot.jpg",
}


def merchant() -> dict[str, Any]:
    states = ("DONE", "DONE", "OPEN", "REFUSED", "OPEN", "DONE", "OPEN")
    reasons = {
        "VERIFICATION_FEE": ("等待缴纳认证审核费 600 元", "The verification fee of 600 yuan is not paid yet"),
        "PAYOUT_ACCOUNT": ("支付宝主体与认证主体不一致", "The account belongs to another subject"),
        "OPENING": ("请先完成以上步骤", "The steps before come first"),
    }
    checklist = [
        {
            "step": step,
            "state": state,
            "reason_zh": reasons.get(step, ("", ""))[0],
            "reason_en": reasons.get(step, ("", ""))[1],
        }
        for step, state in zip(STEPS, states, strict=True)
    ]
    return {
        "merchant_id": HOTPOT_MERCHANT,
        "version": 3,
        "name": "老码头火锅",
        "phone": "+8689866000000",
        "account_kind": "ENTERPRISE_VERIFIED",
        "state": "VERIFIED",
        "licence": _LICENCE,
        "opened_at": None,
        "suspension_reason": None,
        "fees": [{"kind": "VERIFICATION", "amount_fen": 60000, "state": "DUE", "reference": None}],
        "support": None,
        "payout_account": None,
        "checklist": checklist,
    }


def invitation() -> dict[str, Any]:
    return {
        "invitation_id": known_id("invitation"),
        "merchant_id": HOTPOT_MERCHANT,
        "role": "CLERK",
        "store_ids": [STORE],
        "note": "新来的小王",
        "state": "OPEN",
        "invited_by": "merchant-hotpot",
        "invited_at": at(hours=2),
        "expires_at": at(days=-7),
        "accepted_by": None,
    }


def colleagues() -> list[dict[str, Any]]:
    told: tuple[tuple[str, str, list[str]], ...] = (
        ("merchant-hotpot", "OWNER", []),
        ("manager-hotpot", "MANAGER", []),
        ("clerk-hotpot", "CLERK", [STORE]),
    )
    return [
        {
            "staff_id": known_id(subject),
            "merchant_id": HOTPOT_MERCHANT,
            "subject": subject,
            "role": role,
            "store_ids": stores,
            "active": subject != "manager-hotpot",
        }
        for subject, role, stores in told
    ]


def claim(claim_id: str, merchant_id: str, name: str, **changes: Any) -> dict[str, Any]:
    return {
        "claim_id": claim_id,
        "store_id": STORE,
        "merchant_id": merchant_id,
        "merchant_name": name,
        "version": 1,
        "licence_evidence": f"lease-{name}.jpg",
        "state": "CLAIMED",
        "reason": None,
        "appeal": None,
        "claimed_at": at(hours=5),
        **changes,
    }


def claims() -> list[dict[str, Any]]:
    """Two who ask for the same store: one for the first time, one again after a refusal."""
    appeal = {"text": "租约自 2024 年起在我方名下，见附件。", "evidence": "lease-2024.pdf"}
    return [
        claim(CLAIM, HOTPOT_MERCHANT, "老码头火锅"),
        claim(RIVAL_CLAIM, RIVAL, "新码头火锅", version=4, state="APPEALED", reason="租约不清楚", appeal=appeal),
    ]


def own_store(**changes: Any) -> dict[str, Any]:
    """The merchant's store, with the merchant's own claim to it."""
    return {
        **PLACE,
        "store_id": STORE,
        "merchant_id": HOTPOT_MERCHANT,
        "version": 7,
        "closed_reason": None,
        "claim_id": CLAIM,
        "claim_version": 2,
        "state": "APPROVED",
        "reason": None,
        **changes,
    }


def work_queue(deals: dict[str, dict[str, Any]]) -> dict[str, Any]:
    first, second = claims()
    application = {"merchant_id": HOTPOT_MERCHANT, "version": 3, "state": "APPLIED", "name": "老码头火锅", **_LICENCE}
    fee = {"merchant_id": HOTPOT_MERCHANT, "name": "老码头火锅", "kind": "VERIFICATION", "amount_fen": 60000}
    deal = {"deal_id": HOTPOT, "revision": 2, "form": "SET", "deal_version": 1, "state": "IN_REVIEW"}
    return {
        "merchants": [application],
        "fees": [{**fee, "state": "DUE", "reference": None}],
        "payout_accounts": [],
        "stores": [{**PLACE, **first, "competing": [second]}, {**PLACE, **second, "competing": [first]}],
        "deals": [{**{name: deals[HOTPOT][name] for name in ("title", "price_fen")}, **deal}],
    }


def review_sheet() -> dict[str, Any]:
    current: dict[str, Any] = {
        "form": "SET",
        "category": "CATERING",
        "title": "老码头双人毛肚火锅套餐",
        "description": "鸳鸯锅底，现切毛肚七上八下，两个人吃到撑。",
        "items": [{"name": "鸳鸯锅底", "quantity": 1, "price_fen": 5800, "portion": "1 份"}],
        "price_fen": 12800,
        "original_price_fen": 26800,
        "sale_from": "2026-11-01T00:00:00+08:00",
        "sale_until": "2027-01-01T00:00:00+08:00",
        "rules": {"valid_days": 90, "blackout_dates": [], "usable_hours": [], "max_count": None},
        "booking": {"needed": False, "hours_ahead": 0, "hint": ""},
        "refund_policy": "ANY_TIME",
        "cash": None,
    }
    hours = [{"weekdays": [1, 2, 3, 4, 5], "opens": "11:00", "closes": "21:00"}]
    proposed = {
        **current,
        "price_fen": 13800,
        "items": [*current["items"], {"name": "鲜毛肚", "quantity": 2, "price_fen": 6800, "portion": "200 g"}],
        "rules": {**current["rules"], "usable_hours": hours},
    }
    return {
        "deal_id": HOTPOT,
        "merchant_id": HOTPOT_MERCHANT,
        "revision": 2,
        "state": "IN_REVIEW",
        "deal_version": 1,
        "current": current,
        "proposed": proposed,
        "changed": ["items", "price_fen", "rules"],
    }


def draft(deal: dict[str, Any], state: str) -> dict[str, Any]:
    names = ("deal_id", "title", "cover", "form", "kind", "category", "price_fen", "original_price_fen", "sale_from",
             "sale_until", "total_quota", "available", "sold")  # fmt: skip
    known = {name: deal[name] for name in names} | dict.fromkeys(("reason_zh", "reason_en"))
    if state == "REJECTED":
        known |= {
            "reason_zh": "使用规则不清楚：请写明节假日",
            "reason_en": "The rules of use are unclear: 请写明节假日",
        }
    return {**known, "merchant_id": HOTPOT_MERCHANT, "state": state, "revision": 2, "deal_version": 1, "online": True}


def written(deal: dict[str, Any]) -> dict[str, Any]:
    """The draft of a deal of the town, as catalog tells it to those who may edit it."""
    left_out = {"merchant", "stores", "available", "sold", "state", "usable_now"}
    known = {name: value for name, value in deal.items() if name not in left_out}
    stores = [one["store_id"] for one in deal["stores"]]
    return {**known, "merchant_id": HOTPOT_MERCHANT, "store_ids": stores, "state": "ONLINE", "revision": 2}
