"""Commands of forecasting: forecast, forecast backtest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerofactory.cli.language import read, say
from zerofactory.cli.options import JsonOption, WorkspaceOption, opened
from zerofactory.cli.output import door, print_json, print_line, print_table

if TYPE_CHECKING:
    from datetime import datetime

    from zerofactory.runs.context import Context
    from zerofactory.runs.forecast import Asked, Forecast

ROWS_SHOWN = 28

TargetOption = Annotated[str, typer.Option("--target", help="load | pv | price | intensity")]
PlaceOption = Annotated[str | None, typer.Option("--place", help=say("表计、车间或 site", "meter, shop or site"))]
AtOption = Annotated[
    str | None,
    typer.Option(
        "--at",
        help=say("预测起点(默认数据末尾): 2025-06-01T08:00", "origin (default: end of the data): 2025-06-01T08:00"),
    ),
]
MethodOption = Annotated[str | None, typer.Option("--method", help=say("预测方法", "forecaster"))]
FromOption = Annotated[
    Path | None, typer.Option("--from", help=say("CSV 序列, 代替工作区数据", "CSV series in place of the workspace's"))
]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    group = typer.Typer(help=say("预测负荷、光伏、电价、碳强度", "forecast load, PV, price, carbon intensity"))
    group.callback(invoke_without_command=True)(forecast)
    group.command(
        "backtest", help=say("滚动回测, 与季节性朴素预测对照", "rolling back-test beside the seasonal naive")
    )(backtest)
    app.add_typer(group, name="forecast")


@door
def forecast(
    ctx: typer.Context,
    target: TargetOption = "load",
    place: PlaceOption = None,
    horizon: Annotated[str, typer.Option("--horizon", help="15min … 7d")] = "7d",
    at: AtOption = None,
    method: MethodOption = None,
    file: FromOption = None,
    scheme: Annotated[str | None, typer.Option("--scheme", help=say("电价方案", "tariff scheme"))] = None,
    voltage: Annotated[str | None, typer.Option("--voltage", help=say("电压等级", "voltage level"))] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    if ctx.invoked_subcommand is not None:
        return
    from zerofactory.runs import forecast as run

    context = opened(workspace)
    asked = run.Asked(
        run.target_of(target), place, run.horizon_of(horizon), _moment(context, at), method, file, scheme, voltage
    )
    result = run.run(context, asked)
    if as_json:
        print_json(result.as_json())
        return
    _print_forecast(result, context.workspace.plant.time_zone)


def _print_forecast(result: Forecast, time_zone: str) -> None:
    wide = result.wide()
    every = -(-wide.height // ROWS_SHOWN)
    shown = wide.gather_every(every)
    clock = shown["started_at"].dt.convert_time_zone(time_zone).dt.strftime("%Y-%m-%d %H:%M").to_list()
    names = [name for name in wide.columns if name != "started_at"]
    rows = [
        (when, *(f"{value:,.3f}" for value in values))
        for when, *values in zip(clock, *(shown[name] for name in names), strict=True)
    ]
    print_table(
        say(
            f"{result.target} · {result.place} · {result.forecaster} [{result.unit}]",
            f"{result.target} · {result.place} · {result.forecaster} [{result.unit}]",
        ),
        [(say("时段起点", "starts"), "left"), *((name, "right") for name in names)],
        rows,
    )
    if every > 1:
        print_line(
            say(
                f"每 {every} 个时段显示一行, 共 {wide.height} 个; --json 显示全部。",
                f"One interval in {every} of {wide.height} shown; --json shows all.",
            )
        )
    for note in result.notes:
        print_line(read(note))
    print_line(say(f"已存 series/{result.file}", f"Kept as series/{result.file}"))


@door
def backtest(
    target: TargetOption = "load",
    place: PlaceOption = None,
    days: Annotated[int, typer.Option("--days", min=1, help=say("测试天数", "days to test on"))] = 56,
    at: AtOption = None,
    method: MethodOption = None,
    file: FromOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.optimisation.forecasting.backtest import Rolling
    from zerofactory.runs import forecast as run

    context = opened(workspace)
    asked: Asked = run.Asked(run.target_of(target), place, at=_moment(context, at), method=method, file=file)
    scores = run.run_backtest(context, asked, Rolling(test_days=days))
    if as_json:
        print_json([score.as_json() for score in scores])
        return
    header = [
        say("方法", "forecaster"),
        say("至", "up to"),
        say("次数", "n"),
        "MAE",
        "nMAE %",
        say("覆盖 %", "covered %"),
        say("技巧 %", "skill %"),
        say("95 % 区间", "95 % interval"),
    ]
    rows = [
        (s.forecaster, f"{s.horizon_min} min", f"{s.forecasts:,}", f"{s.mae:,.2f}", f"{100 * s.nmae_fraction:.1f}", f"{100 * s.coverage_fraction:.0f}",
         f"{100 * s.skill_fraction:.1f}", f"{100 * s.skill_low_fraction:.0f} … {100 * s.skill_high_fraction:.0f}")
        for s in scores
    ]  # fmt: skip
    print_table(
        say(
            "回测: 技巧 = 1 − 分位损失 ÷ 季节性朴素; 区间应覆盖 80 %",
            "Back-test: skill = 1 − pinball loss ÷ seasonal naive; the band should cover 80 %",
        ),
        [(name, "left" if place == 0 else "right") for place, name in enumerate(header)],
        rows,
    )


def _moment(context: Context, text: str | None) -> datetime | None:
    if text is None:
        return None
    from zerofactory.runs.forecast import moment_of

    return moment_of(text, context.workspace.plant.time_zone)
