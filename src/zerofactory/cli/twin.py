"""Commands of the digital twin: twin run, twin calibrate, twin compare."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerofactory.cli.language import read, say
from zerofactory.cli.options import JsonOption, WorkspaceOption, opened
from zerofactory.cli.output import door, print_json, print_line, print_table

if TYPE_CHECKING:
    from zerofactory.optimisation.twin.statistics import Interval
    from zerofactory.runs.twin import Simulated
    from zerofactory.runs.twin_calibrate import Calibration, Fitted
    from zerofactory.runs.twin_compare import Comparison


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    group = typer.Typer(help=say("数字孪生: 产线怎样运行、耗能、卡在哪里", "digital twin: how the line runs, what it takes, where it is stuck"), no_args_is_help=True)  # fmt: skip
    group.command("run", help=say("模拟若干天, 多次重复并给出区间", "simulate some days, replicated, with intervals"))(
        run
    )
    group.command("calibrate", help=say("用读数拟合各状态的功率, 用留出的月份检验", "fit the powers to readings, held against months left out"))(calibrate)  # fmt: skip
    group.command("compare", help=say("假设场景与现状并列, 差值带区间", "scenarios beside the plant as it is, differences with intervals"))(compare)  # fmt: skip
    app.add_typer(group, name="twin")


FirstOption = Annotated[
    str | None, typer.Option("--from", metavar="DAY", help=say("首日(默认下周一)", "first day (default: next Monday)"))
]
DaysOption = Annotated[int, typer.Option("--days", min=1, max=370, help=say("天数", "days"))]
RunsOption = Annotated[int, typer.Option("--runs", min=1, max=200, help=say("重复次数", "replications"))]
SeedOption = Annotated[int, typer.Option("--seed", help=say("随机种子", "seed of the random numbers"))]


@door
def run(
    first: FirstOption = None,
    days: DaysOption = 7,
    warm_up: Annotated[
        int, typer.Option("--warm-up", min=0, max=370, help=say("之前预运行、不计入的天数", "days run before and left out"))
    ] = 2,
    runs: RunsOption = 8,
    seed: SeedOption = 1,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help=say("另存第一次重复的表计读数(.csv, 可导入)", "also write the readings of the first replication (.csv, can be imported)")),
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    from zerofactory.runs import twin as use

    found = use.run(opened(workspace), use.Asked(use.day_of(first), days, warm_up, runs, seed))
    written = use.readings(found, out) if out is not None else 0
    if as_json:
        print_json({**found.as_json(), "readings": written})
        return
    _print_line(found)
    _print_stations(found)
    if out is not None:
        print_line(say(f"已写 {written:,} 条读数: {out}", f"{written:,} readings written: {out}"))


@door
def calibrate(
    months: Annotated[
        list[str] | None, typer.Option("--month", metavar="MONTH", help=say("用于拟合的月份(可重复; 默认其余全部)", "month to fit to (repeatable; default: all others)"))
    ] = None,
    holdout: Annotated[
        list[str] | None, typer.Option("--holdout", metavar="MONTH", help=say("留出检验的月份(可重复)", "month left out to test on (repeatable)"))
    ] = None,
    temperature: Annotated[
        Path | None, typer.Option("--temperature", metavar="FILE", help=say("气温 CSV(temperature_degc)", "CSV of temperature_degc"))
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", help=say("记下结果, 之后的模拟采用", "remember the result; later simulations take it"))
    ] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    from zerofactory.runs import twin_calibrate as use

    context = opened(workspace)
    found = use.calibrate(context, use.Asked(tuple(months or ()), tuple(holdout or ()), temperature))
    path = use.write(context, found) if write else None
    if as_json:
        print_json({**found.as_json(), "written": None if path is None else path.name})
        return
    _print_fits(found)
    if path is not None:
        print_line(say(f"已写 {path.name}; 删去它即恢复 twin.toml 的数。", f"{path.name} written; delete it to go back to the figures of twin.toml."))  # fmt: skip


@door
def compare(
    scenario: Annotated[
        list[Path], typer.Option("--scenario", metavar="FILE", help=say("场景文件(可重复)", "scenario file (repeatable)"))
    ],
    first: FirstOption = None,
    days: DaysOption = 7,
    runs: RunsOption = 8,
    seed: SeedOption = 1,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    from zerofactory.runs import twin as use
    from zerofactory.runs import twin_compare

    scenarios = [twin_compare.read_scenario(path) for path in scenario]
    asked = use.Asked(use.day_of(first), days, runs=runs, seed=seed)
    found = twin_compare.compare(opened(workspace), asked, scenarios)
    if as_json:
        print_json(found.as_json())
        return
    _print_comparison(found)


def _print_fits(found: Calibration) -> None:
    def power(one: Fitted, state: str) -> str:
        value = one.fit.powers.get(state)
        return "–" if value is None else f"{value.mean:,.0f} ±{value.half:,.0f}"

    rows = []
    for one in found.fitted:
        told = [
            read(one.title),
            one.carrier[:4],
            power(one, "off"),
            power(one, "idle"),
            power(one, "working"),
            f"{one.fit.cvrmse_fraction:.0%}",
        ]
        if one.kept is not None:
            told += [
                f"{-one.kept.nmbe_fraction:+.1%}",
                say("是", "yes") if one.kept.holds else say("否", "no"),
                "–" if one.kept.drift_day is None else date.fromordinal(one.kept.drift_day).isoformat(),
            ]
        rows.append(told)
    header = [
        (say("位置", "place"), "left"),
        (say("载能", "carrier"), "left"),
        (say("停机", "off"), "right"),
        (say("待料", "idle"), "right"),
        (say("加工", "working"), "right"),
        ("CV", "right"),
    ]
    if found.asked.holdout:
        header += [
            (say("留出月偏差", "bias held out"), "right"),
            (say("在区间内", "holds"), "left"),
            (say("漂移始于", "drift from"), "left"),
        ]
    print_table(
        say(f"拟合 {found.months[0]} 至 {found.months[-1]}; 功率 kW 或 Nm³/h ± 95 %", f"fitted to {found.months[0]} … {found.months[-1]}; kW or Nm³/h ± 95 %"),
        header,
        rows,
    )  # fmt: skip
    for text in found.skipped:
        print_line(read(text))


def _print_comparison(found: Comparison) -> None:
    names = {
        "output": (say("产出", "output"), 0), "electricity": (say("电 kWh", "electricity kWh"), 0), "natural_gas": (say("气 Nm³", "gas Nm³"), 0),
        "energy_cny": (say("电费气费 元", "energy CNY"), 0), "kgco2e": ("kgCO2e", 0), "kgco2e_per_piece": (say("kgCO2e/件", "kgCO2e each"), 2),
    }  # fmt: skip
    rows = []
    for one in found.scenarios:
        for name, value in one.differences.items():
            if name not in names:
                continue
            title, digits = names[name]
            before, after = (sum(x.paired[name]) / len(x.paired[name]) for x in (found.base, one.simulated))
            rows.append((read(one.scenario.title), title, f"{before:,.{digits}f}", f"{after:,.{digits}f}", f"{value.mean:+,.{digits}f}", f"{value.low:+,.{digits}f} … {value.high:+,.{digits}f}"))  # fmt: skip
    print_table(
        say(f"{found.base.first} 起 {found.base.asked.days} 天, 同一组随机数, 重复 {len(found.base.runs)} 次", f"{found.base.asked.days} days from {found.base.first} on, same random numbers, {len(found.base.runs)} replications"),
        [(say("场景", "scenario"), "left"), (say("指标", "figure"), "left"), (say("现状", "as it is"), "right"), (say("场景", "scenario"), "right"), (say("差", "difference"), "right"), (say("95 % 区间", "95 % interval"), "right")],
        rows,
    )  # fmt: skip


def _print_line(found: Simulated) -> None:
    end = say(f"{found.first} 起 {found.asked.days} 天, 重复 {len(found.runs)} 次", f"{found.asked.days} days from {found.first} on, {len(found.runs)} replications")  # fmt: skip
    rows = [
        (say("产出", "output"), _spread(found.output, 0), say("件", "pieces")),
        (say("在线时间", "time in the line"), _hours(found.passage_s), "h"),
    ]
    units = {"electricity": "kWh", "natural_gas": "Nm³", "compressed_air": "Nm³", "water": "m³"}
    names = {
        "electricity": say("电", "electricity"),
        "natural_gas": say("天然气", "natural gas"),
        "compressed_air": say("压缩空气", "compressed air"),
        "water": say("水", "water"),
    }
    for carrier, amount in found.energy.items():
        rows.append((names[carrier], _spread(amount, 0), units[carrier]))
        rows.append((say("  其中不在加工时", "  of it while making nothing"), _spread(found.wasted[carrier], 0), units[carrier]))  # fmt: skip
        rows.append((say("  每件", "  each"), _spread(found.per_piece[carrier], 1), units[carrier]))
    if found.cny is not None:
        rows.append(
            (say("电费与气费(不含需量)", "energy cost (no demand charge)"), _spread(found.cny, 0), say("元", "CNY"))
        )
    rows.append((say("排放(与封存同一核算)", "emissions (by the accounts)"), _spread(found.kgco2e, 0), "kgCO2e"))
    rows.append((say("  每件", "  each"), f"{found.kgco2e_per_piece or 0.0:,.1f}", "kgCO2e"))
    print_table(
        say(f"产线孪生: {end}", f"twin of the line: {end}"),
        [("", "left"), (say("均值(95 % 区间)", "mean (95 % interval)"), "right"), (say("单位", "unit"), "left")],
        rows,
    )


def _print_stations(found: Simulated) -> None:
    titles = {one.id: one.title for one in found.twin.line.stations}
    print_table(
        say(f"工位: 瓶颈是 {read(titles[found.bottleneck])}", f"stations: the bottleneck is {read(titles[found.bottleneck])}"),
        [(say("工位", "station"), "left"), (say("件", "made"), "right"), (say("加工", "works"), "right"), (say("换型", "set-up"), "right"),
         (say("故障", "failed"), "right"), (say("待料", "starved"), "right"), (say("堵塞", "blocked"), "right"), (say("故障次数", "failures"), "right")],
        [
            (read(titles[one.station]), f"{one.made:,}", f"{one.working:.1%}", f"{one.setup:.1%}", f"{one.failed:.1%}", f"{one.starved:.1%}",
             f"{one.blocked:.1%}", f"{found.failures[one.station]:.1f}")
            for one in found.stations
        ],
    )  # fmt: skip


def _spread(one: Interval, digits: int) -> str:
    return f"{one.mean:,.{digits}f} ({one.low:,.{digits}f} – {one.high:,.{digits}f})"


def _hours(one: Interval) -> str:
    return f"{one.mean / 3600:.1f} ({one.low / 3600:.1f} – {one.high / 3600:.1f})"
