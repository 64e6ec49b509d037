"""Budgets of a workspace: set a year's amount, split to shops and months, and see how it is used up and will end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from zerofactory.accounting.energy import energy_consumption
from zerofactory.accounting.quantify import quantify
from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.metering.activity import from_meters
from zerofactory.metering.interval import MISSING, MeterMonth
from zerofactory.monitoring.booking import COUNTED
from zerofactory.periods import Period
from zerofactory.planning.budget import (
    BUDGETS,
    KINDS,
    SPLITS,
    UNITS,
    Budget,
    Cell,
    Kind,
    Month,
    YearEnd,
    allowances,
    last_year,
    seasonal,
    split,
    year_end,
)
from zerofactory.runs.context import Context, run_row
from zerofactory.runs.profile import meter_month, months_of
from zerofactory.store.schema import ACTIVITIES, RECORDS, RUNS

KWH_PER_TCE = 29.3076e6 / 3600.0
CUTS = ("month", "shop")


@dataclass(frozen=True, slots=True)
class Asked:
    """A budget to be set: amounts in gCO2e and Wh (None: not set), and how to split them.

    Parameters
    ----------
    split : {'last_year', 'seasonal', 'given'}
        ``given`` reads ``file``: a CSV with ``shop``, ``month`` and ``share`` (any positive numbers).
    """

    year: int
    carbon_gco2e: int | None = None
    energy_wh: int | None = None
    split: str = "last_year"
    file: Path | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One shop, month or the whole: budget, used, and what may still be used; ``state`` closed, provisional, open."""

    key: str
    budget: int
    used: int
    left: int
    state: str


@dataclass(frozen=True, slots=True)
class View:
    """A budget beside what was used."""

    budget: Budget
    lines: tuple[Line, ...]
    end: YearEnd
    allowances: Mapping[Cell, int]
    by: str

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        budget, end = self.budget, self.end
        return {
            "kind": budget.kind, "year": budget.year, "version": budget.version, "unit": UNITS[budget.kind], "total": budget.total,
            "split": budget.split, "basis": budget.basis, "reason": budget.reason, "by": self.by,
            "lines": [{"key": one.key, "budget": one.budget, "used": one.used, "left": one.left, "state": one.state} for one in self.lines],
            "year_end": {
                "used": end.used, "expected": end.expected, "low": end.low, "high": end.high, "confidence_fraction": end.confidence_fraction,
                "back_tests": end.errors, "method": {"zh": end.method.zh, "en": end.method.en}, "status": end.status,
                "breaks_on": end.breaks_on.isoformat() if end.breaks_on else None,
                "breaks_early_on": end.breaks_early_on.isoformat() if end.breaks_early_on else None,
            },
            "allowances": [{"shop": shop, "month": month, "amount": amount} for (shop, month), amount in self.allowances.items()],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Used:
    """What was used by shop and month, and how much of each month is over."""

    amounts: Mapping[Cell, int]
    parts: Mapping[str, float]
    closed: frozenset[str]

    def months(self) -> list[Month]:
        """Return the months in order."""
        made = []
        for label in sorted(self.parts):
            amount = sum(value for (_, month), value in self.amounts.items() if month == label)
            made.append(Month(label, amount, self.parts[label]))
        return made


def set_(context: Context, asked: Asked) -> list[Budget]:
    """Book a year's budget; an earlier one of the year stays in the book as the version before.

    Raises
    ------
    FaultyData
        No amount, an amount that is not positive, or nothing that a split could rest on.
    NotFound
        No such way to split.
    """
    if asked.split not in SPLITS:
        raise NotFound(Text("分解方法", "way to split"), asked.split, SPLITS)
    amounts: Mapping[Kind, int | None] = {"carbon": asked.carbon_gco2e, "energy": asked.energy_wh}
    wanted = [(kind, amount) for kind, amount in amounts.items() if amount is not None]
    if not wanted or any(amount <= 0 for _, amount in wanted):
        raise FaultyData(
            [_fault("no_amount", "没有给出预算量, 或不是正数。", "No amount was given, or it is not positive.")]
        )
    made = []
    for kind, amount in wanted:
        weights, basis = _weights(context, kind, asked)
        version = 1 + max((one.version for one in versions(context, kind, asked.year)), default=0)
        made.append(Budget(kind, asked.year, version, split(amount, weights), asked.split, basis, asked.reason or None))
    _book(context, made)
    return made


def _weights(context: Context, kind: Kind, asked: Asked) -> tuple[dict[Cell, int], str]:
    if asked.split == "given":
        return _given(context, asked)
    found = used(context, kind, [month.label for month in Period(asked.year - 1).months()])
    if asked.split == "last_year":
        lacking = [month.label for month in Period(asked.year - 1).months() if found.parts.get(month.label, 0.0) < 1.0]
        if lacking:
            hint = Text("请改用 --split seasonal 或 given。", "Use --split seasonal or given.")
            listed = ", ".join(lacking)
            raise FaultyData([_fault("no_last_year", f"上年缺月份: {listed}。", f"Months of last year are lacking: {listed}.", hint)])  # fmt: skip
        return last_year(found.amounts, asked.year), f"{asked.year - 1}"
    labels = [label for label in months_of(context) if label < f"{asked.year + 1}"][-12:]
    found = used(context, kind, labels)
    if not any(amount > 0 for amount in found.amounts.values()):
        raise FaultyData([_fault("nothing_used", "账本里没有可依据的月份。", "The book has no months to rest on.")])
    known = sorted(found.parts)
    return seasonal(found.amounts, asked.year, context.workspace.plant.calendar), f"{known[0]}..{known[-1]}"


def _given(context: Context, asked: Asked) -> tuple[dict[Cell, int], str]:
    if asked.file is None:
        raise FaultyData([_fault("no_file", "--split given 需要 --file。", "--split given needs --file.")])
    rows = pl.read_csv(asked.file, infer_schema=False, glob=False)
    lacking = [name for name in ("shop", "month", "share") if name not in rows.columns]
    if lacking:
        listed = ", ".join(lacking)
        raise FaultyData([_fault("columns", f"缺少列: {listed}。", f"Columns are lacking: {listed}.").at(file=asked.file.name)])  # fmt: skip
    shops, months = {shop.id for shop in context.workspace.plant.shops}, {m.label for m in Period(asked.year).months()}
    problems, weights = [], {}
    for number, (shop, month, share) in enumerate(rows.select("shop", "month", "share").iter_rows(), start=2):
        try:
            weight = round(float(share) * 1_000_000)
        except (TypeError, ValueError):
            weight = -1
        if shop not in shops or month not in months or weight < 0 or (shop, month) in weights:
            said = f"“{shop},{month},{share}”不可用。", f"'{shop},{month},{share}' cannot be used."
            hint = Text("车间编号、当年月份(2026-01)、非负份额, 不得重复。", "A shop's id, a month of the year, a share of at least zero, once each.")  # fmt: skip
            problems.append(_fault("row", *said, hint).at(file=asked.file.name, row=number))
        else:
            weights[(shop, month)] = weight
    if not problems and not any(weights.values()):
        problems.append(_fault("no_share", "份额全为零。", "All shares are zero."))
    if problems:
        raise FaultyData(problems)
    return weights, asked.file.name


def used(context: Context, kind: Kind, labels: Sequence[str]) -> Used:
    """Return what months came to by shop: as booked where closed, as far as read (gaps not filled) while open."""
    workspace = context.workspace
    there = [label for label in months_of(context) if label in set(labels)]
    closed = frozenset(set(workspace.seals()["period"]) & set(there))
    amounts: dict[Cell, int] = {}
    parts = {}
    for label in there:
        if label in closed:
            parts[label] = 1.0
            if kind == "carbon":
                rows = workspace.journal.active(RECORDS, {"period": label, "scope": [1, 2]}).filter(COUNTED)
                amounts |= {(shop, label): grams for shop, grams in rows.group_by("shop").agg(pl.col("emissions_gco2e").sum()).sort("shop").iter_rows()}  # fmt: skip
                continue
            activities = workspace.journal.active(ACTIVITIES, {"period": label}).drop("reverses")
        else:
            month = meter_month(context, label)
            if not _part(month):
                continue  # of which only a register's closing reading is there
            parts[label] = _part(month)
            documents = workspace.journal.active(ACTIVITIES, {"period": label}, brought_by="import").drop("reverses")
            metered = from_meters(month, workspace.plant)
            activities = pl.concat([metered, documents.select(metered.columns)])
        amounts |= {(shop, label): amount for shop, amount in _of(context, kind, activities).items()}
    return Used(amounts, parts, closed)


def _of(context: Context, kind: Kind, activities: pl.DataFrame) -> dict[str, int]:
    plant, book = context.workspace.plant, context.workspace.factor_book
    if kind == "carbon":
        made = quantify(activities, plant, book, known_at=context.today).records.filter(COUNTED)
        return dict(made.group_by("shop").agg(pl.col("emissions_gco2e").sum()).sort("shop").iter_rows())
    found = {}
    for (shop,), rows in sorted(activities.partition_by("shop", as_dict=True).items(), key=lambda pair: str(pair[0])):
        energy = energy_consumption(rows, plant, book, known_at=context.today)
        if energy.lines:
            found[str(shop)] = round(energy.total_tce * KWH_PER_TCE * 1000.0)
    return found


def _part(month: MeterMonth) -> float:
    """Return how much of an open month is over: up to the last slot that most meters have reached."""
    there = (month.state != MISSING).mean(axis=0) >= 0.5
    last = int(np.flatnonzero(there)[-1]) + 1 if there.any() else 0
    return min(last / month.grid.slots, 1.0)


def versions(context: Context, kind: Kind, year: int) -> list[Budget]:
    """Return every version of a budget, the oldest first."""
    rows = context.workspace.journal.active(BUDGETS, {"kind": kind, "year": year})
    found = []
    for (version,), part in sorted(rows.partition_by("version", as_dict=True).items()):
        head = part.row(0, named=True)
        cells = {(shop, month): amount for shop, month, amount in part.select("shop", "month", "amount").iter_rows()}
        found.append(Budget(kind, year, int(version), cells, head["split"], head["basis"], head["reason"]))
    return found


def show(context: Context, year: int | None = None, by: str = "month", kind: str | None = None) -> list[View]:
    """Return the newest budgets of a year (default: the newest year that has one) beside what was used.

    Raises
    ------
    NotFound
        No budget of that year, no such cut or kind.
    """
    if by not in CUTS:
        raise NotFound(Text("划分方式", "cut"), by, CUTS)
    if kind is not None and kind not in KINDS:
        raise NotFound(Text("预算种类", "kind of budget"), kind, KINDS)
    years = sorted(set(context.workspace.journal.active(BUDGETS)["year"].to_list()))
    chosen = year if year is not None else (years[-1] if years else context.today.year)
    if chosen not in years:
        said = Text("预算(请先 zf budget set)", "budget (set one with zf budget set)")
        raise NotFound(said, str(chosen), [str(one) for one in years])
    wanted = [one for one in KINDS if kind in (None, one)]
    return [_view(context, found[-1], by) for one in wanted if (found := versions(context, one, chosen))]


def current(context: Context, kind: Kind, year: int) -> dict[Cell, int]:
    """Return what each shop may still use in each open month under the newest budget: the constraint that plans keep.

    Raises `NotFound` when the year has no budget of that kind.
    """
    return dict(show(context, year, "month", kind)[0].allowances)


def _view(context: Context, budget: Budget, by: str) -> View:
    labels = [m.label for year in range(budget.year - 3, budget.year + 1) for m in Period(year).months()]
    found = used(context, budget.kind, labels)
    end = year_end(budget, found.months(), context.workspace.plant.calendar)
    own = {cell: amount for cell, amount in found.amounts.items() if cell[1][:4] == str(budget.year)}
    over = [label for label in found.closed if label[:4] == str(budget.year)]
    place = 1 if by == "month" else 0
    planned = budget.by_month() if by == "month" else budget.by_shop()
    keys = sorted({*planned, *(cell[place] for cell in own)})
    lines = []
    for key in keys:
        spent = sum(amount for cell, amount in own.items() if cell[place] == key)
        state = "closed" if key in found.closed else "provisional" if key in found.parts else "open"
        state = "" if by == "shop" else state
        lines.append(Line(key, planned.get(key, 0), spent, planned.get(key, 0) - spent, state))
    return View(budget, tuple(lines), end, allowances(budget, own, over), by)


def _book(context: Context, made: Sequence[Budget]) -> None:
    rows = []
    for budget in made:
        name = f"{budget.year}-{budget.kind}.v{budget.version}"
        for number, ((shop, month), amount) in enumerate(budget.cells.items(), start=1):
            rows.append(
                {
                    "line_id": f"{name}.{number:04d}", "budget_id": name, "year": budget.year, "version": budget.version,
                    "kind": budget.kind, "shop": shop, "month": month, "amount": amount, "unit": UNITS[budget.kind],
                    "split": budget.split, "basis": budget.basis, "reason": budget.reason, "actor": context.actor, "at": context.at,
                }
            )  # fmt: skip
    payload = {
        "budgets": [f"{one.year}-{one.kind}.v{one.version}" for one in made],
        "totals": [one.total for one in made],
    }
    workspace = context.workspace
    with workspace.locked(), workspace.journal.writing(at=context.at, kind="budget", actor=context.actor) as writer:
        writer.append(BUDGETS, BUDGETS.frame(rows))
        writer.append(RUNS, run_row("budget", context, payload, payload, len(rows)))
        writer.payload = payload


def _fault(code: str, zh: str, en: str, hint: Text | None = None) -> Problem:
    return Problem(f"budget.{code}", Text(zh, en), hint or Text("请补正后重试。", "Mend it and try again."))
