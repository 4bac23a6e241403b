"""A parcel with an errand runner as its merchant sees it, and why that one carries it."""

from typing import Any

from tests.unit.web.town.bought import parcel
from tests.unit.web.town.things import at, known_id

FIRST_TRY, SECOND_TRY = known_id("first try"), known_id("second try")


def tried() -> list[dict[str, Any]]:
    """One order that a rider gave up, and one that waits for a rider."""
    first = {
        "attempt_id": FIRST_TRY, "number": 1, "provider": "ishansong", "state": "CANCELLED", "fee_fen": 1_600,
        "quote_fee_fen": 1_600, "tip_fen": 0, "cancel_fee_fen": None, "cancel_terms_fen": None, "fee_state": "PENDING",
        "cancelled_by": "RIDER", "cancel_words": "车坏了", "penalty_borne_by": "PLATFORM",
    }  # fmt: skip
    second = {
        "attempt_id": SECOND_TRY, "number": 2, "provider": "dada", "state": "SEARCHING", "fee_fen": 1_250,
        "quote_fee_fen": 1_250, "tip_fen": 0, "cancel_fee_fen": None, "fee_state": "ESTIMATED",
    }  # fmt: skip
    return [first, second]


def delivery() -> dict[str, Any]:
    """A parcel for which 达达 looks for a rider."""
    return parcel(
        state="ACCEPTED",
        mode="INSTANT",
        dispatch_state="ACTIVE",
        carrier="dada",
        rider=None,
        receive_code=None,
        units=1,
        receiver={"name": "王**", "phone": "138****8000", "address": "海南省海口市龙华区***"},
        hand_over_by=at(hours=-3),
        attempts=tried(),
        actions=["TIP", "SWITCH", "REFUSE"],
        timeline=[
            {"at": at(minutes=50), "what": "accepted", "text_zh": "商家已接单", "text_en": "Accepted"},
            {"at": at(minutes=48), "what": "carrier_called", "text_zh": "正在呼叫配送", "text_en": "Calling a carrier"},
        ],
    )


def decision() -> dict[str, Any]:
    return {
        "at": at(minutes=48), "attempt_id": SECOND_TRY, "policy": "score", "chosen": "dada",
        "why": "lowest_expected_cost",
        "candidates": [
            {"provider": "dada", "account": "platform", "rank": 1, "refused": [], "tries": 0, "quoted": True,
             "eta_s": 2_400, "fee_fen": 1_250, "late_fen": 0, "risk_fen": 80, "total_fen": 1_330},
            {"provider": "ishansong", "account": "platform", "rank": 2, "refused": [], "tries": 1, "quoted": True,
             "eta_s": 1_900, "fee_fen": 1_600, "late_fen": 0, "risk_fen": 80, "total_fen": 1_680},
            {"provider": "self", "account": "merchant", "rank": None, "refused": ["other_mode"], "tries": 0},
            {"provider": "kuaidi100", "account": "platform", "rank": None,
             "refused": ["other_mode", "promise_out_of_reach"], "tries": 0},
        ],
    }  # fmt: skip


def open_fee(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "attempt_id": known_id(name),
        "parcel_id": known_id("parcel"),
        "provider": "ishansong",
        "account": "platform",
        "provider_id": "TDH2026112200371",
        "given_up_at": at(hours=5),
        "terms_fen": None,
        "penalty_borne_by": "PLATFORM",
        **changes,
    }
