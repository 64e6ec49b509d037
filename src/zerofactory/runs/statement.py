"""Fill a statement from the book: every table that a report of one closed period shows."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, cast

import polars as pl

from zerofactory import __version__, units
from zerofactory.accounting.energy import Energy, energy_consumption
from zerofactory.accounting.intensity import intensities
from zerofactory.accounting.inventory import APART, REGIMES, By, Inventory, Regime, fold, names_of
from zerofactory.accounting.quantify import quantify
from zerofactory.accounting.source import sources
from zerofactory.errors import Text
from zerofactory.factors.model import Factor
from zerofactory.factors.resolve import gwp, item_title
from zerofactory.periods import Period
from zerofactory.reporting import statement as report
from zerofactory.runs.context import Context
from zerofactory.runs.inventory import booked
from zerofactory.runs.quality import data_quality
from zerofactory.standards.load import standard as load_standard
from zerofactory.standards.model import Standard
from zerofactory.store.schema import ACTIVITIES

ELECTRICITY_SCOPE = 2
CONSOLIDATION = {
    "operational_control": Text("运营控制法", "operational control"),
    "financial_control": Text("财务控制法", "financial control"),
    "equity_share": Text("股权比例法", "equity share"),
}


@dataclass(frozen=True, slots=True)
class _Book:
    """What the statement is filled from: the records and activities of one closed period under one view."""

    context: Context
    period: Period
    standard: Standard
    regime: Regime
    records: pl.DataFrame
    activities: pl.DataFrame
    seals: list[dict[str, Any]]

    def fold(self, by: By, records: pl.DataFrame | None = None, regime: Regime | None = None) -> Inventory:
        """Return the inventory of all records, or of some, by one cut."""
        chosen = self.records if records is None else records
        return fold(
            chosen, self.standard, regime or self.regime, by, names_of(self.context.workspace.plant), self.period.label
        )


def fill(context: Context, period: Period, standard_id: str, regime: str | None = None) -> report.Statement:
    """Return the statement of a closed period under a standard; raise as `inventory.read` does."""
    standard = load_standard(standard_id)
    records = booked(context, period)
    labels = [month.label for month in period.months()]
    activities = context.workspace.journal.active(ACTIVITIES, {"period": labels}).drop("reverses")
    seals = [seal for seal in context.workspace.seals().sort("period").to_dicts() if seal["period"] in labels]
    return _stated(
        _Book(context, period, standard, cast(Regime, regime or standard.default_regime), records, activities, seals)
    )


def _stated(book: _Book) -> report.Statement:
    """Return the statement of a book."""
    context, period, standard = book.context, book.period, book.standard
    total = book.fold("category")
    plant = context.workspace.plant
    energy = energy_consumption(book.activities, plant, context.workspace.factor_book, _known_at(book))
    return report.Statement(
        organisation=_organisation(book),
        boundary=_boundary(book),
        period=report.PeriodFacts(
            period.label, period.first_day, period.next_first_day - timedelta(days=1), Text("每年一次", "annual")
        ),
        standard=report.StandardFacts(standard.id, standard.title, _both(standard.publisher), standard.edition),
        regime=book.regime,
        gwp_set=total.gwp_set,
        total_gco2e=total.total_gco2e,
        categories=_categories(book, total),
        gases=_gases(book),
        regimes=_regimes(book),
        production=_production(book),
        issued_on=context.now.date(),
        time_zone=plant.time_zone,
        fictional=plant.fictional,
        shops=_lines(book.fold("shop")),
        sources=_lines(book.fold("source")),
        months=_months(book),
        classes=_lines(book.fold("class")),
        shop_categories=_cells(book, "shop"),
        month_categories=_cells(book, "period"),
        apart=_apart(total),
        methods=_methods(book),
        factors=_factors(book),
        gwps=_gwps(book),
        gwp_reason=Text(f"本账选用 {total.gwp_set}, 全账一致。", f"{total.gwp_set} is the one set of this book."),
        activities=_activities(book),
        quality=data_quality(context, book.seals, total.estimated_fraction),
        uncertainty=_uncertainty(book, total),
        intensities=tuple(
            report.Intensity(i.key, i.title, i.value, _unit_text(i.unit), i.denominator, _unit_text(i.denominator_unit))
            for i in intensities(total, book.activities, energy.total_tce)
        ),
        energy=_energy(energy),
        conformity=Text(
            f"本报告按照 {standard.title.zh}({standard.edition})编制。",
            f"This report was prepared in accordance with {standard.title.en} ({standard.edition}).",
        ),
    )


def _organisation(book: _Book) -> report.OrganisationFacts:
    plant = book.context.workspace.plant
    who = plant.organisation
    return report.OrganisationFacts(
        name=who.name,
        plant=plant.name,
        region=plant.region,
        legal_entity=_zh(who.legal_entity),
        credit_code=who.credit_code,
        address=_zh(who.address),
        industry=_zh(who.industry),
        responsible=_zh(who.responsible),
    )


def _both(text: Text) -> str:
    return text.zh if text.zh == text.en else f"{text.zh} / {text.en}"


def _zh(text: Text | None) -> str | None:
    return text.zh if text else None


def _boundary(book: _Book) -> report.BoundaryFacts:
    plant = book.context.workspace.plant
    equity = plant.organisation.equity_share_fraction if plant.organisation.consolidation == "equity_share" else None
    return report.BoundaryFacts(
        consolidation=CONSOLIDATION[plant.organisation.consolidation],
        equity_share_fraction=equity,
        description=plant.boundary.description,
        systems=plant.boundary.systems,
        shops=tuple((shop.id, shop.name) for shop in plant.shops),
        exclusions=tuple(report.Exclusion(x.what, x.reason) for x in plant.boundary.exclusions),
    )


def _categories(book: _Book, total: Inventory) -> tuple[report.CategoryLine, ...]:
    """Return every category of the standard, those without records said to be not quantified or not occurring."""
    found = {line.key: line for line in total.lines}
    kinds_here = {use.kind for use in book.context.workspace.plant.sources}
    lines = []
    for category in book.standard.categories:
        line = found.get(category.id)
        if line is not None:
            lines.append(
                report.CategoryLine(
                    category.id, category.title, category.scope, line.emissions_gco2e, line.share_fraction
                )
            )
            continue
        covered = {kind.id for kind in sources().values() if kind.categories.get(book.standard.id) == category.id}
        occurring = bool(covered & kinds_here)
        absent = covered and not occurring
        reason = (
            Text("本厂没有这类排放源。", "The plant has no source of this kind.") if absent
            else Text("本期未量化。", "Not quantified in this period.")
        )  # fmt: skip
        status: report.CategoryStatus = "not_occurring" if absent else "not_quantified"
        lines.append(report.CategoryLine(category.id, category.title, category.scope, None, None, status, reason))
    return tuple(lines)


def _gases(book: _Book) -> tuple[report.GasLine, ...]:
    direct = dict(book.fold("gas", book.records.filter(pl.col("scope") == 1)).by_gas_gco2e)
    indirect = dict(book.fold("gas", book.records.filter(pl.col("scope") != 1)).by_gas_gco2e)
    used = book.records.filter(pl.col("regime").is_in(["any", book.regime]) & ~pl.col("biogenic"))
    kilograms = used.group_by("gas").agg((pl.col("quantity") * pl.col("factor_value")).sort().sum())
    masses = dict(kilograms.iter_rows())
    return tuple(
        report.GasLine(gas, Text(gas, gas), direct.get(gas, 0), indirect.get(gas, 0), masses.get(gas))
        for gas in sorted({*direct, *indirect}, key=lambda gas: -(direct.get(gas, 0) + indirect.get(gas, 0)))
    )


def _regimes(book: _Book) -> tuple[report.RegimeLine, ...]:
    energy = book.records.filter(pl.col("scope") == ELECTRICITY_SCOPE)
    lines = []
    for name, title in REGIMES.items():
        regime = cast(Regime, name)
        lines.append(
            report.RegimeLine(
                regime,
                title,
                book.fold("category", energy, regime).total_gco2e,
                book.fold("category", regime=regime).total_gco2e,
            )
        )
    return tuple(lines)


def _lines(inventory: Inventory) -> tuple[report.Line, ...]:
    return tuple(report.Line(x.key, x.title, x.emissions_gco2e, x.share_fraction) for x in inventory.lines)


def _months(book: _Book) -> tuple[report.Line, ...]:
    """Return the months under short titles: they label a chart."""
    lines = []
    for line in _lines(book.fold("month")):
        month = Period.parse(line.key).first_day
        lines.append(replace(line, title=Text(f"{month.month}月", month.strftime("%b"))))
    return tuple(lines)


def _unit_text(unit: str) -> Text:
    """Return a unit such as kgCO2e/vehicle in both languages."""
    upper, slash, lower = unit.partition("/")
    name = lower or upper
    title = units.parse(name).title
    return Text(f"{upper}/{title.zh}", f"{upper}/{title.en}") if slash else title


def _cells(book: _Book, column: str) -> tuple[report.Cell, ...]:
    cells = []
    for (key,), part in sorted(book.records.partition_by(column, as_dict=True).items()):
        cells += [report.Cell(str(key), line.key, line.emissions_gco2e) for line in book.fold("category", part).lines]
    return tuple(cells)


def _apart(total: Inventory) -> tuple[report.ApartLine, ...]:
    units = {"biogenic_co2": "tCO2"}
    return tuple(
        report.ApartLine(name, APART[name], amount, units.get(name, "tCO2e"))
        for name, amount in total.apart_gco2e.items()
        if amount
    )


def _methods(book: _Book) -> tuple[report.Method, ...]:
    methods = []
    plant = book.context.workspace.plant
    for source_id, part in _by(book.records, "source_id"):
        kind = sources()[part["source_kind"][0]]
        names = ", ".join(sorted(set(part["method"])))
        category = kind.categories.get(book.standard.id, "—")
        methods.append(
            report.Method(
                source_id, plant.source(source_id).name, category,
                Text(f"{kind.title.zh}: {names}", f"{kind.title.en}: {names}"), kind.note, kind.reference,
            )
        )  # fmt: skip
    return tuple(methods)


def _by(frame: pl.DataFrame, column: str) -> list[tuple[str, pl.DataFrame]]:
    parts = frame.partition_by(column, as_dict=True, maintain_order=True)
    return [(str(key[0]), part) for key, part in sorted(parts.items(), key=lambda pair: str(pair[0][0]))]


def _factors(book: _Book) -> tuple[report.FactorLine, ...]:
    """Return every factor that the records of this view used, once, with the reason of the first record that used it."""
    workspace = book.context.workspace
    again = quantify(book.activities, workspace.plant, workspace.factor_book, known_at=_known_at(book))
    reasons = {
        factor_id: json.loads(reason)
        for factor_id, reason in book.records.select("factor_id", "reason")
        .unique("factor_id", maintain_order=True)
        .iter_rows()
    }
    used: dict[str, tuple[Factor, Text]] = {}
    for key in sorted(again.resolutions):
        resolution = again.resolutions[key]
        reason = reasons.get(resolution.id, {"zh": resolution.reason.zh, "en": resolution.reason.en})
        for factor in resolution.factors:
            used.setdefault(factor.id, (factor, Text(reason["zh"], reason["en"])))
    lines = []
    for factor, why in used.values():
        edition = (
            workspace.factor_book.sets[factor.set_id].edition if factor.set_id in workspace.factor_book.sets else ""
        )
        lines.append(
            report.FactorLine(
                factor.id, factor.title, factor.value, factor.unit, factor.gas, factor.source, edition,
                factor.source_ref, factor.provenance, factor.confidence, why,
            )
        )  # fmt: skip
    return tuple(lines)


def _gwps(book: _Book) -> tuple[report.GwpLine, ...]:
    factor_book = book.context.workspace.factor_book
    used = book.records.select("gas", "gwp", "gwp_set").unique().sort("gas", "gwp")
    return tuple(
        report.GwpLine(gas, value, gwp_set, (found := gwp(factor_book, gas, gwp_set)).source, found.provenance)
        for gas, value, gwp_set in used.iter_rows()
    )


def _activities(book: _Book) -> tuple[report.ActivityLine, ...]:
    plant = book.context.workspace.plant
    shops = {shop.id: shop.name for shop in plant.shops}
    emitted = {line.key: line.emissions_gco2e for line in book.fold("source").lines}
    keys = ["source_id", "item", "unit"]
    sums = book.activities.group_by(keys).agg(
        pl.col("quantity").sort().sum(),
        pl.col("tier").sort().unique(maintain_order=True).str.join("/"),
        ((pl.col("quantity") * pl.col("estimated_fraction")).sort().sum() / pl.col("quantity").abs().sort().sum())
        .fill_nan(0.0)
        .alias("estimated"),
        pl.len().alias("rows"),
        pl.col("shop").n_unique().alias("shops"),
        pl.col("shop").first(),
    )
    lines = []
    for row in sums.sort(keys, nulls_last=True).to_dicts():
        shop = shops.get(row["shop"]) if row["shops"] == 1 else None
        item = item_title(row["item"]) if row["item"] else None
        lines.append(
            report.ActivityLine(
                row["source_id"], plant.source(row["source_id"]).name, shop, item, row["quantity"], row["unit"],
                row["tier"], row["estimated"], row["rows"], emitted.get(row["source_id"]),
            )
        )  # fmt: skip
    return tuple(lines)


def _uncertainty(book: _Book, total: Inventory) -> report.Uncertainty:
    """Return the analytic propagation, by category; records that share a factor are fully correlated."""
    by_category: Callable[[str], pl.DataFrame] = lambda key: book.records.filter(  # noqa: E731
        pl.col("source_kind").replace_strict({k: s.categories.get(book.standard.id) for k, s in sources().items()})
        == key
    )
    lines = tuple(
        report.UncertaintyLine(
            x.key, x.title, x.emissions_gco2e, book.fold("category", by_category(x.key)).uncertainty_fraction
        )
        for x in total.lines
    )
    method = Text(
        "误差传播法(IPCC 2006 第1卷 式3.1、3.2), 共用同一因子的记录按完全相关处理",
        "error propagation (IPCC 2006 Vol. 1 eq. 3.1, 3.2); records that share a factor are fully correlated",
    )
    return report.Uncertainty(method, total.uncertainty_fraction, lines)


def _energy(energy: Energy) -> report.EnergyTotal:
    lines = tuple(
        report.EnergyLine(
            f"{x.source_kind}.{x.item}", _energy_title(x.source_kind, x.item), x.quantity, x.unit, x.energy_tce
        )
        for x in energy.lines
    )
    return report.EnergyTotal(energy.total_tce, energy.equal_value_tce, lines)


def _energy_title(kind: str, item: str) -> Text:
    title = sources()[kind].title
    name = item_title(item)
    return Text(f"{title.zh} · {name.zh}", f"{title.en} · {name.en}")


def _production(book: _Book) -> report.Production:
    workspace = book.context.workspace
    last = workspace.journal.last()
    entries = {entry.seq: entry for entry in workspace.journal.entries()}
    seals = tuple(
        report.Seal(
            s["period"], entries[s["booked_as"]].hash, s["records"], datetime.fromisoformat(entries[s["booked_as"]].at)
        )
        for s in book.seals
    )
    used = {
        term.set_id
        for term in (
            workspace.factor_book.by_id.get(i) for ids in set(book.records["factor_id"]) for i in ids.split("*")
        )
        if term
    }
    sets = tuple((s, workspace.factor_book.sets[s].edition, workspace.factor_book.sets[s].status) for s in sorted(used))
    return report.Production(__version__, last.hash if last else "", book.records.height, sets, seals)


def _known_at(book: _Book) -> date:
    return max(date.fromisoformat(seal["known_at"]) for seal in book.seals)
