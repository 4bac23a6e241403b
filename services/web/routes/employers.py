"""The merchant whose desk this is: chosen by the address, among those the visitor works for."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from services.web.gateways.catalog.desks import Employer
from services.web.visits import Signed
from services.web.world import Outside
from shared.errors import Forbidden


class NoEmployer(Forbidden):
    code = "no_employer"
    zh = "你还不是任何商家的成员"
    en = "You do not work for a merchant here"


class Desk:
    """All employers of the visitor, and the one that is looked at."""

    def __init__(self, employers: list[Employer], here: Employer) -> None:
        self.employers = employers
        self.here = here


async def _desk(visit: Signed, world: Outside, merchant: Annotated[UUID | None, Query()] = None) -> Desk:
    employers = await world.services.desks.employers(visit.asker)
    here = next((one for one in employers if merchant in {None, one.merchant_id}), None)
    if here is None:
        raise NoEmployer
    return Desk(employers, here)


AtDesk = Annotated[Desk, Depends(_desk)]
