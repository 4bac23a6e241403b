"""The town's catalog: what everybody may ask of it."""

from typing import Any

from fastapi import FastAPI, Request

from tests.unit.web.town.state import Refusal, Town
from tests.unit.web.town.things import SHARE_CODE, card_of


def missing() -> Refusal:
    return Refusal(404, "not_found", "未找到")


def page_of(items: list[Any], cursor: str | None, limit: int) -> dict[str, Any]:
    start = int(cursor or 0)
    more = start + limit < len(items)
    return {"items": items[start : start + limit], "next_cursor": str(start + limit) if more else None}


def add_catalog(app: FastAPI, town: Town) -> None:
    @app.get("/feed")
    async def feed(city: str | None = None, cursor: str | None = None, limit: int = 8) -> Any:
        videos = [video for video in town.videos if city in {None, video["city"]}]
        page = page_of([town.video_card(video) for video in videos], cursor, limit)
        # What may not be shown is left out after the page was cut.
        hidden = max(0, town.hidden_videos - int(cursor or 0))
        return {**page, "items": page["items"][hidden:]}

    @app.get("/videos/{video_id}")
    async def one_video(video_id: str) -> Any:
        found = next((video for video in town.videos if video["video_id"] == video_id), None)
        if found is None:
            raise missing()
        return town.video_card(found)

    @app.get("/deals/{deal_id}")
    async def one_deal(deal_id: str) -> Any:
        if deal_id not in town.deals:
            raise missing()
        return town.deals[deal_id]


def add_places(app: FastAPI, town: Town) -> None:
    @app.get("/livestreams")
    async def livestreams(city: str | None = None, cursor: str | None = None, limit: int = 10) -> Any:
        on_air = [live for live in town.livestreams if live["state"] == "LIVE" and city in {None, live["city"]}]
        return page_of(on_air, cursor, limit)

    @app.get("/livestreams/{livestream_id}")
    async def one_livestream(livestream_id: str) -> Any:
        found = next((live for live in town.livestreams if live["livestream_id"] == livestream_id), None)
        if found is None:
            raise missing()
        return found

    @app.get("/stores/{store_id}")
    async def one_store(store_id: str, request: Request) -> Any:
        if store_id != town.store_page["store_id"]:
            raise missing()
        town.continued.append(dict(request.query_params))
        return town.store_page


def add_search(app: FastAPI, town: Town) -> None:
    def near(request: Request, distance_m: int) -> int | None:
        town.searched.append(dict(request.query_params))
        return distance_m if "latitude" in request.query_params else None

    @app.get("/search/deals")
    async def deals(request: Request, q: str = "", cursor: str | None = None, limit: int = 20) -> Any:
        found = [
            card_of(deal, store={name: deal["stores"][0][name] for name in ("store_id", "name", "city", "address")},
                    distance_m=near(request, 350 + 900 * number))
            for number, deal in enumerate(town.deals.values()) if deal["state"] == "ON_SALE" and q in deal["title"]
        ]  # fmt: skip
        return page_of(found, cursor, town.page_size or limit)

    @app.get("/search/stores")
    async def stores(request: Request, q: str = "", cursor: str | None = None, limit: int = 20) -> Any:
        page = town.store_page
        names = ("store_id", "name", "city", "address", "latitude", "longitude", "phone", "hours", "open")
        store = {
            **{name: page[name] for name in names},
            "merchant_name": "老码头火锅",
            "distance_m": near(request, 1234),
        }
        return page_of([store] if q in page["name"] else [], cursor, limit)


def add_shares(app: FastAPI, town: Town) -> None:
    @app.put("/shares/{share_id}", status_code=201)
    async def share(share_id: str) -> Any:
        return {"code": SHARE_CODE, "path": f"/s/{SHARE_CODE}", "token": town.shares[SHARE_CODE]["token"]}

    @app.get("/shares/{code}")
    async def shared(code: str) -> Any:
        if code not in town.shares:
            raise missing()
        return town.shares[code]
