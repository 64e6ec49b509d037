"""The footprint of a product over a closed period: shown, and exported as PACT 3.0, AAS JSON or AASX."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, timedelta
from pathlib import Path

from zerofactory.accounting.declared_footprint import SUPPLIER_FOOTPRINTS, declared_of
from zerofactory.accounting.footprint import APART, BOUNDARIES, STAGES, Footprint, Line, Parts
from zerofactory.accounting.product_account import Stock, allocated, footprint_of
from zerofactory.accounting.product_profile import Profile
from zerofactory.errors import FaultyData, NotFound, Problem, Text, refuse
from zerofactory.factors.resolve import Scope
from zerofactory.periods import Period
from zerofactory.reporting.exchange.aas import write_aasx
from zerofactory.reporting.exchange.aas import write_json as write_aas_json
from zerofactory.reporting.exchange.declare import Declaration, aas_of, pact_of
from zerofactory.reporting.exchange.pact import write as write_pact
from zerofactory.runs.context import Context, refuse_future
from zerofactory.runs.inventory import booked
from zerofactory.runs.product_files import read_products
from zerofactory.store.files import write_bytes_whole, write_whole
from zerofactory.store.schema import ACTIVITIES

FORMATS = ("pact", "aas-json", "aasx")


@dataclass(frozen=True, slots=True)
class Shown:
    """The footprint of a product, its profile, and the warnings met on the way."""

    footprint: Footprint
    profile: Profile
    warnings: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: the file, its format, the id of the footprint, and its figures in kgCO2e per unit."""

    path: Path
    format: str
    footprint_id: str
    kgco2e: str
    shown: Shown


def show(
    context: Context,
    product: str,
    period: Period,
    boundary: str = "cradle_to_gate",
    known_at: date | None = None,
) -> Shown:
    """Return the footprint of one unit of a product made in a closed period.

    Parameters
    ----------
    product : str
        Id of a product of the plant file.
    boundary : str
        ``cradle_to_gate`` or ``life_cycle``.
    known_at : date, optional
        Factors as published by that day; default: today.

    Raises
    ------
    FaultyData
        The period is not closed, a file of `products/` has faults, a supplier's footprint does not fit, a factor is missing.
    NotFound
        Unknown product or boundary.
    """
    plant = context.workspace.plant
    plant.product(product)
    if boundary not in BOUNDARIES:
        raise NotFound(Text("边界", "boundary"), boundary, BOUNDARIES)
    refuse_future(context, known_at)
    stock = _stock(context, period, known_at or context.today)
    made, problems = allocated(stock)
    refuse(problems)
    if made is None:
        raise FaultyData(problems)
    found, more = footprint_of(product, stock, made, boundary, period.label)
    problems += more
    if found is None:
        raise FaultyData(problems)
    refuse(problems)
    return Shown(found, stock.profiles[product], (*problems, *_doubtful(found, stock)))


def _stock(context: Context, period: Period, known_at: date) -> Stock:
    workspace = context.workspace
    plant = workspace.plant
    records = booked(context, period, "all")
    months = [month.label for month in period.months()]
    activities = workspace.journal.active(ACTIVITIES, {"period": months})
    files = read_products(workspace.folder, plant)
    last = period.end(plant.time_zone) - timedelta(seconds=1)
    scope = Scope(
        plant.region, period.next_first_day - timedelta(days=1), known_at, plant.accounting.grid_level,
        plant.accounting.fuel_sets, plant.accounting.accepted, plant.accounting.pins_of(""),
    )  # fmt: skip
    declared = declared_of(workspace.journal.active(SUPPLIER_FOOTPRINTS))
    return Stock(
        plant, workspace.factor_book, scope, records, activities, files.profiles, files.bills,
        {one.footprint_id: one for one in declared},
        tuple(use for use in files.metered if use.period in months), last,
    )  # fmt: skip


def _doubtful(found: Footprint, stock: Stock) -> list[Problem]:
    """Return one warning that names the factors of low confidence that were used and not accepted by name."""
    parts = {part for line in found.lines for part in line.ground.replace("*", "+").split("+")}
    factors = [stock.book.by_id[part] for part in sorted(parts) if part in stock.book.by_id]
    low = [factor.id for factor in factors if factor.confidence == "low" and factor.id not in stock.scope.accepted]
    if not low:
        return []
    listed = ", ".join(low)
    message = Text(
        f"用到 {len(low)} 个低可信度因子: {listed}。", f"{len(low)} factors of low confidence were used: {listed}."
    )
    hint = Text(
        "请用供应商碳足迹代替, 或在 factory.toml 按编号接受。",
        "Replace them by suppliers' footprints, or accept them by id in factory.toml.",
    )
    return [Problem("footprint.low_confidence", message, hint, severity="warning")]


def export(
    context: Context, product: str, period: Period, form: str, out: Path, boundary: str = "cradle_to_gate"
) -> Exported:
    """Write the footprint of a product to a file; PACT is cradle to gate always, AAS also holds the whole life.

    Raises
    ------
    NotFound
        Unknown format, product or boundary.
    FaultyData
        As `show`; a PACT file was asked for the whole life.
    """
    if form not in FORMATS:
        raise NotFound(Text("格式", "format"), form, FORMATS)
    if form == "pact" and boundary != "cradle_to_gate":
        message = Text("PACT 只交换摇篮到大门的碳足迹。", "PACT exchanges footprints from cradle to gate only.")
        hint = Text("请去掉 --boundary, 或用 aas-json、aasx。", "Leave --boundary out, or use aas-json or aasx.")
        raise FaultyData([Problem("footprint.pact_boundary", message, hint)])
    shown = show(context, product, period, boundary)
    plant = context.workspace.plant
    said = Declaration(
        plant, shown.profile, period.start(plant.time_zone), period.end(plant.time_zone), context.now.astimezone(UTC),
        context.workspace.factor_book,
    )  # fmt: skip
    pact = pact_of(shown.footprint, said)
    if form == "pact":
        write_bytes_whole(out, write_pact([pact]).encode())
    else:
        carbon = aas_of(shown.footprint, pact, said)
        if form == "aas-json":
            write_bytes_whole(out, write_aas_json(carbon).encode())
        else:
            write_whole(out, lambda partial: write_aasx(carbon, partial))
    return Exported(out, form, pact.id, pact.pcf.pcf_excluding_biogenic_uptake, shown)


def as_json(shown: Shown) -> dict[str, object]:
    """Return a footprint as plain JSON values."""
    found = shown.footprint
    rating = found.rating
    return {
        "product": found.product,
        "title": {"zh": found.title.zh, "en": found.title.en},
        "period": found.period,
        "boundary": found.boundary,
        "unit": found.unit,
        "quantity": found.quantity,
        "kgco2e_per_unit": found.kgco2e,
        "stages_kgco2e_per_unit": {stage: found.of([stage]).total for stage in STAGES if stage in found.stages},
        "apart_kgco2e_per_unit": _apart(found.parts),
        "allocated_gco2e": found.allocated_gco2e,
        "primary_data_fraction": found.primary_fraction,
        "data_quality": None
        if rating is None
        else {
            "technological": rating[0].technological,
            "geographical": rating[0].geographical,
            "temporal": rating[0].temporal,
            "covered_fraction": rating[1],
        },
        "cut_off": {
            "mass_fraction": found.cut_off_fraction,
            "parts": [
                {"title": entry.title.zh, "mass_fraction": entry.mass_fraction, "reason": entry.reason}
                for entry in found.cut_offs
            ],
        },
        "allocation": dict(found.methods),
        "work_orders_kgco2e_per_unit": dict(found.work_orders),
        "lines": [_line(line) for line in found.lines],
        "notes": [{"zh": note.zh, "en": note.en} for note in found.notes],
        "problems": [problem.as_json() for problem in shown.warnings],
    }


def _apart(parts: Parts) -> dict[str, float]:
    return {name: getattr(parts, name) for name in APART}


def _line(line: Line) -> dict[str, object]:
    return {
        "stage": line.stage,
        "key": line.key,
        "title": {"zh": line.title.zh, "en": line.title.en},
        "kgco2e": line.kgco2e,
        "amount": line.amount,
        "unit": line.unit,
        "primary_fraction": line.primary_fraction,
        "ground": line.ground,
        "reason": {"zh": line.reason.zh, "en": line.reason.en},
        "apart_kgco2e": _apart(line.parts),
    }
