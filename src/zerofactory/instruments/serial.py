"""Serial numbers: ranges of units in the formats of registries, and exact arithmetic on them.

A serial is prefix + number + suffix. By default the number is the last run of digits (``GEC-CN-000123``); a registry whose
number stands elsewhere says so by a pattern (``0001-000001-000100-VCS-…`` holds first and last in one text). Numbers are
whole numbers of any length: nothing overflows, leading zeros are kept, and ``GEC-7`` is the same unit as ``GEC-007``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from zerofactory.errors import FaultyData, Misuse, Problem, Text

MAX_SERIAL_LENGTH = 200
_SCIENTIFIC = re.compile(r"^[0-9](\.[0-9]+)?E\+[0-9]+$")
_TAIL = re.compile(r"^(?P<prefix>.*?)(?P<number>[0-9]+)(?P<suffix>[^0-9]*)$")


@dataclass(frozen=True, slots=True)
class SerialRange:
    """Consecutive units of one series, first and last included.

    Parameters
    ----------
    prefix, suffix : str
        What stands before and after the number; together they name the series.
    first, last : int
        Numbers of the first and the last unit.
    width : int
        Digits the number is padded to with zeros.

    Examples
    --------
    >>> held = SerialRange("GEC-", "", 1, 100, 6)
    >>> held.size, held.first_text, held.last_text
    (100, 'GEC-000001', 'GEC-000100')
    """

    prefix: str
    suffix: str
    first: int
    last: int
    width: int

    def __post_init__(self) -> None:
        if not 0 <= self.first <= self.last:
            raise Misuse(f"a range of serials from {self.first} to {self.last}")

    @property
    def size(self) -> int:
        """How many units the range holds."""
        return self.last - self.first + 1

    @property
    def series(self) -> tuple[str, str]:
        """What names the series: two ranges can only share units within one series."""
        return self.prefix, self.suffix

    @property
    def first_text(self) -> str:
        """The serial of the first unit."""
        return self.text_of(self.first)

    @property
    def last_text(self) -> str:
        """The serial of the last unit."""
        return self.text_of(self.last)

    def text_of(self, number: int) -> str:
        """Return the serial of one number."""
        return f"{self.prefix}{number:0{self.width}d}{self.suffix}"

    def __str__(self) -> str:
        return self.first_text if self.size == 1 else f"{self.first_text}..{self.last_text}"

    def overlaps(self, other: SerialRange) -> bool:
        """Whether the two share a unit."""
        return self.series == other.series and self.first <= other.last and other.first <= self.last

    def contains(self, other: SerialRange) -> bool:
        """Whether every unit of the other is in this one."""
        return self.series == other.series and self.first <= other.first and other.last <= self.last

    def part(self, first: int, last: int) -> SerialRange:
        """Return the units numbered first to last; raise `Misuse` when one is outside."""
        if not self.first <= first <= last <= self.last:
            raise Misuse(f"{first}..{last} is not within {self.first}..{self.last}")
        return replace(self, first=first, last=last)

    def head(self, amount: int) -> SerialRange:
        """Return the first units.

        Examples
        --------
        >>> str(SerialRange("A", "", 1, 9, 0).head(3))
        'A1..A3'
        """
        return self.part(self.first, self.first + amount - 1)

    def minus(self, other: SerialRange) -> tuple[SerialRange, ...]:
        """Return what remains without the other's units: none, one or two ranges.

        Examples
        --------
        >>> [str(r) for r in SerialRange("A", "", 1, 9, 0).minus(SerialRange("A", "", 3, 4, 0))]
        ['A1..A2', 'A5..A9']
        """
        if not self.overlaps(other):
            return (self,)
        before = [replace(self, last=other.first - 1)] if self.first < other.first else []
        after = [replace(self, first=other.last + 1)] if other.last < self.last else []
        return (*before, *after)


@dataclass(frozen=True, slots=True)
class SerialForm:
    """Where the number stands in a registry's serials: patterns tried in order, then the last run of digits.

    A pattern has the groups ``prefix``, ``suffix`` and either ``number``, or ``first`` and ``last`` (a range in one text).
    """

    patterns: tuple[str, ...] = ()


def tidy(text: str) -> str:
    """Return a serial as it is compared: compatible characters folded, no blanks or invisible signs, upper case.

    Examples
    --------
    >>> tidy(" ｇｅｃ－００1 ")
    'GEC-001'
    """
    folded = unicodedata.normalize("NFKC", text)
    return "".join(sign for sign in folded if not sign.isspace() and unicodedata.category(sign) != "Cf").upper()


def read_range(first: str, last: str | None = None, form: SerialForm | None = None) -> SerialRange:
    """Return the range that a registry writes as first and last serial, or as one text.

    Raises
    ------
    FaultyData
        No number is found, the two are of different series, or the last comes before the first.

    Examples
    --------
    >>> read_range("GEC-0001", "GEC-0100").size
    100
    >>> read_range("VCS-7").size
    1
    """
    left = _read(tidy(first), form)
    if not last or tidy(last) == tidy(first):
        return left
    right = _read(tidy(last), form)
    if left.series != right.series:
        raise FaultyData([_series(first, last)])
    if left.width != right.width and (_padded(left) or _padded(right)):
        raise FaultyData([_series(first, last)])
    if right.last < left.first:
        raise FaultyData([_backwards(first, last)])
    return SerialRange(left.prefix, left.suffix, left.first, right.last, left.width)


def _padded(one: SerialRange) -> bool:
    return len(str(one.first)) < one.width


def _read(text: str, form: SerialForm | None) -> SerialRange:
    if len(text) > MAX_SERIAL_LENGTH:
        raise FaultyData([_unreadable(text[:40] + "…")])
    if _SCIENTIFIC.match(text):
        raise FaultyData([_scientific(text)])
    patterns = [re.compile(pattern) for pattern in form.patterns] if form else []
    for pattern in (*patterns, _TAIL):
        match = pattern.match(text)
        if match is None:
            continue
        groups = match.groupdict()
        first = groups.get("first") or groups.get("number") or ""
        last = groups.get("last") or first
        if int(last) < int(first):
            raise FaultyData([_backwards(first, last)])
        return SerialRange(groups["prefix"], groups.get("suffix") or "", int(first), int(last), len(first))
    raise FaultyData([_unreadable(text)])


def merged(ranges: Iterable[SerialRange]) -> tuple[SerialRange, ...]:
    """Return the same units in as few ranges as possible, sorted.

    Examples
    --------
    >>> [str(r) for r in merged([SerialRange("A", "", 4, 6, 1), SerialRange("A", "", 1, 3, 1)])]
    ['A1..A6']
    """
    made: list[SerialRange] = []
    for one in sorted(ranges, key=lambda r: (r.prefix, r.suffix, r.first, r.last)):
        if made and made[-1].series == one.series and one.first <= made[-1].last + 1:
            made[-1] = replace(made[-1], last=max(made[-1].last, one.last))
        else:
            made.append(one)
    return tuple(made)


def clashes(ranges: Sequence[tuple[str, SerialRange]]) -> list[tuple[int, int]]:
    """Return the places of ranges that share a unit with an earlier one, each with that one; ``str`` is a serial space.

    The later place comes second. One sweep by series: quick for hundreds of thousands.
    """
    order = sorted(range(len(ranges)), key=lambda i: (ranges[i][0], *ranges[i][1].series, ranges[i][1].first))
    found: list[tuple[int, int]] = []
    reach: int | None = None
    for place in order:
        if reach is not None:
            (space, furthest), (other, one) = ranges[reach], ranges[place]
            if space == other and furthest.overlaps(one):
                found.append((min(reach, place), max(reach, place)))
                reach = place if one.last > furthest.last else reach
                continue
        reach = place
    return sorted(found, key=lambda pair: pair[1])


def _unreadable(text: str) -> Problem:
    return _problem("serial_unreadable", f"证书编号“{text}”里没有数字。", f"Serial '{text}' holds no number.")


def _scientific(text: str) -> Problem:
    return _problem(
        "serial_scientific",
        f"编号“{text}”被表格软件改成了科学计数, 末位已丢失。",
        f"Serial '{text}' was turned into a number by a spreadsheet: its last digits are lost.",
    )


def _series(first: str, last: str) -> Problem:
    return _problem(
        "serial_series",
        f"起止编号“{first}”和“{last}”不属于同一序列。",
        f"Serials '{first}' and '{last}' are not of one series.",
    )


def _backwards(first: str, last: str) -> Problem:
    return _problem("serial_backwards", f"止号“{last}”小于起号“{first}”。", f"Last serial '{last}' is below '{first}'.")


def _problem(code: str, zh: str, en: str) -> Problem:
    hint = Text("请对照登记系统导出的原件。", "Compare with the registry's own export.")
    return Problem(f"instruments.{code}", Text(zh, en), hint)
