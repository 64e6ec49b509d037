"""Commands of the digital twin: twin run, twin calibrate; the others stand in modules beside."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerofactory.cli import twin_draft, twin_measure, twin_now, twin_scenarios, twin_signals, twin_utilities
from zerofactory.cli.language import read, say
from zerofactory.cli.options import JsonOption, WorkspaceOption, opened
from zerofactory.cli.output import door, print_json, print_line, print_table
from zerofactory.cli.twin_options import DaysOption, RunsOption, SeedOption, StartOption

if TYPE_CHECKING:
    from zerofactory.optimisation.twin.statistics import Interval
    from zerofactory.runs.twin import Simulated
    from zerofactory.runs.twin_calibrate import Calibration, Fitted


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    group = typer.Typer(help=say("数字孪生: 产线怎样运行、耗能、卡在哪里", "digital twin: how the line runs, what it takes, where it is stuck"), no_args_is_help=True)  # fmt: skip
    group.command("run", help=say("模拟若干天, 多次重复并给出区间", "simulate some days, replicated, with intervals"))(
        run
    )
    group.command("calibrate", help=say("用读数拟合各状态的功率, 用留出的月份检验", "fit the powers to readings, held against months left out"))(calibrate)  # fmt: skip
    twin_draft.register(group)
    twin_scenarios.register(group)
    twin_measure.register(group)
    twin_now.register(group)
    app.add_typer(group, name="twin")


CARRIERS = {
    "electricity": ("电", "electricity"),
    "natural_gas": ("天然气", "natural gas"),
    "compressed_air": ("压缩空气", "compressed air"),
    "water": ("水", "water"),
    "heat": ("外购热力", "purchased heat"),
}
SHORT = {"electricity": "power", "natural_gas": "gas", "compressed_air": "air", "water": "water", "heat": "heat"}


@door
def run(
    first: StartOption = None,
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
    from zerofactory.runs import twin_start

    context = opened(workspace)
    begun = twin_start.begun(context, first, use.Asked(None, days, warm_up, runs, seed))
    found = use.run(context, begun.asked)
    written = use.readings(found, out) if out is not None else 0
    if as_json:
        print_json({**found.as_json(), **begun.as_json(), "readings": written, "unmetered": use.unmetered(found)})
        return
    for note in begun.notes:
        print_line(read(note))
    _print_line(found)
    _print_stations(found)
    twin_utilities.show(found.around, {one.id: read(one.title) for one in found.twin.line.stations})
    if out is not None:
        print_line(say(f"已写 {written:,} 条读数: {out}", f"{written:,} readings written: {out}"))
        for carrier in use.unmetered(found):
            zh, en = CARRIERS[carrier]
            print_line(say(f"{zh}没有表计, 不在读数里。", f"{en} has no meter and is not among the readings."))


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
    utilities: Annotated[
        bool, typer.Option("--utilities/--no-utilities", help=say("公用动力也按各自的表计拟合(费时最多)", "fit utilities to their meters too (takes most of the time)"))
    ] = True,
    write: Annotated[
        bool, typer.Option("--write", help=say("记下结果, 之后的模拟采用", "remember the result; later simulations take it"))
    ] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    from zerofactory.runs import twin_calibrate as use
    from zerofactory.runs import twin_expect
    from zerofactory.runs.twin_utilities_file import FITTED

    context = opened(workspace)
    found = use.calibrate(
        context, use.Asked(tuple(months or ()), tuple(holdout or ()), temperature, utilities=utilities)
    )
    path = use.write(context, found) if write else None
    expected = twin_expect.save(context, found) if write and found.fitted else None
    if as_json:
        print_json({**found.as_json(), "written": None if path is None else path.name})
        return
    _print_fits(found)
    twin_signals.show(found.signals)
    twin_utilities.show_fits(found.utilities)
    twin_utilities.show_meters(found.tuned)
    if path is not None:
        print_line(say(f"已写 {path.name}; 删去它即恢复 twin.toml 的数。", f"{path.name} written; delete it to go back to the figures of twin.toml."))  # fmt: skip
    elif write and not found.aside:
        print_line(say("没有可写的结果。", "There was nothing to write."))
    if write and found.aside:
        print_line(say(f"已写 {FITTED}; 删去它即恢复 utilities.toml 的数。", f"{FITTED} written; delete it to go back to the figures of utilities.toml."))  # fmt: skip
    if expected is not None:
        print_line(say(f"已写 {expected.name}; 从此 zf alarms scan 比较实测与孪生应有。", f"{expected.name} written; from now on zf alarms scan holds the meters against the twin."))  # fmt: skip


def _print_fits(found: Calibration) -> None:
    def power(one: Fitted, state: str) -> str:
        value = one.fit.powers.get(state)
        return "–" if value is None else f"{value.mean:,.0f} ±{value.half:,.0f}"

    rows = []
    for one in found.fitted:
        told = [
            read(one.title),
            say(CARRIERS[one.carrier][0], SHORT[one.carrier]),
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


def _print_line(found: Simulated) -> None:
    day = f"{found.begin:%Y-%m-%d %H:%M}" if found.asked.resume else str(found.first)
    end = say(f"{day} 起 {found.asked.days} 天, 重复 {len(found.runs)} 次", f"{found.asked.days} days from {day} on, {len(found.runs)} replications")  # fmt: skip
    rows = [
        (say("产出", "output"), _spread(found.output, 0), say("件", "pieces")),
        (say("在线时间", "time in the line"), _hours(found.passage_s), "h"),
    ]
    units = {"electricity": "kWh", "natural_gas": "Nm³", "compressed_air": "Nm³", "water": "m³", "heat": "kWh"}
    names = {carrier: say(*words) for carrier, words in CARRIERS.items()}
    for carrier, amount in found.energy.items():
        rows.append((names[carrier], _spread(amount, 0), units[carrier]))
        rows.append((say("  其中不在加工时", "  of it while making nothing"), _spread(found.wasted[carrier], 0), units[carrier]))  # fmt: skip
        rows.append((say("  每件", "  each"), _spread(found.per_piece[carrier], 1), units[carrier]))
    if found.cny is not None:
        rows.append(
            (say("能源费(不含需量)", "energy cost (no demand charge)"), _spread(found.cny, 0), say("元", "CNY"))
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
