"""Cells of an export as a person typed them: days and vintages in several writings, whole numbers, yes and no, prices."""

from __future__ import annotations

import math
import re
import unicodedata
from datetime import date
from typing import Literal

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.instruments.batch import month_end
from zerofactory.periods import YEAR_RANGE

DayOrder = Literal["ymd", "dmy", "mdy"]
YES = ("是", "yes", "true", "y", "1", "有", "可交易", "清除", "removal")
NO = ("否", "no", "false", "n", "0", "无", "不可交易", "避免", "avoidance", "reduction")
CNY = ("", "cny", "rmb", "元", "人民币")
COUNTRIES = {"china": "CN", "中国": "CN", "prc": "CN", "people's republic of china": "CN"}
_YMD = re.compile(r"^(\d{4})\s*[-/.年]\s*(\d{1,2})(?:\s*[-/.月]\s*(\d{1,2})\s*日?|\s*月)?(?:[ T]\d{1,2}:.*)?$")
_COMPACT = re.compile(r"^(\d{4})(\d{2})(\d{2})?$")
_YEAR = re.compile(r"^(\d{4})\s*年?$")
_THREE = re.compile(r"^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})$")
_SPAN = re.compile(r"\s*(?:~|～|—|–|至|\bto\b)\s*| - ")


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()


def span(start: str, end: str | None = None, order: DayOrder = "ymd") -> tuple[date, date]:
    """Return the first and last day of a vintage: a year, a month, a day, or from–to in one or two cells.

    Raises
    ------
    FaultyData
        It cannot be read, or ends before it begins.

    Examples
    --------
    >>> span("2025年3月")
    (datetime.date(2025, 3, 1), datetime.date(2025, 3, 31))
    >>> span("2019-01-01 ~ 2019-12-31")[1], span("2024")[1]
    (datetime.date(2019, 12, 31), datetime.date(2024, 12, 31))
    """
    if end is None:
        parts = [part for part in _SPAN.split(_folded(start), maxsplit=1) if part]
        start, end = parts[0] if parts else "", parts[1] if len(parts) > 1 else None
    first, last = _reach(start, order), _reach(end, order) if end else None
    if last is not None and last[1] < first[0]:
        raise FaultyData([_fault("backwards", f"“{end}”早于“{start}”。", f"'{end}' comes before '{start}'.")])
    return first[0], (last or first)[1]


def _reach(text: str, order: DayOrder) -> tuple[date, date]:
    """Return the first and last day that a text means."""
    folded = _folded(text)
    year = _YEAR.match(folded)
    if year:
        number = int(year[1])
        _bounded(number, text)
        return date(number, 1, 1), date(number, 12, 31)
    match = _YMD.match(folded) or _COMPACT.match(folded)
    if match:
        found = _made(match[1], match[2], match[3] or "1", text)
        return (found, found) if match[3] else (found, month_end(found))
    found = day(text, order)
    return found, found


def day(text: str, order: DayOrder = "ymd") -> date:
    """Return one day; where the year comes last, ``order`` says which of the others is the day.

    Examples
    --------
    >>> day("01/12/2019", "dmy"), day("2025-03-31 00:00:00")
    (datetime.date(2019, 12, 1), datetime.date(2025, 3, 31))
    """
    folded = _folded(text)
    match = _YMD.match(folded) or _COMPACT.match(folded)
    if match and match[3]:
        return _made(match[1], match[2], match[3], text)
    three = _THREE.match(folded)
    if three and order != "ymd":
        first, second = (three[2], three[1]) if order == "dmy" else (three[1], three[2])
        return _made(three[3], first, second, text)
    raise FaultyData([_unreadable(text)])


def _made(year: str, month: str, number: str, text: str) -> date:
    _bounded(int(year), text)
    try:
        return date(int(year), int(month), int(number))
    except ValueError as error:
        raise FaultyData([_unreadable(text)]) from error


def _bounded(year: int, text: str) -> None:
    if not YEAR_RANGE[0] <= year <= YEAR_RANGE[1]:
        raise FaultyData([_unreadable(text)])


def number(text: str) -> float:
    """Return a finite number; thousands may be set off by commas.

    Examples
    --------
    >>> number("1,234.5")
    1234.5
    """
    try:
        value = float(_folded(text).replace(",", ""))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise FaultyData([_fault("not_a_number", f"“{text}”不是数。", f"'{text}' is no number.")])
    return value


def whole(text: str) -> int:
    """Return a whole number above zero: certificates and credits are never fractions.

    Examples
    --------
    >>> whole("12,000"), whole("12.0")
    (12000, 12)
    """
    plain = _folded(text).replace(",", "")
    value = int(plain) if re.fullmatch(r"[0-9]{1,40}", plain) else number(text)
    if value != int(value) or value <= 0:
        message = f"“{text}”不是大于零的整数。", f"'{text}' is no whole number above zero."
        raise FaultyData([_fault("not_whole", *message)])
    return int(value)


def flag(text: str) -> bool:
    """Return yes or no as a person writes it.

    Examples
    --------
    >>> flag("可交易"), flag("No")
    (True, False)
    """
    folded = _folded(text).casefold()
    if folded in YES or folded in NO:
        return folded in YES
    raise FaultyData([_fault("not_yes_or_no", f"“{text}”应为 是 或 否。", f"'{text}' should be yes or no.")])


def price(text: str, currency: str) -> float:
    """Return a price in CNY; another currency is refused, because no rate of exchange is assumed."""
    if _folded(currency).casefold() not in CNY:
        message = f"币种“{currency}”不是人民币。", f"The currency '{currency}' is not CNY."
        raise FaultyData([_fault("not_cny", *message)])
    value = number(text)
    if value < 0:
        raise FaultyData([_fault("negative_price", "单价为负。", "The price is negative.")])
    return value


def country(text: str) -> str:
    """Return a country as its code: China by name, others as written.

    Examples
    --------
    >>> country("China"), country("中国"), country("de"), country("CN-河北")
    ('CN', 'CN', 'DE', 'CN')
    """
    folded = _folded(text)
    named = COUNTRIES.get(folded.casefold())
    if named:
        return named
    head = re.match(r"^([A-Za-z]{2})(?:-.*)?$", folded)
    return head[1].upper() if head else folded


def _unreadable(text: str) -> Problem:
    return _fault("date_unreadable", f"“{text}”不是可读的日期或月份。", f"'{text}' cannot be read as a day or a month.")


def _fault(code: str, zh: str, en: str) -> Problem:
    hint = Text("请写成 2025-03、2025-03-31、整数或 是/否。", "Write 2025-03, 2025-03-31, a whole number, or yes/no.")
    return Problem(f"instruments.{code}", Text(zh, en), hint)
