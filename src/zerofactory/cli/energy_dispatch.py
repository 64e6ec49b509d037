"""The commands energy dispatch and energy backtest: what each asset should do now, and how well that would have gone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerofactory.cli.language import read, say
from zerofactory.cli.options import JsonOption, WorkspaceOption, opened
from zerofactory.cli.output import door, print_json, print_line, print_table
from zerofactory.cli.progress import progress, working

if TYPE_CHECKING:
    from zerofactory.runs.energy_dispatch import Backtest, Dispatch

ROWS_SHOWN = 24
BuildOption = Annotated[
    list[str] | None,
    typer.Option(
        "--build",
        metavar="ID=SIZE",
        help=say("把候选设备当作已建: battery=60000", "take a candidate as built: battery=60000"),
    ),
]
HorizonOption = Annotated[
    int, typer.Option("--horizon", min=1, max=168, metavar="HOURS", help=say("预见小时数", "hours looked ahead"))
]
StepOption = Annotated[int, typer.Option("--step", metavar="MINUTES", help="15 | 30 | 60")]
MarginOption = Annotated[
    float,
    typer.Option(
        "--margin",
        min=0.5,
        max=0.99,
        help=say("守住新需量的把握(0.5 不留余量)", "sureness of keeping a new peak (0.5: no margin)"),
    ),
]


@door
def dispatch(
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help=say("时刻 2025-07-10T08:00(默认: 读数末尾)", "moment 2025-07-10T08:00 (default: end of the readings)"))] = None,
    horizon: HorizonOption = 48,
    step: StepOption = 15,
    build: BuildOption = None,
    contents: Annotated[list[str] | None, typer.Option("--contents", metavar="ID=SHARE", help=say("储能现有电量占比: battery=0.4", "how full a store is: battery=0.4"))] = None,
    margin: MarginOption = 0.8,
    load: Annotated[Path | None, typer.Option("--load", metavar="FILE", help=say("加上计划负荷(logistics、schedule 写出的 load.parquet)", "with planned loads on top (load.parquet of logistics or schedule)"))] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    from zerofactory.runs import energy_dispatch as run
    from zerofactory.runs import planned_load
    from zerofactory.runs.forecast import moment_of

    context = opened(workspace)
    moment = moment_of(at, context.workspace.plant.time_zone) if at else None
    planned = planned_load.read(load) if load else None
    asked = run.Asked(moment, horizon, step, sizes(build), margin, sizes(contents), planned=planned)
    with working(say("求解……", "solving …")):
        found = run.run(context, asked)
    if as_json:
        print_json(found.as_json())
        return
    _print_dispatch(found, context.workspace.plant.time_zone)


def sizes(given: list[str] | None) -> dict[str, float]:
    """Return what was given as id=number; raise `FaultyData` with every one that is not."""
    from zerofactory.errors import FaultyData, Problem, Text

    found, problems = {}, []
    for text in given or []:
        name, _, number = text.partition("=")
        try:
            found[name.strip()] = float(number)
        except ValueError:
            message = Text(f"“{text}”不是 编号=数值。", f"'{text}' is not id=number.")
            problems.append(
                Problem("dispatch.setting", message, Text("例如 battery=60000。", "For example battery=60000."))
            )
    if problems:
        raise FaultyData(problems)
    return found


def _print_dispatch(found: Dispatch, zone: str) -> None:
    from zerofactory.periods import zone as place

    every = max(1, len(found.lines) // ROWS_SHOWN)
    names = [
        name for name, power in found.lines[0].power_kw.items() if any(abs(x.power_kw[name]) > 1.0 for x in found.lines)
    ]
    stores = [name for name in found.lines[0].stored_kwh if any(x.stored_kwh[name] > 1.0 for x in found.lines)]
    header = [(say("时刻", "time"), "left"), (say("元/kWh", "CNY/kWh"), "right"), (say("负荷 kW", "load kW"), "right")]
    header += [(read(found.titles[name]), "right") for name in names]
    header += [
        (say(f"{read(found.titles[name])}存量", f"{read(found.titles[name])} stored"), "right") for name in stores
    ]
    rows = [
        (
            f"{line.started_at.astimezone(place(zone)):%m-%d %H:%M}", f"{line.price_cny_per_kwh:.4f}", _whole(line.load_kw),
            *(_whole(line.power_kw[name]) for name in names), *(_whole(line.stored_kwh[name]) for name in stores),
        )
        for line in found.lines[::every]
    ]  # fmt: skip
    title = say(
        f"调度计划 自 {found.at.astimezone(place(zone)):%Y-%m-%d %H:%M} 起 {found.horizon_hours} 小时(正为送入母线)",
        f"Dispatch from {found.at.astimezone(place(zone)):%Y-%m-%d %H:%M}, {found.horizon_hours} h (+ into the bus)",
    )
    print_table(title, header, rows)
    now = "; ".join(
        f"{read(found.titles[name])} {' '.join(f'{key}={value:,.1f}' for key, value in own.items())}"
        for name, own in found.setpoints.items()
        if any(own.values())
    )
    print_line(say(f"此刻: {now}", f"Now: {now}"))
    print_line(
        say(
            f"本月已发生需量 {found.peak_so_far_kw:,.0f} kW; 这段时间 {found.cost_cny:,.0f} 元, {found.emissions_t:,.1f} t; 独立检查通过; 用时 {found.runtime_s:.1f} s",
            f"Peak of the month so far {found.peak_so_far_kw:,.0f} kW; these hours {found.cost_cny:,.0f} CNY, {found.emissions_t:,.1f} t; check passed; {found.runtime_s:.1f} s",
        )
    )
    for note in found.notes:
        print_line(read(note))


def _whole(value: float) -> str:
    """Return a whole number, never a minus zero."""
    return f"{round(value) + 0:,d}"


@door
def backtest(
    first: Annotated[str, typer.Option("--from", metavar="DAY", help=say("首日 2025-07-01", "first day 2025-07-01"))],
    days: Annotated[int, typer.Option("--days", min=1, max=366, help=say("天数", "days"))] = 7,
    horizon: HorizonOption = 24,
    step: StepOption = 15,
    build: BuildOption = None,
    margin: MarginOption = 0.8,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import energy_dispatch as run
    from zerofactory.runs.forecast import moment_of

    context = opened(workspace)
    moment = moment_of(f"{first}T00:00", context.workspace.plant.time_zone)
    asked = run.Asked(moment, horizon, step, sizes(build), margin)
    steps = days * 1440 // step
    with progress(say("逐步滚动", "rolling"), steps) as tick:
        found = run.backtest(context, asked, moment, days, lambda slot: tick(str(slot)))
    if as_json:
        print_json(found.as_json())
        return
    _print_backtest(found)


def _print_backtest(found: Backtest) -> None:
    from zerofactory.optimisation.energy.strategies import STRATEGIES

    header = [
        (say("运行方式", "strategy"), "left"), (say("费用 元", "cost CNY"), "right"), (say("节省 元", "saved CNY"), "right"),
        (say("占完全预知 %", "% of perfect"), "right"), (say("最大需量 kW", "peak kW"), "right"), (say("独立检查", "check"), "left"),
    ]  # fmt: skip
    rows = []
    for name, one in found.judged.items():
        share = found.share(name)
        passed = say("通过", "passed") if one.check.passed else say("未通过", "failed")
        rows.append(
            (
                read(STRATEGIES[name]),
                f"{one.cost_cny:,.0f}",
                f"{found.saved_cny(name):,.0f}",
                "—" if share is None else f"{100 * share:.1f}",
                f"{one.peak_kw:,.0f}",
                passed,
            )
        )
    print_table(
        say(
            f"回测 {found.days} 天, 步长 {found.step_minutes} 分钟",
            f"Back-test over {found.days} days, steps of {found.step_minutes} min",
        ),
        header,
        rows,
    )
    rolled = found.judged["rolling"].rolled
    if rolled is not None:
        median = 1000 * sorted(rolled.step_s)[len(rolled.step_s) // 2]
        print_line(
            say(
                f"每步中位 {median:.0f} ms; 失败 {rolled.failed} 次; 缺供 {rolled.unserved_kwh:,.1f} kWh",
                f"{median:.0f} ms a step (median); failed {rolled.failed}; unserved {rolled.unserved_kwh:,.1f} kWh",
            )
        )
