"""The day's bills in the shape in which Alipay exports them: a table of lines and a table of sums."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from services.sandbox.domain.book import Entry
from services.sandbox.domain.money import format_yuan
from services.sandbox.domain.times import SHANGHAI, wire_time
from services.sandbox.domain.trade import Trade

_TRADE_COLUMNS = (
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,"
    "订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,"
    "券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注"
)
_TRADE_SUM_COLUMNS = (
    "门店编号,门店名称,交易订单总笔数,退款订单总笔数,订单金额（元）,商家实收（元）,支付宝优惠（元）,商家优惠（元）,"
    "卡消费金额（元）,服务费（元）,分润（元）,实收净额（元）"
)
_CUSTOMER_COLUMNS = (
    "账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,账户余额（元）,"
    "交易渠道,业务类型,备注"
)
_BUYER_ACCOUNT = "san***@sandbox.example"


def trade_bill(
    seller_id: str, day: date, entries: Sequence[Entry], trades: Mapping[str, Trade], now: datetime
) -> dict[str, str]:
    """业务明细: one line per payment and per refund. File name → text."""
    lines = [_trade_line(entry, trades[entry.trade_no]) for entry in entries if entry.kind in ("payment", "refund")]
    paid = [entry.amount_fen for entry in entries if entry.kind == "payment"]
    refunded = [entry.amount_fen for entry in entries if entry.kind == "refund"]
    closing = [
        f"#交易合计：{len(paid)}笔，商家实收共{format_yuan(sum(paid))}元，商家优惠共0.00元",
        f"#退款合计：{len(refunded)}笔，商家实收退款共{format_yuan(-sum(refunded))}元，商家优惠退款共0.00元",
    ]
    net = format_yuan(sum(paid) - sum(refunded))
    total = ["合计", "", str(len(paid)), str(len(refunded)), net, net, *["0.00"] * 5, net]
    stem = f"{seller_id}0156_{day:%Y%m%d}_业务明细"
    return {
        f"{stem}.csv": _sheet("业务明细", seller_id, day, _TRADE_COLUMNS, lines, closing, now),
        f"{stem}(汇总).csv": _sheet("业务汇总", seller_id, day, _TRADE_SUM_COLUMNS, [total], [], now),
    }


def customer_bill(
    seller_id: str,
    day: date,
    entries: Sequence[Entry],
    trades: Mapping[str, Trade],
    opening_balance_fen: int,
    now: datetime,
) -> dict[str, str]:
    """账务明细: one line per movement of the platform's account, the fee on a line of its own. File name → text."""
    lines: list[list[str]] = []
    balance_fen = opening_balance_fen
    counts = {"收入": [0, 0], "支出": [0, 0]}
    for entry in entries:
        for kind, moved_fen in _movements(entry):
            balance_fen += moved_fen
            count = counts["收入" if moved_fen > 0 else "支出"]
            count[0] += 1
            count[1] += abs(moved_fen)
            lines.append(_customer_line(entry, trades.get(entry.trade_no), len(lines), kind, moved_fen, balance_fen))
    closing = [f"#{name}合计：{count}笔，共{format_yuan(fen)}元" for name, (count, fen) in counts.items()]
    total = ["合计", *(format_yuan(fen) for _, fen in counts.values())]
    stem = f"{seller_id}0156_{day:%Y%m%d}_账务明细"
    return {
        f"{stem}.csv": _sheet("账务明细", seller_id, day, _CUSTOMER_COLUMNS, lines, closing, now),
        f"{stem}(汇总).csv": _sheet("账务汇总", seller_id, day, "类型,收入,支出", [total], [], now),
    }


def _trade_line(entry: Entry, trade: Trade) -> list[str]:
    sign = 1 if entry.kind == "payment" else -1
    amount = format_yuan(sign * entry.amount_fen)
    return [
        # Alipay pads numbers and times with a tab, so that spreadsheets leave them alone.
        f"{entry.trade_no}\t",
        f"{entry.out_trade_no}\t",
        "交易" if entry.kind == "payment" else "退款",
        trade.subject,
        wire_time(trade.created_at),
        wire_time(entry.at),
        "",
        "",
        "",
        "",
        _BUYER_ACCOUNT,
        amount,
        amount,
        *["0.00"] * 5,
        "",
        "0.00",
        "0.00",
        f"{entry.out_request_no}\t" if entry.out_request_no else "",
        "0.00",
        "0.00",
        "",
    ]


def _movements(entry: Entry) -> list[tuple[str, int]]:
    if entry.kind == "payment":
        return [("在线支付", entry.amount_fen)]
    if entry.kind == "refund":
        return [("交易退款", -entry.amount_fen)]
    if entry.kind == "clawback":
        return [("结算退回", entry.amount_fen)]
    if entry.kind == "settle":
        net = [("直付通结算", -(entry.amount_fen - entry.fee_fen))]
        return [*net, ("收费", -entry.fee_fen)] if entry.fee_fen else net
    if entry.kind == "transfer":
        return [("单笔转账", -entry.amount_fen)]
    return []  # a withdrawal moves the sub-merchant's account, not this one


def _customer_line(
    entry: Entry, trade: Trade | None, index: int, kind: str, moved_fen: int, balance_fen: int
) -> list[str]:
    return [
        f"{entry.at:%Y%m%d}{entry.seq:012d}{index:04d}\t",
        f"{entry.trade_no}\t",
        f"{entry.out_trade_no}\t",
        trade.subject if trade else "",
        wire_time(entry.at),
        entry.smid if kind in ("直付通结算", "结算退回") and entry.smid else _BUYER_ACCOUNT,
        format_yuan(moved_fen) if moved_fen > 0 else "",
        format_yuan(moved_fen) if moved_fen < 0 else "",
        format_yuan(balance_fen),
        "支付宝",
        kind,
        f"{entry.out_request_no}\t" if entry.out_request_no else "",
    ]


def _sheet(
    title: str,
    seller_id: str,
    day: date,
    columns: str,
    lines: Iterable[Sequence[str]],
    closing: Sequence[str],
    now: datetime,
) -> str:
    rule = "-" * 41
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\r\n")
    writer.writerows(lines)
    heading = [
        f"#支付宝{title}查询",
        f"#账号：[{seller_id}0156]",
        f"#起始日期：[{day:%Y年%m月%d日} 00:00:00]   终止日期：[{day + timedelta(days=1):%Y年%m月%d日} 00:00:00]",
        f"#{rule}{title}列表{rule}",
    ]
    ending = [
        f"#{rule}{title}列表结束{rule}",
        *closing,
        f"#导出时间：[{now.astimezone(SHANGHAI):%Y年%m月%d日 %H:%M:%S}]",
    ]
    return "\r\n".join([*heading, columns, table.getvalue().removesuffix("\r\n"), *ending]) + "\r\n"
