"""The town's books: what needs a look, bills day by day, what is unredeemed, who owes."""

from typing import Any

from fastapi import FastAPI, Request

from tests.unit.web.town.state import Refusal, Town
from tests.unit.web.town.things import HOTPOT_MERCHANT, STORE, at, known_id

OTHER_STORE = known_id("other store")


def incident(name: str, kind: str, **facts: Any) -> dict[str, Any]:
    """Something that an operator has to look at."""
    return {
        "incident_id": known_id(f"incident {name}"),
        "kind": kind,
        "subject": f"REFUND/{name}",
        "day": "2026-11-21",
        "detail": "in the bill, unknown here",
        "amount_fen": 5_000,
        "opened_at": at(hours=3),
        "owner": None,
        "resolution": None,
        "resolved_by": None,
        "resolved_at": None,
        **facts,
    }


def add_books(app: FastAPI, town: Town) -> None:
    """Settlement's answers to operators, and the stores of a day to merchants."""
    incidents = {
        one["incident_id"]: one
        for one in (
            incident("HZ01RFfirst", "MISSING_HERE"),
            incident("payout", "PAYOUT_REFUSED", day=None, owner="operator-two", amount_fen=6_400,
                     subject=known_id("instruction"), detail="ACQ.TRADE_STATUS_ERROR 交易状态不合法"),
            incident("done", "AMOUNT_DIFFERS", owner="operator-one", resolution="手续费已更正",
                     resolved_by="operator-one", resolved_at=at(hours=1)),
        )
    }  # fmt: skip
    town.incidents = incidents

    @app.get("/admin/incidents")
    async def list_incidents(resolved: bool = False, day: str | None = None) -> Any:
        items = [
            one
            for one in incidents.values()
            if (one["resolution"] is not None) == resolved and day in {None, one["day"]}
        ]
        return {"items": items, "next_cursor": None}

    @app.put("/admin/incidents/{incident_id}/owner")
    async def take(incident_id: str) -> Any:
        incidents[incident_id]["owner"] = "operator-one"
        return incidents[incident_id]

    @app.put("/admin/incidents/{incident_id}/resolution")
    async def resolve(incident_id: str, request: Request) -> Any:
        resolution = (await request.json())["resolution"]
        incidents[incident_id] |= {
            "resolution": resolution, "resolved_by": "operator-one", "resolved_at": at(), "owner": "operator-one",
        }  # fmt: skip
        return incidents[incident_id]

    _add_bills(app, town)
    _add_liabilities(app)


def _add_bills(app: FastAPI, town: Town) -> None:
    town.bills = {
        "2026-11-21": {
            "day": "2026-11-21", "downloaded_at": at(hours=4), "lines": 318, "matched": 316,
            "compared_at": at(hours=3), "open_differences": 1, "unfiled": 0,
        }
    }  # fmt: skip

    @app.get("/admin/bills")
    async def days(after: str) -> Any:
        status = {"2026-11-19": "MISSING", "2026-11-20": "DUE", "2026-11-21": "HERE", "2026-11-22": "NOT_DUE"}
        # Fixed days, whatever day it is when the tests run: what is asked for is told apart by the pages.
        assert after
        items = [
            {"day": day, "status": "HERE" if day in town.bills else said, "due_at": at(hours=-20)}
            for day, said in status.items()
        ]
        return {"items": items, "next_after": None}

    @app.get("/admin/bills/{day}")
    async def bill(day: str) -> Any:
        if day not in town.bills:
            raise Refusal(404, "bill_unknown", "该日账单尚未下载")
        return town.bills[day]

    @app.put("/admin/bills/{day}")
    async def fetch(day: str) -> Any:
        town.bills[day] = {"day": day, "downloaded_at": at(), "lines": 12, "matched": None, "compared_at": None,
                           "open_differences": 0, "unfiled": 0}  # fmt: skip
        return town.bills[day]


def _add_liabilities(app: FastAPI) -> None:
    shop = {"merchant_id": HOTPOT_MERCHANT, "name": "老码头火锅"}

    @app.get("/admin/liabilities")
    async def unredeemed() -> Any:
        other = {"merchant_id": known_id("hotel merchant"), "name": None, "units": 1, "uses": 3, "paid_fen": 9_000}
        items = [
            {**shop, "units": 86, "uses": 92, "paid_fen": 1_100_800, "since": at(days=40)},
            {**other, "since": at(days=2)},
        ]
        return {"items": items, "next_cursor": None}

    @app.get("/admin/dunning")
    async def dunning() -> Any:
        own = {"merchant_id": known_id("own shop"), "name": "平台自营水果店", "rail": "TRANSFER", "uses": 2}
        items = [
            {**shop, "state": "VERIFIED", "rail": "ZHIFUTONG", "uses": 1, "owed_fen": 12_800, "since": at(days=3),
             "taken_by_channel": True},
            {**own, "state": "VERIFIED", "owed_fen": 3_960, "since": at(days=1), "taken_by_channel": False},
        ]  # fmt: skip
        return {"items": items, "next_cursor": None}

    @app.get("/merchants/{merchant_id}/statement/stores")
    async def by_store(day: str) -> Any:
        stores = [
            {"store_id": STORE, "uses": 3, "gross_fen": 38_400, "fee_fen": 231, "net_fen": 38_169},
            {"store_id": OTHER_STORE, "uses": 1, "gross_fen": 12_800, "fee_fen": 77, "net_fen": 12_723},
        ]
        return {"day": day, "items": stores}
