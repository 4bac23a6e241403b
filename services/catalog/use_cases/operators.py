"""The platform's own people: the first of them."""

from uuid import NAMESPACE_OID

from services.catalog import store
from services.catalog.domain.staff import Place
from services.catalog.use_cases.staff import announce_place
from shared.contracts.catalog import StaffRole
from shared.database import Transaction
from shared.ids import derived_id


async def seed_first_operator(tx: Transaction, subject: str) -> None:
    """Make this person an operator if the platform has none; any number of processes may try."""
    place = Place(derived_id(NAMESPACE_OID, f"operator {subject}"), subject, None, StaffRole.OPERATOR, (), active=True)
    seeded = await store.add_first_operator(tx, place)
    if seeded is not None:
        await announce_place(tx, seeded)
