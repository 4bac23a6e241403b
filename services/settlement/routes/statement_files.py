"""A day's statement as a file for spreadsheets: UTF-8 with a byte order mark, sent page by page."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import date
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from services.settlement.gateways import World as SettlementWorld
from services.settlement.routes.merchants import require_reader
from services.settlement.store import statements
from shared.auth import Caller
from shared.clock import SHANGHAI
from shared.database import Database, Row
from shared.http import Db
from shared.money import yuan
from shared.service import World

router = APIRouter()

_PAGE = 2_000
_HEADINGS = (
    "使用时间", "订单号", "券编号", "第几次", "商品", "门店编号", "结算金额（元）", "手续费（元）", "到账金额（元）",
    "状态", "应结日期", "打款批次",
)  # fmt: skip
# A cell that begins with one of these is a formula to a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@router.get("/merchants/{merchant_id}/statement.csv", response_class=StreamingResponse)
async def statement_file(
    merchant_id: UUID, day: date, caller: Caller, db: Db, world: World, store_id: UUID | None = None
) -> StreamingResponse:
    """Every use of one business day (of one store, if named), with fee and net, down to each certificate."""
    async with db.transaction(read_only=True) as tx:
        await require_reader(tx, caller, merchant_id)
    settlement: SettlementWorld = world
    name = f"statement-{day:%Y%m%d}.csv"
    return StreamingResponse(
        _lines(db, merchant_id, settlement.terms.fee_bp, day, store_id),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


async def _lines(
    db: Database, merchant_id: UUID, fee_bp: int, day: date, store_id: UUID | None
) -> AsyncIterator[bytes]:
    """A page is one transaction: a slow reader keeps none open, and no more than a page is ever in memory."""
    yield b"\xef\xbb\xbf" + _table([_HEADINGS])
    after = None
    while True:
        async with db.transaction(read_only=True) as tx:
            rows = await statements.uses_of_day(tx, merchant_id, fee_bp, day, store_id, after, _PAGE)
        if rows:
            yield _table([_cells(row) for row in rows])
        if len(rows) < _PAGE:
            return
        after = (rows[-1]["used_at"], rows[-1]["unit_id"], rows[-1]["use_no"])


def _table(rows: list[tuple[str, ...]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _cells(row: Row) -> tuple[str, ...]:
    return (
        f"{row['used_at'].astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}",
        str(row["order_id"]),
        str(row["unit_id"]),
        str(row["use_no"]),
        _plain(row["title"]),
        str(row["store_id"] or ""),
        yuan(row["gross_fen"]),
        yuan(row["charged_fen"]),
        yuan(row["gross_fen"] - row["charged_fen"]),
        "DISPUTED" if row["disputed"] else row["state"],
        row["due_on"].isoformat(),
        str(row["payout_id"] or ""),
    )


def _plain(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
