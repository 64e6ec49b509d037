"""Fill a statement from the book: every table that a report of one closed period shows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, cast

import polars as pl

from zerofactory import __version__, units
from zerofactory.accounting.energy import Energy, energy_consumption
from zerofactory.accounting.intensity import intensities
from zerofactory.accounting.inventory import APART, REGIMES, By, Inventory, Regime, counted, fold, names_of
from zerofactory.accounting.item import item_title
from zerofactory.accounting.significance import Scored, assess, sentence
from zerofactory.accounting.source import sources
from zerofactory.accounting.uncertainty import assess as assess_uncertainty
from zerofactory.errors import Text
from zerofactory.factors.vocabulary import region
from zerofactory.periods import Period
from zerofactory.reporting import statement as report
from zerofactory.runs import assurance, base_year, evidence
from zerofactory.runs.context import Context
from zerofactory.runs.inventory import booked
from zerofactory.runs.quality import data_quality
from zerofactory.runs.uncertainty import linear
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
    """What the statement is filled from: the records and activities of one closed period under one view.

    ``records`` make the total (scopes 1 and 2), ``value_chain`` (scope 3) stands beside it.
    """

    context: Context
    period: Period
    standard: Standard
    regime: Regime
    records: pl.DataFrame
    value_chain: pl.DataFrame
    activities: pl.DataFrame
    seals: list[dict[str, Any]]

    @property
    def all_records(self) -> pl.DataFrame:
        """The records of the total and of the value chain."""
        return pl.concat([self.records, self.value_chain])

    def fold(self, by: By, records: pl.DataFrame | None = None, regime: Regime | None = None) -> Inventory:
        """Return the inventory of all records, or of some, by one cut."""
        chosen = self.records if records is None else records
        return fold(
            chosen, self.standard, regime or self.regime, by, names_of(self.context.workspace.plant), self.period.label
        )


def fill(context: Context, period: Period, standard_id: str, regime: str | None = None) -> report.Statement:
    """Return the statement of a closed period under a standard; raise as `inventory.read` does."""
    standard = load_standard(standard_id)
    records, value_chain = booked(context, period), booked(context, period, "3")
    labels = [month.label for month in period.months()]
    activities = context.workspace.journal.active(ACTIVITIES, {"period": labels}).drop("reverses")
    seals = [seal for seal in context.workspace.seals().sort("period").to_dicts() if seal["period"] in labels]
    return _stated(
        _Book(
            context,
            period,
            standard,
            cast(Regime, regime or standard.default_regime),
            records,
            value_chain,
            activities,
            seals,
        )
    )


def _stated(book: _Book) -> report.Statement:
    """Return the statement of a book."""
    context, period, standard = book.context, book.period, book.standard
    total = book.fold("category")
    beyond = book.fold("category", book.value_chain) if book.value_chain.height else None
    plant = context.workspace.plant
    energy = energy_consumption(book.activities, plant, context.workspace.factor_book, _known_at(book))
    factors, applied = evidence.factors(context.workspace, book.activities, book.all_records, _known_at(book))
    return report.Statement(
        organisation=_organisation(book),
        boundary=_boundary(book, beyond),
        period=report.PeriodFacts(
            period.label, period.first_day, period.next_first_day - timedelta(days=1), Text("每年一次", "annual")
        ),
        standard=report.StandardFacts(standard.id, standard.title, standard.publisher, standard.edition),
        regime=book.regime,
        gwp_set=total.gwp_set,
        total_gco2e=total.total_gco2e,
        categories=_categories(book, total, beyond),
        gases=_gases(book),
        regimes=_regimes(book),
        production=_production(book),
        issued_on=context.today,
        time_zone=plant.time_zone,
        fictional=plant.fictional,
        shops=_lines(book.fold("shop")),
        sources=_lines(book.fold("source")),
        months=_months(book),
        classes=_lines(book.fold("class")),
        shop_categories=_cells(book, "shop"),
        month_categories=_cells(book, "period"),
        removals_gco2e=_removals(book, total),
        apart=(*_apart(total), *(_apart(beyond) if beyond else ())),
        indirect=_beyond(book, beyond),
        indirect_gco2e=beyond.total_gco2e if beyond else None,
        methods=evidence.methods(plant, standard.id, book.all_records),
        factors=factors,
        applied_factors=applied,
        gwps=evidence.gwps(context.workspace, book.all_records),
        gwp_reason=Text(f"本账选用 {total.gwp_set}, 全账一致。", f"{total.gwp_set} is the one set of this book."),
        activities=evidence.activities(plant, standard.id, book.activities, _emitted(book)),
        quality=data_quality(context, book.seals, total.estimated_fraction),
        uncertainty=_uncertainty(book, total),
        intensities=tuple(
            report.Intensity(i.key, i.title, i.value, _unit_text(i.unit), i.denominator, _unit_text(i.denominator_unit))
            for i in intensities(total, book.activities, energy.total_tce)
        ),
        energy=_energy(energy),
        base_year=base_year.for_report(context, standard.id, book.regime),
        verification=assurance.for_report(context, period),
        conformity=Text(
            f"本报告按照 {standard.title.zh}({standard.edition})编制。",
            f"This report was prepared in accordance with {standard.title.en} ({standard.edition}).",
        ),
    )


def _organisation(book: _Book) -> report.OrganisationFacts:
    plant = book.context.workspace.plant
    who, place = plant.organisation, region(plant.region).title
    return report.OrganisationFacts(
        name=who.name,
        plant=plant.name,
        region=Text(f"{place.zh}（{plant.region}）", f"{place.en} ({plant.region})"),
        legal_entity=who.legal_entity,
        credit_code=who.credit_code,
        address=who.address,
        industry=who.industry,
        responsible=who.responsible,
    )


def _boundary(book: _Book, beyond: Inventory | None) -> report.BoundaryFacts:
    plant = book.context.workspace.plant
    chosen = plant.boundary.significance
    test = None
    if chosen is not None and chosen.standard == book.standard.id:
        test = assess(chosen, {x.key: x.emissions_gco2e for x in (beyond.lines if beyond else ())}, book.standard)
    equity = plant.organisation.equity_share_fraction if plant.organisation.consolidation == "equity_share" else None
    return report.BoundaryFacts(
        consolidation=CONSOLIDATION[plant.organisation.consolidation],
        equity_share_fraction=equity,
        description=plant.boundary.description,
        systems=plant.boundary.systems,
        shops=tuple((shop.id, shop.name) for shop in plant.shops),
        exclusions=(
            *(report.Exclusion(x.what, x.reason) for x in plant.boundary.exclusions),
            *(_left_out(line) for line in (test.lines if test else ()) if not line.quantified),
        ),
        significance=sentence(test) if test else None,
    )


def _left_out(line: Scored) -> report.Exclusion:
    """Return an indirect category that is not quantified, as an exclusion with its estimated share of the value chain."""
    what = Text(f"类别 {line.category} {line.title.zh}", f"Category {line.category} {line.title.en}")
    return report.Exclusion(what, line.reason, line.share_fraction)


def _categories(book: _Book, total: Inventory, beyond: Inventory | None) -> tuple[report.CategoryLine, ...]:
    """Return every category of the standard, those without records said to be not quantified or not occurring.

    A category of the value chain is said to be quantified apart; its figure is in `_beyond`.
    """
    found = {line.key: line for line in total.lines}
    apart = {line.key for line in beyond.lines} if beyond else set()
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
        if category.id in apart:
            told: report.CategoryStatus = "quantified_apart"
            lines.append(report.CategoryLine(category.id, category.title, category.scope, None, None, told))
            continue
        covered = {kind.id for kind in sources().values() if kind.categories.get(book.standard.id) == category.id}
        occurring = bool(covered & kinds_here)
        absent = covered and not occurring
        reason = Text("本厂没有这类排放源", "no such source at the plant") if absent else None
        status: report.CategoryStatus = "not_occurring" if absent else "not_quantified"
        lines.append(report.CategoryLine(category.id, category.title, category.scope, None, None, status, reason))
    return tuple(lines)


def _beyond(book: _Book, beyond: Inventory | None) -> tuple[report.CategoryLine, ...]:
    """Return the categories of the value chain that are quantified."""
    scopes = {category.id: category.scope for category in book.standard.categories}
    return tuple(
        report.CategoryLine(x.key, x.title, scopes[x.key], x.emissions_gco2e, x.share_fraction)
        for x in (beyond.lines if beyond else ())
    )


def _gases(book: _Book) -> tuple[report.GasLine, ...]:
    direct = dict(book.fold("gas", book.records.filter(pl.col("scope") == 1)).by_gas_gco2e)
    indirect = dict(book.fold("gas", book.records.filter(pl.col("scope") != 1)).by_gas_gco2e)
    used = book.records.filter(pl.col("regime").is_in(["any", book.regime]) & ~pl.col("biogenic"))
    kilograms = used.group_by("gas").agg((pl.col("quantity") * pl.col("factor_value")).sort().sum())
    masses = dict(kilograms.iter_rows())
    return tuple(
        report.GasLine(gas, evidence.gas_title(gas), direct.get(gas, 0), indirect.get(gas, 0), masses.get(gas))
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


def _removals(book: _Book, total: Inventory) -> int | None:
    """Return the net removals, None when the plant has no source of removals."""
    kinds = {kind.id for kind in sources().values() if kind.apart == "removals"}
    there = any(use.kind in kinds for use in book.context.workspace.plant.sources)
    return total.apart_gco2e["removals"] if there else None


def _emitted(book: _Book) -> dict[evidence.Amount, int]:
    """Return the emissions of each source, item and unit, value chain included."""
    found = counted(book.all_records, book.standard, book.regime)
    sums = found.group_by("source_id", "item", "unit").agg(pl.col("signed").sum())
    return {(source, item, unit): grams for source, item, unit, grams in sums.iter_rows()}


def _uncertainty(book: _Book, total: Inventory) -> report.Uncertainty:
    """Return error propagation and the simulated 95 % intervals, by category and in total."""
    chosen = counted(book.records, book.standard, book.regime)
    found = assess_uncertainty(linear(book.context, chosen, "in_category"))
    drawn = found.simulation
    lines = tuple(
        report.UncertaintyLine(
            x.key, x.title, x.emissions_gco2e, found.half_widths[x.key],
            interval_gco2e=(round(drawn.groups[x.key].low_g), round(drawn.groups[x.key].high_g)),
            variance_share=found.shares[x.key],
        )
        for x in total.lines
    )  # fmt: skip
    method = Text(
        "误差传播法(IPCC 2006 第1卷 式3.1、3.2), 共用的因子、表计各按一个变量完全相关; "
        f"区间为蒙特卡洛 {drawn.draws} 次(种子 {drawn.seed}), 两法{'一致' if found.agree else '不一致, 以蒙特卡洛为准'}",
        "error propagation (IPCC 2006 Vol. 1 eq. 3.1, 3.2), each shared factor and meter one variable; intervals by Monte Carlo, "
        f"{drawn.draws} draws (seed {drawn.seed}); the methods {'agree' if found.agree else 'differ: take Monte Carlo'}",
    )
    interval = (round(drawn.total.low_g), round(drawn.total.high_g))
    return report.Uncertainty(method, total.uncertainty_fraction, lines, interval)


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
            workspace.factor_book.by_id.get(i) for ids in set(book.all_records["factor_id"]) for i in ids.split("*")
        )
        if term
    }
    sets = tuple(
        report.FactorSetLine(s.id, s.title, s.edition, s.status)
        for s in (workspace.factor_book.sets[name] for name in sorted(used))
    )
    return report.Production(__version__, last.hash if last else "", book.all_records.height, sets, seals)


def _known_at(book: _Book) -> date:
    return max(date.fromisoformat(seal["known_at"]) for seal in book.seals)
