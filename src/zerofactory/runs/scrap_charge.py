"""Scrap back into the furnace: the charge mix with and without the rejected pieces of a period, and a charge file for `zf material mix`.

Scrap of the plant's own process carries no footprint of its own and is no recycled content (ISO 14021:2016, 7.8.1.1); its price is what it
would be sold for. Where a row of the table of charges holds it already (returns), it is taken out of that row for the comparison.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.optimisation.material import mix
from zerofactory.optimisation.material.mix import Charge, MixPlan, MixProblem
from zerofactory.optimisation.quality.recovery import rate_of
from zerofactory.runs import material_file as form
from zerofactory.runs import material_problem as problem
from zerofactory.runs.context import Context
from zerofactory.runs.material_file import Given as MixGiven
from zerofactory.runs.material_saving import Booked, booked
from zerofactory.runs.material_table import Row, inside
from zerofactory.runs.scrap import Asked
from zerofactory.runs.scrap_file import GUIDE, NAME, AlloyEntry, Given, read
from zerofactory.runs.scrap_plan import recovery_of
from zerofactory.runs.scrap_recover import scrap_of
from zerofactory.store.files import write_bytes_whole

OWN = "defects-{alloy}"
SOURCE = "本厂循环不再计足迹 / own loop: no footprint of its own"
HEADER = (
    "id", "zh", "en", "price_cny_per_kg", "factor", "footprint_kgco2e_per_kg", "footprint_source", "recycled_fraction", "yield_fraction",
    "available_kg", "least_kg", "baseline_kg", "source", "route",
)  # fmt: skip
PRIMARY = 1e-9


@dataclass(frozen=True, slots=True)
class Returned:
    """Scrap of one alloy: in which row of charges, whether that row was there, how much there is, and how much of the row is charged."""

    alloy: str
    title: Text
    row: str
    held: bool
    available_kg: float
    charged_kg: float
    recovered_fraction: float

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {**{name: getattr(self, name) for name in self.__slots__ if name != "title"}, "title": {"zh": self.title.zh, "en": self.title.en}}  # fmt: skip


@dataclass(frozen=True)
class Recharged:
    """The charge with the scrap and the one without, and what both are in the book."""

    asked: Asked
    mix_file: str
    returned: tuple[Returned, ...]
    with_scrap: MixPlan
    without: MixPlan
    bought_kg: Mapping[str, tuple[float, float]]
    primary_kg: tuple[float, float]
    booked: Booked | None
    files: Mapping[str, str]

    @property
    def is_sound(self) -> bool:
        """Whether both charges exist and passed their checks."""
        return all(one.conflict is None and not one.findings for one in (self.with_scrap, self.without))

    @property
    def saved_primary_kg(self) -> float:
        """Primary metal that need not be bought."""
        return self.primary_kg[1] - self.primary_kg[0]

    @property
    def saved_bought_kg(self) -> float:
        """Charges that need not be bought."""
        return sum(pair[1] - pair[0] for pair in self.bought_kg.values())

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        plans = {"with": self.with_scrap, "without": self.without}
        clash = {name: None if one.conflict is None else one.conflict.as_json() for name, one in plans.items()}
        findings = [{"zh": said.zh, "en": said.en} for one in plans.values() for said in one.findings]
        shared = {"period": self.asked.period.label, "mix_file": self.mix_file, "checked": self.is_sound, "conflict": clash, "findings": findings, "returned": [one.as_json() for one in self.returned]}  # fmt: skip
        if not self.is_sound:
            return shared
        return {
            **shared,
            "bought_kg": {name: {"with": pair[0], "without": pair[1]} for name, pair in self.bought_kg.items()}, "saved_bought_kg": self.saved_bought_kg,
            "primary_kg": {"with": self.primary_kg[0], "without": self.primary_kg[1], "saved": self.saved_primary_kg},
            "cost_cny": {"with": self.with_scrap.cost_cny, "without": self.without.cost_cny, "saved": self.without.cost_cny - self.with_scrap.cost_cny},
            "book": None if self.booked is None else {"with_gco2e": self.booked.plan_gco2e, "without_gco2e": self.booked.before_gco2e, "saved_gco2e": self.booked.saved_gco2e},
        }  # fmt: skip


def run(context: Context, asked: Asked, file: Path | None = None) -> Recharged:
    """Return the best charge of mix.toml with the scrap of a period and without it.

    Raises
    ------
    FaultyData
        Faults of quality.toml, the defects or the charge files; no material names an alloy; a row of charges that is not there.
    """
    given = read(context)
    mixed = form.read(context, form.MixFile, "mix.toml", file)
    whole, rows = problem.mix(mixed, context.workspace.factor_book)
    lots = _lots(context, given, asked, whole)
    after, table = _with(whole, rows, lots)
    before = _without(after, lots)
    plans = mix.plan(after), mix.plan(before)
    returned = tuple(replace(one, charged_kg=plans[0].charged_kg.get(one.row, 0.0)) for one, _ in lots)
    files = _files(mixed, table)
    if any(one.conflict is not None for one in plans):
        return Recharged(asked, mixed.name, returned, *plans, {}, (0.0, 0.0), None, files)
    sources = {row["id"]: row for row in table if row["source"]}
    bought = {name: (plans[0].charged_kg[name], plans[1].charged_kg[name]) for name in sources}
    primary = [name for name, row in sources.items() if row["recycled_fraction"] <= PRIMARY]
    kg = tuple(sum(bought[name][place] for name in primary) for place in (0, 1))
    book = None if mixed.form.book is None else booked(context, mixed.form.book, *(_lines(table, one) for one in plans))
    return Recharged(asked, mixed.name, returned, *plans, bought, (kg[0], kg[1]), book, files)


def write(found: Recharged, folder: Path) -> list[Path]:
    """Write the charge file with its tables into a folder and return them."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for name, content in found.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes_whole(path, content.encode())
        made.append(path)
    return made


Lot = tuple[Returned, Charge]


def _lots(context: Context, given: Given, asked: Asked, whole: MixProblem) -> list[Lot]:
    """Return the scrap of each alloy and the charge it makes."""
    loss = scrap_of(context, given, asked)
    rows = {one.id: one for one in whole.charges}
    lots: list[Lot] = []
    problems = []
    for alloy in given.form.alloys:
        materials = [one for one in given.form.materials if one.alloy == alloy.id]
        kg = sum(loss.scrap_kg.get(one.id, 0.0) for one in materials)
        if alloy.row is not None and alloy.row not in rows:
            problems.append(_no_row(alloy, list(rows)))
        if not kg or problems:
            continue
        entry = materials[0]
        share = recovery_of(entry, context.workspace.factor_book) if entry.fate == "remelted" else rate_of(str(entry.metal), "remelted").fraction or 1.0  # fmt: skip
        row = alloy.row or OWN.format(alloy=alloy.id)
        charge = rows.get(row) or Charge(
            row, alloy.name.text, entry.scrap_price.value, 0.0, 0.0, dict(alloy.content), share, kg
        )
        lots.append((Returned(alloy.id, alloy.name.text, row, row in rows, kg, 0.0, share), charge))
    if not lots and not problems:
        problems.append(_nothing(asked))
    if problems:
        raise FaultyData(problems)
    return lots


def _with(whole: MixProblem, rows: Sequence[Row], lots: Sequence[Lot]) -> tuple[MixProblem, list[Row]]:
    """Return the problem and its table with rows for scrap that no row holds."""
    new = [charge for one, charge in lots if not one.held]
    table = [*rows, *(_row(charge) for charge in new)]
    return replace(whole, charges=(*whole.charges, *new)), table


def _without(after: MixProblem, lots: Sequence[Lot]) -> MixProblem:
    """Return the problem with the scrap taken out of the rows that hold it."""
    gone = {one.row: one.available_kg for one, _ in lots}

    def less(charge: Charge) -> Charge:
        if charge.id not in gone:
            return charge
        left = max(0.0, charge.available_kg - gone[charge.id])
        return replace(charge, available_kg=left, least_kg=min(charge.least_kg, left))

    return replace(after, charges=tuple(less(one) for one in after.charges))


def _row(charge: Charge) -> Row:
    return {
        "id": charge.id, "zh": charge.title.zh, "en": charge.title.en, "price_cny_per_kg": charge.price_cny_per_kg, "factor": "",
        "footprint_kgco2e_per_kg": 0.0, "footprint_source": SOURCE, "recycled_fraction": 0.0, "yield_fraction": charge.yield_fraction,
        "available_kg": charge.available_kg, "least_kg": 0.0, "baseline_kg": 0.0, "source": "", "route": "", "more": dict(charge.content_fraction),
    }  # fmt: skip


def _lines(table: Sequence[Row], found: MixPlan) -> list[dict[str, Any]]:
    return [
        {"source": row["source"], "quantity": found.charged_kg[row["id"]], "route": row["route"], "recycled_fraction": row["recycled_fraction"]}
        for row in table
        if row["source"] and found.charged_kg[row["id"]] > 1e-6
    ]  # fmt: skip


def _files(mixed: MixGiven, table: Sequence[Row]) -> dict[str, str]:
    """Return the charge file, its table with the scrap, and the limits as they are (a workbook of limits is not copied)."""
    elements = sorted({name for row in table for name in row["more"]})
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*HEADER, *(f"{name}_fraction" for name in elements)])
    for row in table:
        writer.writerow(
            [
                *("" if row[name] is None else row[name] for name in HEADER),
                *(row["more"].get(name, 0.0) for name in elements),
            ]
        )
    charges = Path(mixed.form.charges).with_suffix(".csv").as_posix()
    text = mixed.content.decode("utf-8-sig").replace(f'"{mixed.form.charges}"', f'"{charges}"')
    limits = inside(mixed.folder, mixed.form.limits)
    copied = {mixed.form.limits: limits.read_text(encoding="utf-8")} if limits.suffix == ".csv" else {}
    return {mixed.name: text, charges: stream.getvalue(), **copied}


def _no_row(alloy: AlloyEntry, rows: Sequence[str]) -> Problem:
    message = Text(f"炉料表没有“{alloy.row}”行。", f"The table of charges has no row '{alloy.row}'.")
    few = ", ".join(rows[:12])
    return Problem("scrap.no_row", message, Text(f"可选: {few}。", f"Choose one of: {few}."), file=NAME, column=f"alloys[{alloy.id}].row")  # fmt: skip


def _nothing(asked: Asked) -> Problem:
    message = Text(f"{asked.period.label} 没有写明合金的报废件。", f"No scrapped pieces of a stated alloy in {asked.period.label}.")  # fmt: skip
    return Problem("scrap.no_alloy", message, GUIDE, file=NAME, column="alloys")
