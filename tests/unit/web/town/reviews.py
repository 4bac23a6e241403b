"""Refunds after use in the town: one of the hotpot's, in whatever state a test puts it."""

from typing import Any

from fastapi import FastAPI

from tests.unit.web.town.state import Town
from tests.unit.web.town.things import HOTPOT_MERCHANT, UNIT, VOUCHER_ORDER, at, known_id

REFUND = known_id("refund after use")


def refund(state: str, **said: Any) -> dict[str, Any]:
    """A refund after use; `said` is what its review holds beyond the deadline."""
    review = {
        "opened_at": at(hours=1),
        "due_at": at(hours=-23),
        "agreed": None,
        "answer_reason": None,
        "answered_at": None,
        "appeal_until": None,
        "appeal_text": None,
        "appealed_at": None,
        "upheld": None,
        "arbitration_reason": None,
        "arbitrated_at": None,
        **said,
    }
    deadline = {"IN_REVIEW": review["due_at"], "CONTESTED": review["appeal_until"]}.get(state)
    return {
        "refund_id": REFUND,
        "order_id": VOUCHER_ORDER,
        "state": state,
        "cause": "AFTER_USE",
        "unit_ids": [UNIT],
        "amount_fen": 12800,
        "refused_code": None,
        "requested_at": at(hours=1),
        "succeeded_at": None,
        "expected_by": "2026-11-25",
        "reason": "毛肚不新鲜",
        "deadline": deadline,
        "review": review,
    }


def refused(**said: Any) -> dict[str, Any]:
    """What a merchant who has refused said."""
    return {"agreed": False, "answer_reason": "已全部上齐", "appeal_until": at(hours=-48), **said}


def add_reviews(app: FastAPI, town: Town) -> None:
    def listed() -> dict[str, Any]:
        items = [
            {
                "refund": one,
                "order_no": "20261122091800371",
                "title": "老码头双人毛肚火锅套餐",
                "merchant_id": HOTPOT_MERCHANT,
                "merchant_name": "老码头火锅",
                "buyer": "b***an",
            }
            for one in town.orders[VOUCHER_ORDER]["refunds"]
        ]
        return {"items": items, "next_cursor": None}

    @app.get("/merchants/{merchant_id}/reviews")
    async def reviews(merchant_id: str, state: str | None = None) -> Any:
        found = listed()
        found["items"] = [one for one in found["items"] if state in {None, one["refund"]["state"]}]
        return found

    @app.get("/operator/arbitrations")
    async def arbitrations() -> Any:
        return listed()

    @app.put("/refunds/{refund_id}/{word}")
    async def say(refund_id: str, word: str) -> Any:
        return town.orders[VOUCHER_ORDER]["refunds"][0]
