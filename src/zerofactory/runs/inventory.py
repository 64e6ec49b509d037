"""The inventory of a closed period: a fold over the records, under a standard and a regime, by one cut."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast, get_args

import polars as pl

from zerofactory.accounting.inventory import REGIMES, By, Inventory, Regime, fold, names_of
from zerofactory.accounting.significance import Assessment, assess
from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.periods import Period
from zerofactory.runs.context import Context
from zerofactory.standards.load import standard as load_standard
from zerofactory.standards.model import Standard
from zerofactory.store.schema import RECORDS

CUTS: tuple[str, ...] = get_args(By)
DIRECT_AND_ENERGY = "1+2"
SCOPES: Mapping[str, tuple[int, ...]] = {
    "1": (1,),
    "2": (0, 2),  # what is sold of purchased energy is shown, or deducted, where the purchase is
    "3": (3,),
    DIRECT_AND_ENERGY: (0, 1, 2),
    "all": (0, 1, 2, 3),
}


def read(
    context: Context,
    period: Period,
    standard: str,
    regime: str | None = None,
    by: str = "category",
    scope: str = DIRECT_AND_ENERGY,
) -> Inventory:
    """Return the inventory.

    Parameters
    ----------
    standard : str
        Id of a rule book, e.g. ``iso_14064_1_2018``.
    regime : str, optional
        ``location`` or ``market_annual``; default: what the rule book says.
    by : str
        One of `CUTS`.
    scope : str
        One of `SCOPES`: the value chain (3) stands beside the total of 1 and 2 unless it is asked for.

    Raises
    ------
    FaultyData
        A month of the period is not closed, or the book was quantified with another GWP set than the plant file names.
    NotFound
        Unknown standard, regime, cut or scope.
    """
    book = load_standard(standard)
    if book.of_products:
        raise FaultyData([_of_products(book)])
    if by not in CUTS:
        raise NotFound(Text("划分方式", "cut"), by, CUTS)
    chosen = regime or book.default_regime
    if chosen not in REGIMES:
        raise NotFound(Text("电力口径", "claim regime"), chosen, tuple(REGIMES))
    records = booked(context, period, scope)
    plant = context.workspace.plant
    return fold(records, book, cast(Regime, chosen), cast(By, by), names_of(plant), period.label)


def _of_products(book: Standard) -> Problem:
    return Problem(
        code="inventory.of_products",
        message=Text(
            f"“{book.title.zh}”用于产品碳足迹, 不是组织清单的标准。",
            f"{book.title.en} is for product footprints, not for an inventory.",
        ),
        hint=Text("请用 zf footprint show, 或换一个标准。", "Use zf footprint show, or another standard."),
    )


def booked(context: Context, period: Period, scope: str = DIRECT_AND_ENERGY) -> pl.DataFrame:
    """Return the records of one of `SCOPES` that stand for a closed period.

    Raises
    ------
    FaultyData
        The period is not wholly closed.
    NotFound
        Unknown scope.
    """
    if scope not in SCOPES:
        raise NotFound(Text("范围", "scope"), scope, tuple(SCOPES))
    workspace = context.workspace
    sealed = set(workspace.seals()["period"])
    wanted = [month.label for month in period.months()]
    missing = [label for label in wanted if label not in sealed]
    if missing:
        raise FaultyData(
            [
                Problem(
                    code="inventory.not_closed",
                    message=Text(f"尚未封存: {', '.join(missing)}。", f"Not closed yet: {', '.join(missing)}."),
                    hint=Text(
                        f"请先运行 zf close --period {period.label}。", f"Run zf close --period {period.label} first."
                    ),
                )
            ]
        )
    records = workspace.journal.active(RECORDS, {"period": wanted, "scope": SCOPES[scope]}).drop("reverses")
    _refuse_other_gwp(records, workspace.plant.accounting.gwp_set, period)
    return records


def _refuse_other_gwp(records: pl.DataFrame, gwp_set: str, period: Period) -> None:
    used = sorted(set(records["gwp_set"]))
    if used and used != [gwp_set]:
        raise FaultyData(
            [
                Problem(
                    code="inventory.gwp_changed",
                    message=Text(
                        f"工厂文件选用 {gwp_set}, 账本按 {', '.join(used)} 入账; 一本账只用一套GWP。",
                        f"The plant file chooses {gwp_set}, the book was quantified with {', '.join(used)}; one book, one GWP set.",
                    ),
                    hint=Text(
                        f"请运行 zf close --period {period.label} --revise --reason “改用 {gwp_set}”。",
                        f"Run zf close --period {period.label} --revise --reason 'GWP set changed to {gwp_set}'.",
                    ),
                )
            ]
        )


def significance(context: Context, period: Period) -> Assessment:
    """Return the significance test of the indirect categories of a closed period; errors are those of `read`."""
    test = context.workspace.plant.boundary.significance
    standard = test.standard if test else "iso_14064_1_2018"
    beyond = read(context, period, standard, scope="3")
    return assess(test, {line.key: line.emissions_gco2e for line in beyond.lines}, load_standard(standard))


def significance_as_json(result: Assessment) -> dict[str, object]:
    """Return a significance test as plain JSON values."""
    return {
        "threshold_score": result.threshold_score,
        "included_fraction": result.included_fraction,
        "complete": result.complete,
        "categories": [
            {
                "category": line.category,
                "title": {"zh": line.title.zh, "en": line.title.en},
                "emissions_gco2e": line.emissions_gco2e,
                "quantified": line.quantified,
                "share_fraction": line.share_fraction,
                "score": line.score,
                "significant": line.significant,
                "included": line.included,
                "reason": {"zh": line.reason.zh, "en": line.reason.en},
            }
            for line in result.lines
        ],
        "problems": [problem.code for problem in result.problems],
    }


def as_json(result: Inventory, scope: str = DIRECT_AND_ENERGY) -> dict[str, object]:
    """Return an inventory as plain JSON values."""
    lines = [
        {
            "key": x.key,
            "title": {"zh": x.title.zh, "en": x.title.en},
            "emissions_gco2e": x.emissions_gco2e,
            "share_fraction": x.share_fraction,
        }
        for x in result.lines
    ]
    return {
        "period": result.period,
        "standard": result.standard,
        "regime": result.regime,
        "gwp_set": result.gwp_set,
        "by": result.by,
        "scope": scope,
        "total_gco2e": result.total_gco2e,
        "lines": lines,
        "apart_gco2e": dict(result.apart_gco2e),
        "by_gas_gco2e": dict(result.by_gas_gco2e),
        "regimes_gco2e": dict(result.regimes_gco2e),
        "estimated_fraction": result.estimated_fraction,
        "uncertainty_fraction": result.uncertainty_fraction,
        "records": result.records_count,
    }
