"""A service's copies of what others say: how many rows each has, and emptying them before a replay fills them."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from shared.auth import Caller, require_operator
from shared.contracts import Event
from shared.database import Transaction
from shared.errors import NotFound
from shared.http import Db
from shared.observability import log

router = APIRouter(prefix="/admin/copies", tags=["admin"])

Copies = Mapping[type[Event], str]
"""The table in which a service keeps each event whose state it copies."""

Reason = Annotated[str, Field(min_length=1, max_length=500)]


class NoSuchCopies(NotFound):
    code = "no_such_copies"
    zh = "本服务没有保存{publisher}的副本"
    en = "This service keeps no copies of what {publisher} says"


class EmptyCopies(BaseModel):
    publisher: Annotated[str, Field(max_length=40)]
    reason: Reason


class CopyView(BaseModel):
    topic: str = Field(description="The event whose newest state each row keeps")
    table: str
    rows: int


def of_publisher(copies: Copies, publisher: str) -> Copies:
    """The tables that hold what one service says."""
    return {event: table for event, table in copies.items() if event.topic.startswith(f"{publisher}.")}


async def count(tx: Transaction, copies: Copies) -> list[CopyView]:
    """How many rows each copy has."""
    return [
        CopyView(topic=event.topic, table=table, rows=await tx.value(f"select count(*) from {table}"))
        for event, table in copies.items()
    ]


async def empty(tx: Transaction, copies: Copies) -> list[CopyView]:
    """Forget these copies, all or none; each with the rows that it had."""
    return [
        CopyView(topic=event.topic, table=table, rows=await tx.execute(f"delete from {table}"))
        for event, table in copies.items()
    ]


def _declared(request: Request) -> Copies:
    copies: Copies = request.app.state.copies
    return copies


Declared = Annotated[Copies, Depends(_declared)]


@router.get("")
async def list_copies(caller: Caller, db: Db, copies: Declared) -> list[CopyView]:
    """What this service keeps of the others' state."""
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
        return await count(tx, copies)


@router.put("/emptying")
async def empty_copies(body: EmptyCopies, caller: Caller, db: Db, copies: Declared) -> list[CopyView]:
    """Empty the copies of what one service says. With catalog's go the operators: nobody may call this service's
    admin addresses until catalog has replayed them."""
    async with db.transaction() as tx:
        await require_operator(tx, caller)
        chosen = of_publisher(copies, body.publisher)
        if not chosen:
            raise NoSuchCopies(publisher=body.publisher)
        emptied = await empty(tx, chosen)
    rows = {view.table: view.rows for view in emptied}
    log.warning("copies_emptied", publisher=body.publisher, operator=caller, reason=body.reason, rows=rows)
    return emptied
