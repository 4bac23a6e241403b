"""Where carriers report. The address holds the secret, so it is never logged; bytes are kept before they are read."""

from fastapi import APIRouter, Request, Response

from services.dispatch.gateways import dada, kuaidi100
from services.dispatch.gateways.port import RawRequest
from services.dispatch.use_cases import hearing
from services.dispatch.world import DispatchWorld
from shared.http import Db
from shared.service import World

router = APIRouter(prefix="/webhooks", tags=["webhooks"])


@router.post("/dada/{token}")
async def hear_dada(token: str, request: Request, db: Db, world: World) -> Response:
    """达达's order callbacks and riders' requests."""
    return await _hear(dada.PROVIDER, token, request, db, world)


@router.post("/kuaidi100/{token}")
async def hear_kuaidi100(token: str, request: Request, db: Db, world: World) -> Response:
    """快递100's order callbacks and track pushes."""
    return await _hear(kuaidi100.PROVIDER, token, request, db, world)


async def _hear(provider: str, token: str, request: Request, db: Db, world: DispatchWorld) -> Response:
    raw = RawRequest(await request.body(), request.headers.get("content-type", ""))
    async with db.transaction() as tx:
        carrier = await hearing.keep_webhook(tx, world, provider, token, raw)
    ack = hearing.acknowledgement(carrier, raw)
    return Response(ack.body, ack.status, media_type=ack.content_type)
