"""Short ways to invite people to work at a merchant, and to accept."""

from typing import Any
from uuid import UUID

import httpx

from shared.ids import new_id
from tests.integration.catalog.shop import (
    Catalog,
    Shop,
)


async def invite(
    catalog: Catalog, shop: Shop, invitation_id: UUID | None = None, by: str | None = None, **body: Any
) -> httpx.Response:
    path = f"/merchants/{shop.merchant_id}/invitations/{invitation_id or new_id()}"
    return await catalog.put(by or shop.owner, path, {"role": "CLERK", **body})


async def token_of_link(catalog: Catalog, shop: Shop, **body: Any) -> str:
    answer = await invite(catalog, shop, **body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["token"])


async def accept(catalog: Catalog, token: str, subject: str) -> httpx.Response:
    return await catalog.put(subject, f"/invitations/{token}/acceptance", {})


def somebody() -> str:
    return f"person-{new_id()}"
