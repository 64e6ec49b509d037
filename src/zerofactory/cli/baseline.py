"""Command of the normalised energy baseline: baseline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from zerofactory.cli.language import read, say
from zerofactory.cli.options import JsonOption, PeriodOption, WorkspaceOption, opened
from zerofactory.cli.output import door, print_json, print_line, print_table

if TYPE_CHECKING:
    from zerofactory.runs.baseline import Grain, Report


def register(app: typer.Typer) -> None:
    """Add this command to the application."""
    app.command(
        "baseline",
        help=say(
            "归一化能源基准、节能量与 CUSUM(ISO 50006)", "normalised energy baseline, savings and CUSUM (ISO 50006)"
        ),
    )(baseline)


@door
def baseline(
    period: PeriodOption,
    reference: Annotated[
        str, typer.Option("--reference", help=say("基准期: 2024 或 2025-01..06", "reference: 2024 or 2025-01..06"))
    ],
    shop: Annotated[
        str, typer.Option("--shop", help=say("车间、表计、site 或 all", "shop, meter, site or all"))
    ] = "all",
    carrier: Annotated[str, typer.Option("--carrier", help="electricity | natural_gas | heat …")] = "electricity",
    grain: Annotated[str, typer.Option("--grain", help="day | week | month")] = "week",
    drivers: Annotated[
        str, typer.Option("--drivers", help="output | shifts | hdd | cdd | hdd_working | cdd_working")
    ] = "output,hdd_working,cdd_working,shifts",
    keep_all: Annotated[
        bool, typer.Option("--keep-all", help=say("保留不显著的因素", "keep drivers that explain nothing"))
    ] = False,
    temperature: Annotated[
        Path | None, typer.Option("--temperature", help=say("气温 CSV(temperature_degc)", "CSV of temperature_degc"))
    ] = None,
    heating_base: Annotated[
        float | None, typer.Option("--hdd-base", help=say("采暖度日基准 ℃", "base of HDD, degC"))
    ] = None,
    cooling_base: Annotated[
        float | None, typer.Option("--cdd-base", help=say("空调度日基准 ℃", "base of CDD, degC"))
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import baseline as run

    chosen = tuple(name.strip() for name in drivers.split(",") if name.strip())
    asked = run.Asked(
        shop,
        period,
        reference,
        carrier,
        cast("Grain", grain),
        chosen,
        keep_all,
        temperature,
        heating_base,
        cooling_base,
    )
    reports = run.run(opened(workspace), asked)
    if as_json:
        print_json([report.as_json() for report in reports])
        return
    _print_summary(reports)
    if len(reports) == 1:
        _print_model(reports[0])
        _print_savings(reports[0])
    for note in dict.fromkeys(note for report in reports for note in report.notes):
        print_line(read(note))


def _print_summary(reports: list[Report]) -> None:
    asked, unit = reports[0].asked, reports[0].unit
    print_table(
        say(f"{asked.carrier} · {asked.period} 对 {asked.reference} [{unit}]", f"{asked.carrier} · {asked.period} against {asked.reference} [{unit}]"),
        [(say("位置", "place"), "left"), (say("预期", "expected"), "right"), (say("实际", "actual"), "right"), (say("节约", "saved"), "right"),
         ("± 95 %", "right"), (say("实际/预期", "ratio"), "right"), (say(f"{unit}/件", f"{unit}/unit"), "right"), ("R²", "right"), (say("检验", "tests"), "left")],
        [
            (r.asked.shop, f"{r.savings.expected_total:,.0f}", f"{r.savings.actual_total:,.0f}", f"{r.savings.savings + 0.0:,.0f}",
             f"{(r.savings.high - r.savings.low) / 2:,.0f}", f"{r.savings.ratio:.3f}", "—" if r.savings.specific is None else f"{r.savings.specific:,.1f}",
             f"{r.baseline.fit.r2:.2f}", say("通过", "pass") if all(c.passed for c in r.checks) else say("未通过", "fail"))
            for r in reports
        ],
    )  # fmt: skip


def _print_model(report: Report) -> None:
    fit = report.baseline.fit
    print_table(
        say(
            f"模型: {fit.count} 个观测({report.asked.grain}), CV(RMSE) {100 * fit.cv_rmse:.1f} %",
            f"Model: {fit.count} observations ({report.asked.grain}), CV(RMSE) {100 * fit.cv_rmse:.1f} %",
        ),
        [
            (say("因素", "driver"), "left"),
            (say("系数", "weight"), "right"),
            (say("标准误", "std error"), "right"),
            ("t", "right"),
            ("p", "right"),
        ],
        [
            (name, f"{b:,.4g}", f"{s:,.4g}", f"{t:,.2f}", f"{p:.3f}")
            for name, b, s, t, p in zip(
                (say("常数", "constant"), *fit.names),
                fit.coefficients,
                fit.standard_errors,
                fit.t,
                fit.probabilities,
                strict=True,
            )
        ],
    )
    for name, why in report.baseline.left_out:
        print_line(say(f"未采用 {name}: {read(why)}", f"Left out {name}: {read(why)}"))
    for check in report.checks:
        if not check.passed:
            about = f" ({check.about})" if check.about else ""
            print_line(
                say(
                    f"未通过: {read(check.title)}{about} {check.value:.3g}, 限值 {check.limit:g}",
                    f"Fails: {read(check.title)}{about} {check.value:.3g}, limit {check.limit:g}",
                )
            )


def _print_savings(report: Report) -> None:
    saved = report.savings
    rows = list(zip(saved.reporting.starts, saved.expected, saved.reporting.energy, saved.cusum, strict=True))
    every = -(-len(rows) // 30)
    print_table(
        say("累计节约 CUSUM", "Running savings, CUSUM"),
        [
            (say("起", "from"), "left"),
            (say("预期", "expected"), "right"),
            (say("实际", "actual"), "right"),
            ("CUSUM", "right"),
        ],
        [(day.isoformat(), f"{e:,.0f}", f"{a:,.0f}", f"{c:,.0f}") for day, e, a, c in rows[every - 1 :: every]],
    )
