"""Commands of readings: readings show, readings totals."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from zerofactory.cli.language import say
from zerofactory.cli.options import JsonOption, PeriodOption, WorkspaceOption, opened
from zerofactory.cli.output import door, print_json, print_line, print_table

if TYPE_CHECKING:
    from zerofactory.runs.readings import Told, Totals

SHOWN = 200
MeterArgument = Annotated[str, typer.Argument(metavar="METER", help=say("表计编号", "id of the meter"))]
HoursOption = Annotated[
    float, typer.Option("--hours", metavar="N", help=say("最近多少小时", "how many hours back"), min=0.0)
]
UntilOption = Annotated[
    datetime | None,
    typer.Option(
        "--until",
        metavar="TIME",
        help=say("截至时间(工厂时钟), 默认现在", "end of the stretch on the plant's clock; default now"),
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
    ),
]
DaysOption = Annotated[bool, typer.Option("--days", help=say("按日", "by day"))]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    group = typer.Typer(no_args_is_help=True, help=say("读数", "readings"))
    group.command("show", help=say("一块表最近的读数", "the latest readings of one meter"))(show)
    group.command("totals", help=say("已封存期间各表合计", "what every meter came to in a closed period"))(totals)
    app.add_typer(group, name="readings")


@door
def show(
    meter: MeterArgument,
    hours: HoursOption = 24.0,
    until: UntilOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.periods import zone
    from zerofactory.runs import readings as run

    context = opened(workspace)
    end = until.replace(tzinfo=zone(context.workspace.plant.time_zone)) if until else None
    result = run.of_meter(context, meter, hours, end)
    if as_json:
        print_json(result.as_json())
    else:
        _print_told(result)


def _print_told(result: Told) -> None:
    from zerofactory.periods import zone

    clock = zone(result.time_zone)
    rows = result.readings.tail(SHOWN).to_dicts()
    print_table(
        say(f"{result.meter} 读数({result.unit})", f"readings of {result.meter} ({result.unit})"),
        [(say("时间", "time"), "left"), (say("读数", "value"), "right"), (say("质量", "quality"), "left")],
        [
            (f"{row['started_at'].astimezone(clock):%Y-%m-%d %H:%M}", f"{row['value']:,.12g}", row["quality"])
            for row in rows
        ],
    )
    if result.readings.height > SHOWN:
        print_line(
            say(
                f"共 {result.readings.height:,} 条, 只显示最后 {SHOWN} 条; --json 看全部。",
                f"{result.readings.height:,} in all, the last {SHOWN} shown; --json shows them all.",
            )
        )


@door
def totals(
    period: PeriodOption,
    days: DaysOption = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.periods import Period
    from zerofactory.runs import readings as run

    result = run.totals(opened(workspace), Period.parse(period), "day" if days else "month")
    if as_json:
        print_json(result.as_json())
    else:
        _print_totals(result)


def _print_totals(result: Totals) -> None:
    by = say("日期", "day") if result.by == "day" else say("月份", "month")
    print_table(
        say(f"{result.period} 各表合计", f"{result.period} totals by meter"),
        [
            (say("表计", "meter"), "left"),
            (by, "left"),
            (say("数量", "amount"), "right"),
            (say("单位", "unit"), "left"),
            (say("补数 %", "estimated %"), "right"),
        ],
        [
            (meter, str(stretch), f"{amount:,.3f}", unit or "", f"{100 * estimated:.1f}")
            for meter, stretch, amount, unit, estimated in result.rows.iter_rows()
        ],
    )
