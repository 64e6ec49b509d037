"""Commands of electricity: electricity compare, electricity origins."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerofactory.cli.language import read, say
from zerofactory.cli.options import JsonOption, PeriodOption, WorkspaceOption, opened
from zerofactory.cli.output import door, print_json, print_line, print_problems, print_table, tonnes

if TYPE_CHECKING:
    from zerofactory.runs.electricity import Comparison
    from zerofactory.runs.origins import Opened

BARS = " ▁▂▃▄▅▆▇█"
RegimeOption = Annotated[
    str,
    typer.Option("--regime", metavar="ID", help=say("热力表所用口径", "regime of the heat table")),
]
HoursOption = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="FILE", help=say("把逐小时结果写成 CSV", "write every hour of the period to a CSV file")
    ),
]
MeterOption = Annotated[
    str,
    typer.Option("--meter", metavar="ID", help=say("表计, 默认全厂(site)", "meter; default the whole plant (site)")),
]
RowsOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FILE",
        help=say("把逐时段的行写成 CSV 或 Parquet", "write the rows of every interval to CSV or Parquet"),
    ),
]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    group = typer.Typer(no_args_is_help=True, help=say("电力", "electricity"))
    group.command("compare", help=say("同一批电量, 各口径并列", "one book of kWh under every claim regime"))(compare)
    group.command(
        "origins",
        help=say(
            "电量来源: 全厂或任一电表, 逐时段", "where the electricity came from: the plant or any meter, by interval"
        ),
    )(origins)
    app.add_typer(group, name="electricity")


@door
def compare(
    period: PeriodOption,
    regime: RegimeOption = "market_hourly",
    out: HoursOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.periods import Period
    from zerofactory.runs import electricity as run

    result = run.compare(opened(workspace), Period.parse(period))
    run.refuse_unknown(result, regime)
    if out is not None:
        run.write_hours(result, out)
    if as_json:
        print_json(result.as_json())
    else:
        _print(result, regime)
        print_problems(result.problems)
        if out is not None:
            print_line(say(f"已写出 {out}", f"Written: {out}"))


@door
def origins(
    period: PeriodOption,
    meter: MeterOption = "site",
    out: RowsOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.periods import Period
    from zerofactory.runs import origins as run

    result = run.opened(opened(workspace), Period.parse(period), meter)
    if out is not None:
        run.write(result, out)
    if as_json:
        print_json(result.as_json())
        return
    _print_origins(result)
    if out is not None:
        print_line(say(f"已写出 {out}({result.rows.height:,} 行)", f"Written: {out} ({result.rows.height:,} rows)"))


def _print_origins(result: Opened) -> None:
    from zerofactory.accounting.origin_rows import ORIGIN_TITLES, PATH_TITLES

    print_table(
        say(f"{result.period} 电量来源 · {result.meter}", f"{result.period} origins of electricity · {result.meter}"),
        [(say("来源", "origin"), "left"), (say("路径", "path"), "left"), ("MWh", "right"), ("%", "right")],
        [
            (
                read(ORIGIN_TITLES[line.origin]),
                read(PATH_TITLES[line.path]),
                f"{line.energy_wh / 1e6:,.6f}",
                f"{100 * line.share_fraction:.1f}",
            )
            for line in result.lines
        ],
    )
    print_line(
        say(
            f"用电 {result.load_wh:,} Wh = 各来源直接使用与储能放出之和, 逐时段相等",
            f"Load {result.load_wh:,} Wh = what was used at once and out of stores, equal in every interval",
        )
    )


def _print(result: Comparison, regime: str) -> None:
    _print_book(result)
    _print_regimes(result)
    _print_parts(result)
    _print_why(result)
    _print_heat(result, regime)
    for remark in dict.fromkeys(remark for _, found in result.results for remark in found.remarks):
        print_line(f"· {read(remark)}")


def _print_book(result: Comparison) -> None:
    from zerofactory.accounting.origins import TITLES

    total = result.consumption_wh
    print_table(
        say(
            f"{result.period} 电量来源(合计 {total / 1e9:,.3f} GWh)",
            f"{result.period} origins ({total / 1e9:,.3f} GWh in all)",
        ),
        [(say("来源", "origin"), "left"), ("MWh", "right"), ("%", "right")],
        [
            (read(TITLES[name]), f"{int(wh.sum()) / 1e6:,.3f}", f"{100 * int(wh.sum()) / total:.1f}")
            for name, wh in result.book.energy_wh.items()
        ],
    )


def _print_regimes(result: Comparison) -> None:
    by_hour = result.matched_by_hour
    print_table(
        say("各口径", "regimes"),
        [(say("口径", "regime"), "left"), (say("名称", "title"), "left"), ("tCO2e", "right"), (say("非化石认可 %", "matched %"), "right"), (say("0–23 时匹配", "matched by hour 0–23"), "left")],
        [
            (regime.id, read(regime.title), tonnes(found.emissions_gco2e),
             f"{100 * int(found.matched_wh.sum()) / result.consumption_wh:.1f}",
             "".join(BARS[min(8, round(8 * share))] for share in by_hour[regime.id]))
            for regime, found in result.results
        ],
    )  # fmt: skip


def _print_parts(result: Comparison) -> None:
    print_table(
        say("每个口径给每部分电量的因子", "the factor that each part takes under each regime"),
        [
            (say("口径", "regime"), "left"),
            (say("部分", "part"), "left"),
            ("MWh", "right"),
            ("kg/kWh", "right"),
            ("tCO2e", "right"),
            (say("说明", "note"), "left"),
        ],
        [
            (
                regime.id,
                read(part.title),
                f"{part.energy_wh / 1e6:,.1f}",
                f"{part.factor.factor.value:.4f}" if part.factor else "0",
                tonnes(part.emissions_gco2e),
                read(part.note),
            )
            for regime, found in result.results
            for part in found.parts
            if part.energy_wh
        ],
    )


def _print_why(result: Comparison) -> None:
    why = result.why()
    print_line(f"[bold]{say('为何不同(与基于位置相比)', 'why they differ (from location-based)')}[/bold]")
    for regime, _ in result.results:
        if regime.id not in why:
            continue
        total = sum(cause.effect_gco2e for cause in why[regime.id])
        print_line(f"{regime.id}  {total / 1e6:+,.1f} t  {read(regime.principle)}")
        for cause in why[regime.id]:
            print_line(f"  · {read(cause.text)}")
    beyond = result.out_of_time()
    if beyond is not None:
        print_line(f"· {read(beyond)}")


def _print_heat(result: Comparison, regime: str) -> None:
    if not result.hours.by_hour:
        return
    table = result.heat(regime)
    print_table(
        say(f"匹配率 %(行: 时, 列: 月)· {regime}", f"matched share in % (rows: hour, columns: month) · {regime}"),
        [(say("时", "hour"), "right"), *((label[-2:], "right") for label in result.hours.labels)],
        [
            (f"{hour:02d}", *(f"{BARS[min(8, round(8 * share))]}{100 * share:>3.0f}" for share in row))
            for hour, row in enumerate(table)
        ],
    )
