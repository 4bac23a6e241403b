"""A town behind the pages: the five services and the issuer in memory, as their HTTP interface says they answer."""

import json
from typing import Any

from fastapi import FastAPI, Request, Response

from tests.unit.web.town.books import add_books
from tests.unit.web.town.catalog import add_catalog, add_places, add_search, add_shares
from tests.unit.web.town.deliveries import add_carrier_desk, add_deliveries
from tests.unit.web.town.issuer import add_issuer, token_for
from tests.unit.web.town.offices import (
    add_holdings,
    add_invitations,
    add_merchants_desk,
    add_operators_acts,
    add_operators_desk,
    add_writing,
)
from tests.unit.web.town.reviews import add_reviews
from tests.unit.web.town.services import (
    add_campaigns,
    add_checkout,
    add_codes,
    add_dispatch_and_settlement,
    add_redemption,
    add_riders,
)
from tests.unit.web.town.state import Refusal, Town
from tests.unit.web.town.things import (
    CARD,
    CODE,
    FRUIT,
    GOODS_ORDER,
    HOTEL,
    HOTPOT,
    HOTPOT_MERCHANT,
    HOTPOT_VIDEO,
    INVITATION,
    JOURNEY,
    LIVE,
    PARCEL,
    PARTNER,
    SECOND_UNIT,
    SHARE_CODE,
    STORE,
    UNIT,
    VOUCHER,
    VOUCHER_ORDER,
    at,
    known_id,
)

__all__ = [
    "CARD",
    "CODE",
    "FRUIT",
    "GOODS_ORDER",
    "HOTEL",
    "HOTPOT",
    "HOTPOT_MERCHANT",
    "HOTPOT_VIDEO",
    "INVITATION",
    "JOURNEY",
    "LIVE",
    "PARCEL",
    "PARTNER",
    "SECOND_UNIT",
    "SHARE_CODE",
    "STORE",
    "UNIT",
    "VOUCHER",
    "VOUCHER_ORDER",
    "Refusal",
    "Town",
    "at",
    "build",
    "known_id",
    "token_for",
]


def build(town: Town, issuer: str = "http://issuer.town") -> FastAPI:
    """The town as one application; a service is silent when its host is."""
    app = FastAPI(openapi_url=None)

    @app.middleware("http")
    async def listen(request: Request, go_on: Any) -> Response:
        host = request.url.hostname or ""
        if host.removesuffix(".town") in town.silent:
            return Response("bad gateway", status_code=502)
        path = request.url.path
        if request.method in {"PUT", "POST", "DELETE"} and not path.startswith("/oauth"):
            body = json.loads(await request.body() or b"null")
            town.heard.append((request.method, path, body))
            town.quoted += request.headers.getlist("if-match")
            if town.tokens_refused:
                return Refusal(401, "unauthenticated", "请先登录").answer
            for part, refusal in town.refusals.items():
                if part in path:
                    return refusal.answer
        answer: Response = await go_on(request)
        return answer

    @app.exception_handler(Refusal)
    async def refused(_: Request, refusal: Exception) -> Response:
        assert isinstance(refusal, Refusal)
        return refusal.answer

    add_catalog(app, town)
    add_places(app, town)
    add_search(app, town)
    add_shares(app, town)
    add_codes(app, town)
    add_merchants_desk(app, town)
    add_writing(app, town)
    add_invitations(app, town)
    add_holdings(app, town)
    add_operators_desk(app, town)
    add_operators_acts(app, town)
    add_checkout(app, town)
    add_campaigns(app, town)
    add_reviews(app, town)
    add_redemption(app, town)
    add_dispatch_and_settlement(app, town)
    add_deliveries(app, town)
    add_carrier_desk(app, town)
    add_books(app, town)
    add_riders(app, town)
    add_issuer(app, town, issuer)
    return app
