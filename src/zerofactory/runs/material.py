"""Material: slit coils, nest blanks, cut sheets, mix a charge. Problem → model → plan → independent check → the same accounting."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from shapely.affinity import translate
from shapely.geometry import Polygon

from zerofactory.errors import Language, Text
from zerofactory.optimisation.material import check, nest_cuts, sheet, sheet_cuts, slit, slit_cuts, strip
from zerofactory.optimisation.material.cuts import Bound, Masses, cut_rows
from zerofactory.optimisation.material.drawing import Panel, outline, rectangle, svg
from zerofactory.optimisation.material.metal import Metal, metal
from zerofactory.optimisation.material.nest_cuts import Nest
from zerofactory.optimisation.material.progressive import LAYOUTS, search, turned
from zerofactory.optimisation.material.slit_cuts import masses as masses_of
from zerofactory.optimisation.material.slit_problem import SlitProblem
from zerofactory.runs import material_file as form
from zerofactory.runs import material_problem as problem
from zerofactory.runs.context import Context
from zerofactory.runs.material_file import Given
from zerofactory.runs.material_problem import BlankRow
from zerofactory.runs.material_saving import Before, Saving, before_of, saving

DRAWN_PITCHES = 3
Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class MaterialResult:
    """A plan of cutting that passed its check, or why there is none.

    ``findings`` are what the check found (then rows, masses and drawings are empty), ``unmet`` orders that cannot be met together.
    """

    kind: str
    given: Given
    bounds: tuple[Bound, ...]
    rows: Rows
    masses: Masses
    saving: Saving | None
    panels: tuple[Panel, ...]
    runtime_s: float
    findings: tuple[Text, ...] = ()
    unmet: tuple[str, ...] = ()
    nests: tuple[dict[str, Any], ...] = field(default=())

    @property
    def title(self) -> Text:
        """The title of the file."""
        return self.given.form.title.text  # type: ignore[no-any-return]

    @property
    def is_sound(self) -> bool:
        """Whether there is a plan and it passed its check."""
        return not self.findings and not self.unmet

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values; no plan where the check found something."""
        return {
            "kind": self.kind, "file": self.given.name, "title": {"zh": self.title.zh, "en": self.title.en},
            "fictional": self.given.form.fictional, "checked": self.is_sound,
            "findings": [{"zh": one.zh, "en": one.en} for one in self.findings], "unmet": list(self.unmet),
            "bounds": [one.as_json() for one in self.bounds], "masses": self.masses.as_json(),
            "saving": None if self.saving is None else self.saving.as_json(), "nests": list(self.nests), "cuts": self.rows,
            "runtime_s": round(self.runtime_s, 3),
        }  # fmt: skip


def picture(result: MaterialResult, language: Language) -> str:
    """Return the layouts of a sound plan as one SVG."""
    return svg(result.title, result.panels, language)


def run_slit(context: Context, file: Path | None = None, time_s: float | None = None) -> MaterialResult:
    """Return how to slit the coils of slit.toml."""
    given = form.read(context, form.SlitFile, "slit.toml", file)
    asked = problem.slit(given)
    kind = metal(given.form.metal)
    plan = slit.plan(asked, time_s or given.form.time_s)
    if plan.unmet or plan.bound is None:
        return _nothing("slit", given, plan.runtime_s, plan.unmet)
    rows = slit_cuts.rows(asked, plan, kind)
    findings = check.check_slit(asked, rows)
    if findings:
        return _refused("slit", given, plan.runtime_s, findings)
    return _result(
        context, ("slit", given), ([plan.bound], plan.runtime_s), rows, _lanes(rows), price=_price(asked, rows)
    )


def _price(asked: SlitProblem, rows: Rows) -> float:
    """Return the mean price of the coils used, by mass."""
    prices = {coil.id: coil.price_cny_per_kg for coil in asked.coils}
    used = [(float(row["mass_kg"]) * int(row["repeats"]), prices[str(row["stock"])]) for row in rows]
    return float(sum(mass * price for mass, price in used) / sum(mass for mass, _ in used))


def run_sheet(context: Context, file: Path | None = None, time_s: float | None = None) -> MaterialResult:
    """Return how to cut the sheets of sheet.toml, each grade and gauge by itself."""
    given = form.read(context, form.SheetFile, "sheet.toml", file)
    asked = problem.sheets(given)
    kind = metal(given.form.metal)
    rows: Rows = []
    bounds, runtime_s = [], 0.0
    for group, one in enumerate(asked, start=1):
        plan = sheet.plan(one, (time_s or given.form.time_s) / len(asked), given.form.rules.seed)
        runtime_s += plan.runtime_s
        if plan.unmet or plan.bound is None:
            return _nothing("sheet", given, runtime_s, plan.unmet)
        own = sheet_cuts.rows(one, plan, kind)
        findings = check.check_sheet(one, own)
        if findings:
            return _refused("sheet", given, runtime_s, findings)
        rows += [{**row, "pattern": f"{group}-{row['pattern']}"} for row in own]
        bounds.append(plan.bound)
    rows = cut_rows([{name: value for name, value in row.items() if name != "cut_id"} for row in rows])
    prices = {one.id: one.price_cny_per_kg for group in asked for one in group.sheets}
    return _result(context, ("sheet", given), (bounds, runtime_s), rows, _sheets(rows), price=_mean(rows, prices))


def _mean(rows: Rows, prices: Mapping[str, float]) -> float:
    used = [(float(row["mass_kg"]) * int(row["repeats"]), prices[str(row["stock"])]) for row in rows]
    total = sum(mass for mass, _ in used)
    return sum(mass * price for mass, price in used) / total if total else 0.0


def run_nest(context: Context, file: Path | None = None, time_s: float | None = None) -> MaterialResult:
    """Return how to lay the blanks of nest.toml: progressive and transfer blanks each on its strip, the others mixed on one."""
    given = form.read(context, form.NestFile, "nest.toml", file)
    blanks = problem.blanks(given)
    kind = metal(given.form.metal)
    outlines = {one.part.id: one.part.outline for one in blanks}
    nests, bounds, runtime_s, unmet = _nests(given, blanks, time_s or given.form.time_s)
    if unmet:
        return _nothing("nest", given, runtime_s, tuple(unmet))
    findings = tuple(one for nest in nests for one in check.check_nest(nest, outlines))
    if findings:
        return _refused("nest", given, runtime_s, findings)
    rows = nest_cuts.rows(nests, outlines, kind)
    panels = tuple(_strip_panel(nest, outlines) for nest in nests)
    before = _nest_before(given, blanks, kind)
    found = _result(
        context,
        ("nest", given),
        (bounds, runtime_s),
        rows,
        panels,
        before=before,
        overrun=_overrun(nests, outlines, kind),
    )
    return replace(found, nests=tuple(_told(nest, outlines) for nest in nests))


def _nests(given: Given, blanks: Sequence[BlankRow], time_s: float) -> tuple[list[Nest], list[Bound], float, list[str]]:
    by_id = {one.part.id: one for one in blanks}
    paired = {one.pair for one in blanks if one.pair}
    nests, bounds, unmet, runtime_s = [], [], [], 0.0
    for one in blanks:
        if one.mode == "strip" or one.part.id in paired:
            continue
        parts = [(one.part.id, one.part.outline)] + ([(one.pair, by_id[one.pair].part.outline)] if one.pair else [])
        found = search(parts, one.rules, one.layouts or None)
        if found is None:
            unmet.append(one.part.id)
            continue
        runtime_s += found.runtime_s
        wanted = {name: by_id[name].part.pieces for name, _ in parts}
        up = {name: sum(placed.part == name for placed in found.placed) for name in wanted}
        repeats = max(math.ceil(pieces / up[name]) for name, pieces in wanted.items())
        rules = given.form.rules
        nests.append(
            Nest(
                one.part.id,
                one.grade,
                one.thickness_mm,
                found.pitch_mm,
                found.width_mm,
                found.placed,
                repeats,
                wanted,
                rules.bridge_mm,
                rules.margin_mm,
                True,
                found.layout,
            )
        )
        bounds.append(
            Bound(
                found.pitch_mm * found.width_mm,
                found.area_mm2,
                Text("mm2/步", "mm2 a pitch"),
                Text("零件净面积", "net area of the blanks"),
            )
        )
    mixed = sorted({(one.grade, one.thickness_mm, one.strip_width_mm) for one in blanks if one.mode == "strip"})
    for group in mixed:
        nest, bound, spent = _mixed(
            given,
            [
                one
                for one in blanks
                if one.mode == "strip" and (one.grade, one.thickness_mm, one.strip_width_mm) == group
            ],
            time_s / len(mixed),
        )
        nests.append(nest)
        bounds.append(bound)
        runtime_s += spent
    return nests, bounds, runtime_s, unmet  # fmt: skip


def _mixed(given: Given, blanks: Sequence[BlankRow], time_s: float) -> tuple[Nest, Bound, float]:
    """Return one length of strip that holds ``per_strip`` of each part."""
    rules, first = given.form.rules, blanks[0]
    parts = tuple(replace(one.part, pieces=one.per_strip) for one in blanks)
    asked = strip.StripProblem(parts, first.strip_width_mm, rules.bridge_mm, rules.margin_mm)
    plan = strip.plan(asked, time_s, rules.seed)
    repeats = max(math.ceil(one.part.pieces / one.per_strip) for one in blanks)
    wanted = {one.part.id: one.part.pieces for one in blanks}
    name = f"{first.grade}-{first.thickness_mm:g}-{first.strip_width_mm:g}"
    length = plan.length_mm + rules.bridge_mm
    nest = Nest(
        name,
        first.grade,
        first.thickness_mm,
        length,
        first.strip_width_mm,
        plan.placed,
        repeats,
        wanted,
        rules.bridge_mm,
        rules.margin_mm,
        False,
    )
    return nest, plan.bound, plan.runtime_s  # fmt: skip


def _overrun(nests: Sequence[Nest], outlines: Mapping[str, Polygon], kind: Metal) -> dict[tuple[str, str], float]:
    """Return the mass of blanks made beyond what is ordered, since strokes and strips are whole: scrap of its own kind."""
    found: dict[tuple[str, str], float] = {}
    for nest in nests:
        for part, pieces in nest.wanted.items():
            made = [one.part for one in nest.placed].count(part) * nest.repeats
            mass = kind.mass_kg(outlines[part].area, nest.thickness_mm) * (made - pieces)
            if made > pieces:
                found[nest.grade, "overrun"] = found.get((nest.grade, "overrun"), 0.0) + mass
    return found


def _nest_before(given: Given, blanks: Sequence[BlankRow], kind: Metal) -> Before | None:
    """Return the present practice from the strips stated for each part; None where one states none."""
    if any(one.baseline_area_mm2 <= 0 for one in blanks):
        return None
    put_in = sum(kind.mass_kg(one.baseline_area_mm2, one.thickness_mm) * one.part.pieces for one in blanks)
    evidence = given.form.baseline.evidence.text if given.form.baseline else Text("零件表中的现行步距和料宽", "present pitch and width in the table of parts")  # fmt: skip
    return Before(put_in, evidence)


def _result(
    context: Context,
    what: tuple[str, Given],
    solved: tuple[Sequence[Bound], float],
    rows: Rows,
    panels: tuple[Panel, ...],
    **more: Any,
) -> MaterialResult:
    masses = masses_of(rows)
    overrun: dict[tuple[str, str], float] = more.get("overrun") or {}
    if overrun:
        scrap = dict(masses.scrap_kg)
        for key, mass in overrun.items():
            scrap[key] = scrap.get(key, 0.0) + mass
        masses = replace(masses, good_kg=masses.good_kg - sum(overrun.values()), scrap_kg=scrap)
    own = what[1].form
    before = more.get("before") or before_of(own.baseline, masses)
    found = saving(context, own, masses, before, more.get("price"))
    return MaterialResult(what[0], what[1], tuple(solved[0]), rows, masses, found, panels, solved[1])


def _nothing(kind: str, given: Given, runtime_s: float, unmet: tuple[str, ...]) -> MaterialResult:
    return MaterialResult(kind, given, (), [], Masses(0.0, 0.0, 0.0), None, (), runtime_s, unmet=unmet)


def _refused(kind: str, given: Given, runtime_s: float, findings: tuple[Text, ...]) -> MaterialResult:
    return MaterialResult(kind, given, (), [], Masses(0.0, 0.0, 0.0), None, (), runtime_s, findings=findings)


def _grouped(rows: Rows) -> dict[str, Rows]:
    found: dict[str, Rows] = {}
    for row in rows:
        found.setdefault(str(row["pattern"]), []).append(row)
    return found


def _lanes(rows: Rows) -> tuple[Panel, ...]:
    """Return one panel a pattern of slitting."""
    found = []
    for name, lanes in _grouped(rows).items():
        first: Any = lanes[0]
        width = sum(float(lane["width_mm"]) for lane in lanes)
        shapes = tuple(
            rectangle(str(lane["use"]), f"{lane['part']} {lane['width_mm']:g}".strip(), 0.0, float(lane["y_mm"]), (first["length_mm"], float(lane["width_mm"])))
            for lane in lanes
        )  # fmt: skip
        title = Text(
            f"{name} · 卷 {first['stock']} · {first['grade']} {first['thickness_mm']:g} mm · 宽 {width:g} mm · × {first['repeats']}",
            f"{name} · coil {first['stock']} · {first['grade']} {first['thickness_mm']:g} mm · {width:g} mm wide · × {first['repeats']}",
        )
        found.append(Panel(title, first["length_mm"], width, shapes))
    return tuple(found)


def _sheets(rows: Rows) -> tuple[Panel, ...]:
    """Return one panel a pattern of sheets."""
    found = []
    for name, boxes in _grouped(rows).items():
        frame: Any = next(row for row in boxes if row["use"] == "scrap")
        shapes = tuple(
            rectangle("piece", str(row["part"]), float(row["x_mm"]), float(row["y_mm"]), (float(row["length_mm"]), float(row["width_mm"])))
            for row in boxes
            if row["use"] == "piece"
        )  # fmt: skip
        title = Text(
            f"{name} · 板 {frame['stock']} · {frame['grade']} {frame['thickness_mm']:g} mm · × {frame['repeats']}",
            f"{name} · sheet {frame['stock']} · {frame['grade']} {frame['thickness_mm']:g} mm · × {frame['repeats']}",
        )
        found.append(Panel(title, frame["length_mm"], frame["width_mm"], shapes))
    return tuple(found)


def _strip_panel(nest: Nest, outlines: Mapping[str, Polygon]) -> Panel:
    """Return a strip: a periodic one over a few pitches, every blank whole."""
    times = DRAWN_PITCHES if nest.is_pitch else 1
    shapes = [
        (one.part, translate(turned(outlines[one.part], one), k * nest.length_mm, 0.0))
        for k in range(times)
        for one in nest.placed
    ]
    left = min(shape.bounds[0] for _, shape in shapes)
    right = max(shape.bounds[2] for _, shape in shapes)
    drawn = tuple(outline("piece", name, translate(shape, -left, 0.0)) for name, shape in shapes)
    layout = LAYOUTS.get(nest.layout, Text("混排", "mixed"))
    title = Text(
        f"{nest.name} · {layout.zh} · {'步距' if nest.is_pitch else '长'} {nest.length_mm:.2f} mm × 料宽 {nest.width_mm:.2f} mm · × {nest.repeats}",
        f"{nest.name} · {layout.en} · {'pitch' if nest.is_pitch else 'length'} {nest.length_mm:.2f} mm × width {nest.width_mm:.2f} mm · × {nest.repeats}",
    )
    return Panel(title, right - left, nest.width_mm, drawn)


def _told(nest: Nest, outlines: Mapping[str, Polygon]) -> dict[str, Any]:
    """Return a strip as plain values."""
    area = sum(outlines[one.part].area for one in nest.placed)
    layout = LAYOUTS.get(nest.layout, Text("混排", "mixed"))
    return {
        "strip": nest.name, "grade": nest.grade, "thickness_mm": nest.thickness_mm, "layout": nest.layout or "mixed",
        "layout_title": {"zh": layout.zh, "en": layout.en}, "pitch_mm" if nest.is_pitch else "length_mm": nest.length_mm,
        "width_mm": nest.width_mm, "pieces_each": len(nest.placed), "repeats": nest.repeats,
        "utilisation_fraction": area / (nest.length_mm * nest.width_mm),
        "placed": [{"part": one.part, "rotation_degrees": one.rotation_degrees % 360, "x_mm": one.x_mm, "y_mm": one.y_mm} for one in nest.placed],
    }  # fmt: skip
