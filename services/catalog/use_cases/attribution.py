"""By which placement an order came: what the operator reads out of a token."""

from services.catalog import store
from services.catalog.domain.attribution import Attributions, Source
from services.catalog.domain.refusals import AttributionUnknown
from services.catalog.store.attribution import Credited
from shared.auth import require_operator
from shared.database import Transaction


async def attribution(
    tx: Transaction, token: str, operator: str, attributions: Attributions
) -> tuple[Source, Credited]:
    """The placement that a token stands for, and who is behind it."""
    await require_operator(tx, operator)
    source = attributions.source(token)
    credited = await store.credited(tx, source.kind, source.content_id)
    if credited is None:
        raise AttributionUnknown
    return source, credited
