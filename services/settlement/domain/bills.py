"""Alipay's bills read as they come: a zip of GBK tables, of which the lines that move money matter."""

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from shared.clock import SHANGHAI, business_day, start_of_day
from shared.errors import Conflict
from shared.money import fen

_LARGEST_BYTES = 512 * 2**20
_LINES_MAX = 2_000_000
_READY_AFTER = timedelta(hours=10)


class BillKind(StrEnum):
    """业务明细 (payments and refunds) and 账务明细 (every movement of the platform's account)."""

    TRADE = "trade"
    ACCOUNT = "signcustomer"


class Movement(StrEnum):
    PAYMENT = "PAYMENT"
    REFUND = "REFUND"
    PAYOUT = "PAYOUT"
    """Gross: what reached the merchant and the fee that Alipay kept of it."""
    TRANSFER = "TRANSFER"
    CLAWBACK = "CLAWBACK"


@dataclass(frozen=True, slots=True)
class BillLine:
    """One movement in Alipay's book. `number` is ours: the out_trade_no of a payment, else the request's own."""

    movement: Movement
    number: str
    trade_no: str
    amount_fen: int
    fee_fen: int
    at: datetime
    out_trade_no: str = ""
    """Of the trade that it moved; a transfer belongs to none."""


def due_at(day: date) -> datetime:
    """From when Alipay has the bill of a day (domain.md §5): ten o'clock on the next one."""
    return start_of_day(day + timedelta(days=1)) + _READY_AFTER


def last_due(now: datetime) -> date:
    """The latest day whose bill is due."""
    return business_day(now - _READY_AFTER) - timedelta(days=1)


class BillUnreadable(Conflict):
    """Facts: detail."""

    code = "bill_unreadable"
    zh = "支付宝账单格式无法识别：{detail}"
    en = "Alipay's bill is not as it should be: {detail}"


def read_trade_bill(archive: bytes) -> list[BillLine]:
    """Payments and refunds of 业务明细. Raises BillUnreadable."""
    kinds = {"交易": Movement.PAYMENT, "退款": Movement.REFUND}
    lines = []
    for row in _rows(archive, "业务明细.csv"):
        movement = kinds.get(row["业务类型"])
        if movement is None:
            raise BillUnreadable(detail=f"业务类型 {row['业务类型']}")
        number = row["商户订单号"] if movement is Movement.PAYMENT else row["退款批次号/请求号"]
        amount_fen = abs(_amount(row["订单金额（元）"]))
        moment, trade = _moment(row["完成时间"]), row["商户订单号"]
        lines.append(BillLine(movement, number, row["支付宝交易号"], amount_fen, 0, moment, trade))
    return lines


_PAYOUT, _FEE = "直付通结算", "收费"
_ACCOUNT_KINDS = {_PAYOUT: Movement.PAYOUT, "结算退回": Movement.CLAWBACK, "单笔转账": Movement.TRANSFER}


def read_account_bill(archive: bytes) -> list[BillLine]:
    """Payouts, transfers and claw-backs of 账务明细; a fee stands on a line of its own and is added to the payout that
    it was taken of. Payments and refunds are in the other bill. Raises BillUnreadable."""
    found: dict[tuple[Movement, str, str], BillLine] = {}
    fees_fen: dict[tuple[str, str], int] = {}
    for row in _rows(archive, "账务明细.csv"):
        what, number, trade_no = row["业务类型"], row["备注"], row["业务流水号"]
        amount_fen = abs(_amount(row["收入金额（+元）"] or row["支出金额（-元）"]))
        if what == _FEE:
            fees_fen[number, trade_no] = fees_fen.get((number, trade_no), 0) + amount_fen
        elif (movement := _ACCOUNT_KINDS.get(what)) is not None:
            line = BillLine(movement, number, trade_no, amount_fen, 0, _moment(row["发生时间"]), row["商户订单号"])
            found[movement, number, trade_no] = line
    for (number, trade_no), fee_fen in fees_fen.items():
        key = (Movement.PAYOUT, number, trade_no)
        if key not in found:
            raise BillUnreadable(detail=f"收费 {number}")
        found[key] = replace(found[key], amount_fen=found[key].amount_fen + fee_fen, fee_fen=fee_fen)
    return list(found.values())


def _rows(archive: bytes, ending: str) -> Iterator[dict[str, str]]:
    """The lines of one table, by the names of its columns, without the tabs with which Alipay pads numbers."""
    lines = (line for line in io.StringIO(_table(archive, ending)) if not line.startswith("#"))
    for count, row in enumerate(csv.DictReader(lines), start=1):
        if count > _LINES_MAX:
            raise BillUnreadable(detail=f"more than {_LINES_MAX} lines")
        if None in row or None in row.values():
            raise BillUnreadable(detail=f"line {count}")
        yield _Columns({name.strip(): value.strip() for name, value in row.items()})


class _Columns(dict[str, str]):
    """A line, where a column that is not there makes the bill unreadable."""

    def __missing__(self, name: str) -> str:
        raise BillUnreadable(detail=name)


def _table(archive: bytes, ending: str) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as packed:
            names = [info for info in packed.infolist() if info.filename.endswith(ending)]
            if len(names) != 1 or names[0].file_size > _LARGEST_BYTES:
                raise BillUnreadable(detail=ending)
            return packed.read(names[0]).decode("gbk")
    except (zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise BillUnreadable(detail=type(error).__name__) from error


def _amount(text: str) -> int:
    try:
        return fen(text)
    except ValueError as error:
        raise BillUnreadable(detail=text[:40]) from error


def _moment(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=SHANGHAI).astimezone(UTC)
    except ValueError as error:
        raise BillUnreadable(detail=text[:40]) from error
