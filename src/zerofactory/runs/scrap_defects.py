"""Defects as they come: rows of the book's inspected parts and tables of a file; each becomes a part, a station, a disposition, a count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from difflib import get_close_matches
from pathlib import Path

from zerofactory.connectors.tabular import read_table
from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.metering.cells import dates, numbers, texts
from zerofactory.metering.inspected import DEFECTS, GOOD, standing
from zerofactory.periods import Period, zone
from zerofactory.runs.context import Context
from zerofactory.runs.scrap_file import Given, PartEntry
from zerofactory.site.model import Plant

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "date": ("日期", "检验日期", "inspected_at", "day"),
    "shop": ("车间",),
    "station": ("工位", "产线", "line"),
    "part": ("零件", "产品", "product"),
    "defect": ("缺陷", "缺陷类别"),
    "cause": ("原因",),
    "disposition": ("处置", "处置方式"),
    "count": ("件数", "数量", "quantity", "pieces"),
}
REQUIRED = ("date", "part", "defect", "disposition", "count")
WORDS: Mapping[str, tuple[str, ...]] = {
    "scrap": ("报废", "废品"),
    "rework": ("返工", "返修"),
    "accept": ("合格", "让步接收", "放行", "ok"),
    "recheck": ("待复检", "复检"),
}
UNKNOWN = "unknown"
MAX_ROWS = 200_000
MOST = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Defect:
    """Pieces of one kind: ``defect`` is ``ok`` for good ones, ``cause`` ``unknown`` where nobody said."""

    day: date
    part: str
    shop: str
    station: str
    defect: str
    cause: str
    disposition: str
    count: int


def of_file(path: Path, given: Given, plant: Plant) -> list[Defect]:
    """Return the rows of a table of defects (csv or xlsx).

    Raises
    ------
    FaultyData
        Every fault: missing columns, no dates, unknown parts, stations and dispositions, counts that are no whole number above zero.
    """
    frame = read_table(path)
    named, problems = _headed(frame.columns)
    if frame.height > MAX_ROWS:
        problems.append(_fault("rows", Text(f"超过 {MAX_ROWS:,} 行。", f"More than {MAX_ROWS:,} rows."), Text("请按月拆分。", "Split it by month.")))  # fmt: skip
    if problems:
        raise FaultyData([one.at(file=path.name, row=1) for one in problems])
    days, counts = dates(frame[named["date"]]), numbers(frame[named["count"]])
    cells = {name: texts(frame[header]).to_list() for name, header in named.items()}
    known = _Known(given, plant)
    found: list[Defect] = []
    for place, (day, count) in enumerate(zip(days, counts, strict=True)):
        row = {name: cells[name][place] if name in cells else None for name in COLUMNS}
        if not any(row.values()):
            continue
        faults, made = known.read(row, day, count)
        problems += [replace(one, file=path.name, row=place + 2, column=named.get(one.column or "", one.column)) for one in faults]  # fmt: skip
        found += [made] if made is not None else []
    if not found and not problems:
        problems.append(_fault("empty", Text("表中没有数据行。", "The table has no rows."), Text("请从第 2 行起填写。", "Fill it in from row 2 on.")).at(file=path.name))  # fmt: skip
    if problems:
        raise FaultyData(problems)
    return found


def of_book(context: Context, given: Given) -> tuple[list[Defect], list[Problem]]:
    """Return the inspected parts of the book as they stand, and a warning for each that no part of quality.toml is known for."""
    rows = standing(context.workspace.journal.active(DEFECTS).drop("reverses"))
    place = zone(context.workspace.plant.time_zone)
    known = _Known(given, context.workspace.plant)
    found: list[Defect] = []
    strange: dict[str, Problem] = {}
    for row in rows.iter_rows(named=True):
        cells = {**row, "part": row["product"]}
        faults, made = known.read(cells, row["inspected_at"].astimezone(place).date(), row["quantity"])
        found += [made] if made is not None else []
        for one in faults:
            strange.setdefault(one.message.en, Problem(one.code, one.message, one.hint, file=DEFECTS.name, column=one.column, severity="warning"))  # fmt: skip
    return found, list(strange.values())


def part_of(given: Given, plant: Plant, product: str | None, station: str | None) -> str | None:
    """Return the part that a row of the book is of, None where it cannot be told."""
    found = _Known(given, plant).part({"part": product, "station": station})
    return None if isinstance(found, Problem) else found.id


def within(defects: Sequence[Defect], first: date, last: date) -> list[Defect]:
    """Return those of some days, both ends included."""
    return [one for one in defects if first <= one.day <= last]


def days_of(period: Period, time_zone: str) -> tuple[date, date]:
    """Return the first and the last day of a period."""
    place = zone(time_zone)
    return period.start(time_zone).astimezone(place).date(), (period.end(time_zone) - timedelta(days=1)).astimezone(place).date()  # fmt: skip


class _Known:
    """What rows may name."""

    def __init__(self, given: Given, plant: Plant) -> None:
        self.products = {one.id for one in plant.products}
        self.parts = given.parts
        self.shops = {name: one.id for one in plant.shops for name in (one.id, one.name.zh, one.name.en)}
        self.spelled: dict[str, str] = {}
        for one in given.form.parts:
            for name in (one.id, one.name.zh, one.name.en):
                self.spelled.setdefault(name, one.id)
        self.at: dict[str, list[str]] = {}
        for one in given.form.parts:
            for step in one.steps:
                self.at.setdefault(step.station, []).append(one.id)
        self.words = {word: name for name, words in WORDS.items() for word in (name, *words)}

    def read(self, row: Mapping[str, object], day: date | None, count: object) -> tuple[list[Problem], Defect | None]:
        """Return what is wrong with a row, or the row."""
        faults = []
        part = self.part(row)
        if isinstance(part, Problem):
            faults.append(part)
        station = row["station"]
        if not isinstance(part, Problem) and station is not None and station not in [one.station for one in part.steps]:
            faults.append(_choose("station", "station", "工位", str(station), [one.station for one in part.steps]))
        if row.get("shop") and str(row["shop"]) not in self.shops:
            faults.append(_choose("shop", "shop", "车间", str(row["shop"]), sorted(set(self.shops.values()))))
        disposition = self.words.get(str(row["disposition"] or ""))
        if disposition is None:
            faults.append(_choose("disposition", "disposition", "处置", str(row["disposition"] or ""), list(WORDS)))
        if day is None:
            faults.append(_fault("date", Text(f"“{row.get('date') or ''}”不是日期。", f"'{row.get('date') or ''}' is no date."), Text("请写成 2025-03-01。", "Write it as 2025-03-01.")).at(column="date"))  # fmt: skip
        whole = isinstance(count, int | float) and 0 < count <= MOST and float(count).is_integer()
        if not whole:
            faults.append(_fault("count", Text(f"件数“{row.get('count') or ''}”应为正整数。", f"The count '{row.get('count') or ''}' is no whole number above zero."), Text("请填写件数。", "Give a number of pieces.")).at(column="count"))  # fmt: skip
        if not row["defect"]:
            faults.append(_fault("defect", Text("没有写缺陷。", "No defect is stated."), Text(f"合格件写 {GOOD}。", f"Write {GOOD} for a good one.")).at(column="defect"))  # fmt: skip
        if faults or isinstance(part, Problem) or day is None or disposition is None:
            return faults, None
        at = str(station) if station else self._last(part, row)
        shop = next((one.shop for one in part.steps if one.station == at), None) or part.shop
        return [], Defect(day, part.id, shop, at, str(row["defect"]), str(row["cause"] or UNKNOWN), disposition, int(float(str(count))))  # fmt: skip

    def _last(self, part: PartEntry, row: Mapping[str, object]) -> str:
        """Return the last station of a part in the shop that is said; its last of all where it has none there."""
        shop = self.shops.get(str(row.get("shop") or ""))
        there = [one.station for one in part.steps if (one.shop or part.shop) == shop]
        return (there or [one.station for one in part.steps])[-1]

    def part(self, row: Mapping[str, object]) -> PartEntry | Problem:
        """Return the part a row is of: by its name; where it names none, or a vehicle, the only one made at its station."""
        said = str(row["part"] or "")
        name = self.spelled.get(said)
        if name is not None:
            return self.parts[name]
        made = self.at.get(str(row["station"] or ""), [])
        if len(made) == 1 and (not said or said in self.products):
            return self.parts[made[0]]
        return _choose("part", "part", "零件", said, list(self.parts))


def _headed(headers: Sequence[str]) -> tuple[dict[str, str], list[Problem]]:
    """Return which header holds which column, and what is missing or unknown."""
    spelled = {word: name for name, words in COLUMNS.items() for word in (name, *words)}
    named: dict[str, str] = {}
    problems = []
    for header in headers:
        name = spelled.get(header.strip())
        if name is None:
            problems.append(replace(_choose("column", "column", "列", header, list(COLUMNS)), column=header))
        else:
            named.setdefault(name, header)
    for name in REQUIRED:
        if name not in named:
            problems.append(_fault("missing_column", Text(f"缺少“{COLUMNS[name][0]}”({name})列。", f"The column '{name}' is missing."), Text("请加上该列。", "Add it.")).at(column=name))  # fmt: skip
    return named, problems


def _choose(code: str, what: str, zh: str, name: str, choices: Sequence[str]) -> Problem:
    near = get_close_matches(name, choices, n=3)
    few = ", ".join([*near, *(one for one in choices if one not in near)][:12]) or "–"
    return _fault(code, Text(f"没有{zh}“{name}”。", f"There is no {what} '{name}'."), Text(f"可选: {few}。", f"Choose one of: {few}.")).at(column=code)  # fmt: skip


def _fault(code: str, message: Text, hint: Text) -> Problem:
    return Problem(f"scrap.{code}", message, hint)
