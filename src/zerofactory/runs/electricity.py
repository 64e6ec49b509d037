"""One book of electricity of closed months, under every claim regime side by side, and why they differ."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from zerofactory.accounting.hours import (
    MINUTES_PER_HOUR,
    Hours,
    heat,
    hours_of,
    matched_load,
    share_by_day_hour,
    share_by_hour,
    sums_by_hour,
)
from zerofactory.accounting.origins import TITLES, PowerBook, Wh, power_book
from zerofactory.accounting.regime import Cause, Factors, Regime, RegimeResult, causes, regimes
from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.factors.model import Unresolved
from zerofactory.factors.resolve import Scope
from zerofactory.periods import Period
from zerofactory.runs.context import Context
from zerofactory.runs.intervals import sealed_month
from zerofactory.runs.restate import plant_of
from zerofactory.store.files import write_bytes_whole
from zerofactory.store.schema import ACTIVITIES, CLAIMS
from zerofactory.tables import TableSchema

BASE, BY_MONTH, BY_HOUR = "location", "market_annual", "market_hourly"
DECIMALS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """The book and what it comes to under each regime; a regime whose factor cannot be decided is a problem instead.

    ``matched_wh`` is, by regime and slot, the load that it accepts as non-fossil, after the stores.
    """

    period: str
    book: PowerBook
    hours: Hours
    results: tuple[tuple[Regime, RegimeResult], ...]
    matched_wh: dict[str, Wh]
    problems: tuple[Problem, ...]
    time_zone: str

    @property
    def consumption_wh(self) -> int:
        """All electricity that reached the plant and was not given back."""
        return int(self.book.consumption_wh.sum())

    @property
    def matched_by_hour(self) -> dict[str, list[float]]:
        """The matched share of the load by hour of the local day, by regime."""
        load = self.book.load_wh
        return {name: share_by_day_hour(self.hours, wh, load).tolist() for name, wh in self.matched_wh.items()}

    def heat(self, regime: str) -> list[list[float]]:
        """Return the matched share of the load by hour of the local day (24 rows) and month under one regime."""
        found: list[list[float]] = heat(self.hours, self.matched_wh[regime], self.book.load_wh).tolist()
        return found

    def why(self) -> dict[str, tuple[Cause, ...]]:
        """Return, by regime, the causes of its difference from the location-based figure."""
        results = {regime.id: result for regime, result in self.results}
        base = results.get(BASE)
        if base is None:
            return {}
        return {name: causes(result, base) for name, result in results.items() if name != BASE}

    def out_of_time(self) -> Text | None:
        """Return in words how much of the contracts was generated at times when it was not used, if both are known."""
        matched = {regime.id: int(result.matched_wh.sum()) for regime, result in self.results}
        if BY_MONTH not in matched or BY_HOUR not in matched:
            return None
        beyond = matched[BY_MONTH] - matched[BY_HOUR]
        if beyond <= 0:
            return None
        return Text(
            f"按月认可而逐时不认可: {beyond / 1e6:,.1f} MWh, 发电时段与用电时段不符, 或合同没有发电曲线。",
            f"Accepted by the month but not by the hour: {beyond / 1e6:,.1f} MWh, generated when it was not used, "
            "or without a generation profile.",
        )

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values, the matched share of every hour of the period included."""
        why = self.why()
        return {
            "period": self.period,
            "consumption_wh": self.consumption_wh,
            "load_wh": int(self.book.load_wh.sum()),
            "origins_wh": {name: int(self.book.energy_wh[name].sum()) for name in TITLES},
            "first_hour": self.book.starts[0].isoformat(),
            "regimes": [self._regime_json(regime, result, why.get(regime.id, ())) for regime, result in self.results],
            "problems": [problem.as_json() for problem in self.problems],
        }

    def _regime_json(self, regime: Regime, result: RegimeResult, why: tuple[Cause, ...]) -> dict[str, object]:
        load, matched = self.book.load_wh, self.matched_wh[regime.id]
        return {
            "id": regime.id,
            "title": _plain(regime.title),
            "reference": regime.reference,
            "principle": _plain(regime.principle),
            "emissions_gco2e": result.emissions_gco2e,
            "matched_wh": int(result.matched_wh.sum()),
            "matched_fraction": _share(int(result.matched_wh.sum()), self.consumption_wh),
            "matched_fraction_by_hour": self.matched_by_hour[regime.id],
            "matched_fraction_by_hour_and_month": self.heat(regime.id),
            "matched_fraction_by_hour_of_period": share_by_hour(self.hours, matched, load).round(DECIMALS).tolist(),
            "parts": [
                {
                    "key": part.key,
                    "energy_wh": part.energy_wh,
                    "factor_id": part.factor.factor.id if part.factor else None,
                    "factor_kg_per_kwh": part.factor.factor.value if part.factor else 0.0,
                    "emissions_gco2e": part.emissions_gco2e,
                }
                for part in result.parts
            ],
            "differs_from_location_gco2e": sum(cause.effect_gco2e for cause in why),
            "causes": [
                {"part": cause.part.key, "effect_gco2e": cause.effect_gco2e, "text": _plain(cause.text)}
                for cause in why
            ],
            "remarks": [_plain(remark) for remark in result.remarks],
        }

    def hours_frame(self) -> pl.DataFrame:
        """Return one row an hour: local time, load, and for each regime the matched energy and its share of the load."""
        step = np.timedelta64(max(MINUTES_PER_HOUR, self.book.minutes), "m")
        first = np.datetime64(self.book.starts[0].replace(tzinfo=None), "us")
        moments = pl.Series("started_at", first + np.arange(self.hours.count) * step).dt.replace_time_zone("UTC")
        load = sums_by_hour(self.hours, self.book.load_wh)
        columns: dict[str, object] = {"load_wh": load}
        for name, wh in self.matched_wh.items():
            columns[f"{name}_matched_wh"] = sums_by_hour(self.hours, wh)
            columns[f"{name}_matched_fraction"] = share_by_hour(self.hours, wh, self.book.load_wh).round(DECIMALS)
        local = moments.dt.convert_time_zone(self.time_zone).dt.strftime("%Y-%m-%dT%H:%M:%S%:z")
        return pl.DataFrame([local]).with_columns(pl.DataFrame(columns))


def _plain(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def compare(context: Context, period: Period) -> Comparison:
    """Return every regime over the electricity of a closed period.

    Raises
    ------
    FaultyData
        A month is not closed, or a regime's parts do not add up to the metered energy (which must never happen).
    """
    workspace = context.workspace
    plant = workspace.plant
    labels = [month.label for month in period.months()]
    months = [sealed_month(context, month) for month in period.months()]
    book = power_book(months, plant, _as_sealed(context, ACTIVITIES, labels), _as_sealed(context, CLAIMS, labels))
    if not book.consumption_wh.any():
        raise FaultyData([_no_meters(period)])
    factors = _factors(context, period, labels)
    results, problems = [], []
    for regime in regimes().values():
        try:
            results.append((regime, regime.apply(book, factors)))
        except Unresolved as fault:
            problems.append(fault.problem)
    _balanced(book, results)
    matched = {regime.id: matched_load(book, result.matched_wh) for regime, result in results}
    return Comparison(
        period.label, book, hours_of(book, months), tuple(results), matched, tuple(problems), plant.time_zone
    )


def _as_sealed(context: Context, schema: TableSchema, labels: list[str]) -> pl.DataFrame:
    """Return contracts or claims as they stood when each month was sealed: what came later counts only after a revision.

    Claims on a whole year are taken as they stood when the last of the months was sealed.
    """
    journal = context.workspace.journal
    sealed = {label: seal["booked_as"] for label in labels if (seal := context.workspace.seal_of(label)) is not None}
    years = {year: max(sealed.values()) for year in {label[:4] for label in sealed}}
    frames = [journal.active(schema, {"period": name}, until=entry) for name, entry in (sealed | years).items()]
    return pl.concat(frames).drop("reverses")


def write_hours(comparison: Comparison, out: Path) -> None:
    """Write the hours of a comparison as CSV.

    Raises
    ------
    FaultyData
        The file is not named ``.csv``.
    """
    if out.suffix.lower() != ".csv":
        message = Text(f"只能写 CSV, 不能写“{out.suffix}”。", f"Only CSV can be written, not '{out.suffix}'.")
        hint = Text("请把文件名改为 .csv。", "Name the file .csv.")
        raise FaultyData([Problem(code="electricity.not_csv", message=message, hint=hint, file=out.name)])
    write_bytes_whole(out, comparison.hours_frame().write_csv().encode())


def _factors(context: Context, period: Period, labels: list[str]) -> Factors:
    """Return the factors a regime may ask for: as known when the period was last sealed, chosen as the plant chose."""
    workspace = context.workspace
    seals = [seal for label in labels if (seal := workspace.seal_of(label)) is not None]
    known_at = max(date.fromisoformat(seal["known_at"]) for seal in seals)
    choices = plant_of(context, seals[-1]).accounting
    scope = Scope(
        region=workspace.plant.region,
        on=period.first_day,
        known_at=known_at,
        grid_level=choices.grid_level,
        accepted=choices.accepted,
        pins={pin.role: (pin.factor, pin.reason) for pin in choices.pin if pin.source is None},
    )
    return Factors(workspace.sealed_factor_book(seals[-1]), scope)


def _no_meters(period: Period) -> Problem:
    return Problem(
        code="electricity.no_meters",
        message=Text(
            f"{period.label} 没有按表计量的用电, 无法按时段比较。", f"No electricity is metered in {period.label}."
        ),
        hint=Text(
            "请给外购电排放源指定 meters; 按凭证的用电请看 zf inventory show。",
            "Give the source of purchased electricity meters; for billed electricity see zf inventory show.",
        ),
    )


def _balanced(book: PowerBook, results: list[tuple[Regime, RegimeResult]]) -> None:
    """Check that every regime accounts for every metered watt-hour; the check runs in production."""
    metered = int(book.consumption_wh.sum())
    wrong = [(regime.id, result.energy_wh) for regime, result in results if result.energy_wh != metered]
    if wrong:
        raise FaultyData(
            [
                Problem(
                    code="electricity.unbalanced",
                    message=Text(
                        f"口径 {name} 合计 {energy} Wh, 计量 {metered} Wh。",
                        f"Regime {name} adds up to {energy} Wh, metered {metered} Wh.",
                    ),
                    hint=Text("这是程序错误, 请报告。", "This is a fault of the program; please report it."),
                )
                for name, energy in wrong
            ]
        )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def refuse_unknown(comparison: Comparison, regime: str) -> None:
    """Raise `NotFound`, with the choices, when a comparison has no result under a regime."""
    known = tuple(found.id for found, _ in comparison.results)
    if regime not in known:
        raise NotFound(Text("电力口径", "claim regime"), regime, known)
