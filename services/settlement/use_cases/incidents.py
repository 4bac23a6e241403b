"""Incidents get an owner, and an end that says what was done."""

from uuid import UUID

from services.settlement.domain.incidents import IncidentResolved, IncidentUnknown
from services.settlement.store import incidents as store
from shared.database import Row, Transaction


async def read(tx: Transaction, incident_id: UUID) -> Row:
    """One incident. Raises IncidentUnknown."""
    found = await store.find(tx, incident_id)
    if found is None:
        raise IncidentUnknown
    return found


async def take(tx: Transaction, incident_id: UUID, owner: str) -> Row:
    """From now on `owner` looks at it. Raises IncidentUnknown, or IncidentResolved when it has ended."""
    if not await store.take(tx, incident_id, owner):
        raise IncidentResolved(by=(await read(tx, incident_id))["resolved_by"])
    return await read(tx, incident_id)


async def resolve(tx: Transaction, incident_id: UUID, resolution: str, resolved_by: str) -> Row:
    """What came of it. Saying the same again finds the same. Raises IncidentUnknown, or IncidentResolved when it ended
    with other words."""
    if not await store.resolve(tx, incident_id, resolution, resolved_by):
        found = await read(tx, incident_id)
        if found["resolution"] != resolution:
            raise IncidentResolved(by=found["resolved_by"])
    return await read(tx, incident_id)
