"""Where carriers report. The address holds the secret, so it is never logged; bytes are kept before they are read."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from services.dispatch.gateways.port import RawRequest
from services.dispatch.use_cases import hearing
from shared.http import Db
from shared.service import World

router = APIRouter(prefix="/webhooks", tags=["webhooks"])


@router.post("/{provider}/{token}")
async def hear(
    provider: Annotated[str, Path(max_length=40)],
    token: Annotated[str, Path(max_length=200)],
    request: Request,
    db: Db,
    world: World,
) -> Response:
    """A carrier's callback. The address belongs to one attempt, or to an account where the carrier knows only one. The
    answer leaves after the commit: while the database is away the carrier hears no yes, and comes again."""
    raw = RawRequest(
        await request.body(),
        request.headers.get("content-type", ""),
        request.scope["query_string"],
        tuple(request.headers.items()),
    )
    async with db.transaction() as tx:
        ack = await hearing.keep_webhook(tx, world, provider, token, raw)
    return Response(ack.body, ack.status, media_type=ack.content_type)
