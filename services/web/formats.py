"""How amounts, counts and moments are written for people, in Chinese and English."""

from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from shared.money import yuan

Language = Literal["zh", "en"]
SHANGHAI = ZoneInfo("Asia/Shanghai")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def price(amount_fen: int) -> str:
    """`12800` as `¥128.00`; thousands are grouped, a minus stands before the sign."""
    sign = "-" if amount_fen < 0 else ""
    whole, _, cents = yuan(abs(amount_fen)).partition(".")
    return f"{sign}¥{int(whole):,}.{cents}"


def short_price(amount_fen: int) -> str:
    """`20000` as `¥200`: a face value or a threshold, which seldom has cents."""
    return price(amount_fen).removesuffix(".00")


def distance(metres: int, language: Language) -> str:
    """`350` as `约 350 m` or `1234` as `约 1.2 km`: positions of browsers and maps differ, so it is never exact."""
    about = "约 " if language == "zh" else "~"
    if metres < 1000:
        return f"{about}{max(10, round(metres, -1))} m"
    tenths = round(metres / 100)
    return f"{about}{tenths // 10}.{tenths % 10} km" if tenths < 1000 else f"{about}{round(metres / 1000)} km"


def discount(price_fen: int, original_fen: int, language: Language) -> str:
    """`4.8折` or `52% off`; empty when nothing is saved."""
    if not 0 <= price_fen < original_fen:
        return ""
    if language == "en":
        return f"{max(1, (original_fen - price_fen) * 100 // original_fen)}% off"
    # Rounded up, so that a deal never looks cheaper than it is.
    tenths = min(99, max(1, -(-price_fen * 100 // original_fen)))
    return f"{tenths // 10}.{tenths % 10}折".replace(".0折", "折")


def count(number: int, language: Language) -> str:
    """`32000` as `3.2万` or `32k`; below ten thousand every digit, grouped."""
    if number < 10_000:
        return f"{number:,}"
    scales = ((100_000_000, "亿"), (10_000, "万")) if language == "zh" else ((1_000_000, "M"), (1_000, "k"))
    size, name = next(scale for scale in scales if number >= scale[0])
    tenths = number * 10 // size
    return f"{tenths // 10}.{tenths % 10}{name}".replace(f".0{name}", name)


def moment(at: datetime, language: Language, *, with_year: bool = False) -> str:
    """A time of day in Shanghai: `11月22日 14:02` or `22 Nov 14:02`; with its year where it may be far away."""
    local = at.astimezone(SHANGHAI)
    if language == "zh":
        return f"{f'{local.year}年' if with_year else ''}{local.month}月{local.day}日 {local:%H:%M}"
    return f"{local.day} {_MONTHS[local.month - 1]} {f'{local.year} ' if with_year else ''}{local:%H:%M}"


def clock_time(at: datetime) -> str:
    """`14:02` in Shanghai."""
    return f"{at.astimezone(SHANGHAI):%H:%M}"


def day(at: datetime) -> str:
    """The date in Shanghai, `2027-02-20`."""
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d}"


def last_day(until: datetime) -> str:
    """The last date on which something may be used that ends before `until`."""
    return day(until - timedelta(microseconds=1))


def ago(at: datetime, now: datetime, language: Language) -> str:
    """How long ago, in the largest fitting unit: `3天前` or `3 d ago`."""
    seconds = max(0, int((now - at).total_seconds()))
    for size, zh, en in ((86_400, "天前", "d ago"), (3_600, "小时前", "h ago"), (60, "分钟前", "min ago")):
        if seconds >= size:
            return f"{seconds // size}{zh}" if language == "zh" else f"{seconds // size} {en}"
    return "刚刚" if language == "zh" else "just now"


def code_groups(code: str) -> str:
    """`837146205519` as `8371 4620 5519`, the way it is read aloud. A third party's code stands as it was written."""
    if not (code.isascii() and code.isdigit() and len(code) == 12):
        return code
    return " ".join(code[start : start + 4] for start in range(0, len(code), 4))


def duration(seconds: int, language: Language) -> str:
    """What is left: `02 天 11:42:08` or `2 d 11:42:08`; without days just the clock."""
    days, rest = divmod(max(0, seconds), 86_400)
    clock = f"{rest // 3600:02d}:{rest % 3600 // 60:02d}:{rest % 60:02d}"
    if not days:
        return clock
    return f"{days:02d} 天 {clock}" if language == "zh" else f"{days} d {clock}"
