"""Check a workspace before any work: the plant file, its sources and factors, what has come in and what is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from zerofactory.accounting.source import sources
from zerofactory.errors import FaultyData, NotFound, Problem, Text, errors_of
from zerofactory.factors.calendar import best_before
from zerofactory.factors.resolve import Scope, check
from zerofactory.runs.context import Context
from zerofactory.runs.energy_assets import plant_assets
from zerofactory.runs.energy_tariff import plant_tariff
from zerofactory.runs.factor import resolve
from zerofactory.site.model import SourceUse
from zerofactory.store.schema import ACTIVITIES
from zerofactory.store.workspace import PLANT_FILE


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One thing looked at and what was seen."""

    title: Text
    result: Text


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check saw."""

    lines: tuple[CheckLine, ...]
    problems: tuple[Problem, ...]

    @property
    def failed(self) -> bool:
        """Whether something must be mended first."""
        return bool(errors_of(self.problems))

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        lines = [
            {"title": {"zh": x.title.zh, "en": x.title.en}, "result": {"zh": x.result.zh, "en": x.result.en}}
            for x in self.lines
        ]
        return {"lines": lines, "problems": [problem.as_json() for problem in self.problems]}


def run(context: Context) -> CheckReport:
    """Check the workspace; raise `FaultyData` when the plant file itself cannot be read."""
    workspace = context.workspace
    plant, book = workspace.plant, workspace.factor_book
    problems = [problem.at(file=PLANT_FILE) for use in plant.sources for problem in _source_problems(context, use)]
    equipment, faults = plant_assets(plant)
    problems += [problem.at(file=PLANT_FILE) for problem in (*faults, *_tariff_problems(context))]
    problems += [problem.at(file=PLANT_FILE) for problem in check(book, scope_of(context), plant.accounting.gwp_set)]
    problems += _rule_problems(context)
    due = best_before(book, context.today)
    batches = workspace.batches()
    seals = workspace.seals()
    documents = workspace.journal.active(ACTIVITIES, brought_by="import").height
    readings = batches.filter(pl.col("kind") == "readings")["rows"].sum()
    lines = (
        CheckLine(Text("工厂", "plant"), plant.name),
        CheckLine(
            Text("车间 / 产线 / 表计", "shops / lines / meters"),
            _same(f"{len(plant.shops)} / {len(plant.lines)} / {len(plant.meters)}"),
        ),
        CheckLine(
            Text("设备 / 其中能源设备", "assets / of these energy assets"),
            _same(f"{len(plant.assets)} / {len(equipment)}"),
        ),
        CheckLine(Text("排放源", "sources"), Text(f"{len(plant.sources)} 个", str(len(plant.sources)))),
        CheckLine(
            Text("GWP / 电网因子层级", "GWP set / level of grid factors"),
            _same(f"{plant.accounting.gwp_set} / {plant.accounting.grid_level}"),
        ),
        CheckLine(
            Text("因子", "factors"),
            Text(f"{len(book.by_id)} 条, {len(book.sets)} 个因子集", f"{len(book.by_id)} in {len(book.sets)} sets"),
        ),
        CheckLine(
            Text("已过更新日期的因子", "factors past their date of renewal"),
            Text(f"{len(due)} 条(见 zf list best-before)", f"{len(due)} (see zf list best-before)"),
        ),
        CheckLine(Text("已导入读数 / 凭证", "readings / documents imported"), _same(f"{readings:,} / {documents:,}")),
        CheckLine(Text("已封存月份", "closed months"), _same(", ".join(seals.sort("period")["period"]) or "—")),
    )
    return CheckReport(lines, tuple(problems))


def _rule_problems(context: Context) -> list[Problem]:
    """Return what is wrong with the plant's own rule books and thresholds, where it has any."""
    folder = context.workspace.folder
    if not (folder / "thresholds.toml").is_file() and not (folder / "standards").is_dir():
        return []
    from zerofactory.runs.evaluate import library

    try:
        books = library(folder)
    except FaultyData as fault:
        return list(fault.problems)
    problems: list[Problem] = []
    for name in sorted({*books.own, *(entry.standard for entry in books.stated)}):
        try:
            books.rules(name)
        except FaultyData as fault:
            problems += fault.problems
    return problems


def scope_of(context: Context) -> Scope:
    """Return how the plant as a whole asks for factors today."""
    plant = context.workspace.plant
    choices = plant.accounting
    return Scope(
        region=plant.region,
        on=context.today,
        known_at=context.today,
        grid_level=choices.grid_level,
        fuel_sets=choices.fuel_sets,
        accepted=choices.accepted,
        pins={pin.role: (pin.factor, pin.reason) for pin in choices.pin},
    )


def _source_problems(context: Context, use: SourceUse) -> Sequence[Problem]:
    """Return the faults of one source of the plant: unknown kind or item, factors that cannot be chosen."""
    place = f"sources.{use.id}"
    kind = sources().get(use.kind)
    if kind is None:
        return [
            NotFound(Text("排放源种类", "kind of source"), use.kind, tuple(sources()))
            .as_problem()
            .at(column=f"{place}.kind")
        ]
    if kind.scope == 0 or not use.meters:
        return []
    try:
        resolve(context, use.id, context.today)
    except FaultyData as fault:
        return [replace(problem, column=place) for problem in fault.problems]
    except NotFound as fault:
        return [fault.as_problem().at(column=place)]
    return []


def _tariff_problems(context: Context) -> Sequence[Problem]:
    """Return the faults of the tariff the plant names, if it names one."""
    plant = context.workspace.plant
    if plant.tariff is None:
        return []
    try:
        plant_tariff(plant, context.workspace.folder)
    except FaultyData as fault:
        return fault.problems
    except NotFound as fault:
        return [fault.as_problem().at(column="tariff")]
    return []


def _same(text: str) -> Text:
    return Text(text, text)
