"""The town's carriers: the parcel, why that carrier, what leaving it costs, and the photo at the door."""

from typing import Any

from fastapi import FastAPI, Response

from tests.unit.web.town.carried import decision
from tests.unit.web.town.catalog import missing
from tests.unit.web.town.state import Town
from tests.unit.web.town.things import GOODS_ORDER, PARCEL

# The smallest picture that a browser draws.
PHOTO = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001a5f645"
    "400000000049454e44ae426082"
)


def add_deliveries(app: FastAPI, town: Town) -> None:
    @app.get("/orders/{order_id}/parcel")
    async def one_parcel(order_id: str) -> Any:
        if order_id != GOODS_ORDER:
            raise missing()
        return town.delivery

    @app.get("/orders/{order_id}/tracking")
    async def tracking(order_id: str) -> Any:
        if order_id != GOODS_ORDER:
            raise missing()
        return town.parcel

    @app.get("/parcels/{parcel_id}/delivery-photo")
    async def photo(parcel_id: str) -> Any:
        return Response(PHOTO, media_type=town.photo_type) if parcel_id == PARCEL else missing().answer

    @app.get("/parcels/{parcel_id}/decisions")
    async def decisions(parcel_id: str) -> Any:
        return {"items": [decision()]}

    @app.get("/parcels/{parcel_id}/cancel-terms")
    async def cancel_terms(parcel_id: str) -> Any:
        return town.cancel_terms

    @app.put("/parcels/{parcel_id}/attempts/{attempt_id}/{act}")
    async def act_on_attempt(parcel_id: str, attempt_id: str, act: str) -> Any:
        return town.delivery


def add_carrier_desk(app: FastAPI, town: Town) -> None:
    @app.get("/admin/carrier-accounts")
    async def left_out() -> Any:
        return {"items": town.carrier_alerts}

    @app.delete("/admin/carrier-accounts/{provider}/{account}", status_code=204)
    async def lift(provider: str, account: str) -> None:
        town.carrier_alerts = [one for one in town.carrier_alerts if one["provider"] != provider]

    @app.get("/admin/cancel-fees")
    async def open_fees(cursor: str | None = None) -> Any:
        return {"items": [] if cursor else town.open_fees, "next_cursor": None if cursor else "c2"}

    @app.put("/admin/attempts/{attempt_id}/cancel-fee", status_code=204)
    async def settle_fee(attempt_id: str) -> None:
        town.open_fees = [one for one in town.open_fees if one["attempt_id"] != attempt_id]

    @app.get("/board/alerts")
    async def alerts(merchant_id: str) -> Any:
        return {"items": town.carrier_alerts}
