"""Whether the process runs, and its counters."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

router = APIRouter(include_in_schema=False)


@router.get("/livez")
@router.get("/readyz")
async def livez() -> dict[str, str]:
    """The pages need nothing to be ready: a service that is down gets a page that says so."""
    return {"status": "ok"}


@router.get("/metrics")
async def metrics() -> Response:
    """Counters in Prometheus' text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
