"""Commands of scheduling: solve, check, show, replan; those of the car line are in `schedule_line`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerofactory.cli import schedule_line
from zerofactory.cli.language import language, read, say
from zerofactory.cli.options import JsonOption, WorkspaceOption, opened
from zerofactory.cli.output import EXIT_FAULTY, door, print_json, print_line, print_table
from zerofactory.cli.progress import working

if TYPE_CHECKING:
    from zerofactory.optimisation.scheduling.schedule import Schedule
    from zerofactory.optimisation.scheduling.solve import Options
    from zerofactory.runs.schedule import Booked, Result

ROWS_SHOWN = 40
FileArgument = Annotated[
    Path | None,
    typer.Argument(metavar="FILE", help=say("schedule.toml 或 .fjs(默认: 工作区的)", "schedule.toml or .fjs (default: the workspace's)")),
]  # fmt: skip
GoalOption = Annotated[
    list[str] | None,
    typer.Option(
        "--goal",
        metavar="NAME[=W]",
        help=say(
            "makespan | tardiness | cost | carbon, 可带权重", "makespan | tardiness | cost | carbon, with a weight"
        ),
    ),
]
SecondsOption = Annotated[float, typer.Option("--seconds", min=0.5, help=say("求解时间 s", "time to solve, s"))]
ThreadsOption = Annotated[int, typer.Option("--threads", min=1, max=64, help=say("线程", "threads"))]
RepeatableOption = Annotated[
    bool, typer.Option("--repeatable", help=say("单线程、按工作量计, 每次结果相同", "one thread, work counted: always the same answer"))
]  # fmt: skip
DemandOption = Annotated[
    float, typer.Option("--demand", min=0.0, metavar="CNY/kW", help=say("新增需量的电费 元/kW", "price of a kW of new peak"))
]  # fmt: skip
OutOption = Annotated[
    Path | None, typer.Option("--out", metavar="DIR", help=say("输出文件夹(CSV、LOAD、记录、甘特图)", "folder for CSV, LOAD, records, Gantt"))
]  # fmt: skip
ScheduleOption = Annotated[
    Path, typer.Option("--schedule", metavar="CSV", help=say("排产计划 CSV(--out 写出的格式)", "schedule CSV, as --out writes it"))
]  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    group = typer.Typer(no_args_is_help=True, help=say("排产", "scheduling"))
    group.command("solve", help=say("求解: 工期、拖期、电费、碳, 及其前沿", "solve for time, lateness, cost, carbon, and their front"))(solve)  # fmt: skip
    group.command("check", help=say("独立检验一份排产计划", "judge a schedule without the solver"))(check)
    group.command("show", help=say("看一份排产计划, 画甘特图", "show a schedule and draw its Gantt chart"))(show)
    group.command("replan", help=say("故障后重排, 改动尽量少", "re-plan after a breakdown, changing little"))(replan)
    schedule_line.add(group)
    app.add_typer(group, name="schedule")


@door
def solve(
    file: FileArgument = None,
    goal: GoalOption = None,
    limit: Annotated[list[str] | None, typer.Option("--limit", metavar="NAME=X", help=say("上限: makespan=480(分钟)、carbon=900(kg)、makespan=+5%", "limit: makespan=480 (min), carbon=900 (kg), makespan=+5%"))] = None,
    front: Annotated[str | None, typer.Option("--front", metavar="A,B", help=say("两目标前沿, 如 makespan,carbon", "front of two goals: makespan,carbon"))] = None,
    points: Annotated[int, typer.Option("--points", min=2, max=40, help=say("前沿点数", "points of the front"))] = 5,
    demand: DemandOption = 0.0,
    seconds: SecondsOption = 30.0,
    threads: ThreadsOption = 2,
    repeatable: RepeatableOption = False,
    out: OutOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    from zerofactory.runs import schedule as run
    from zerofactory.runs import schedule_file, schedule_files

    context = opened(workspace)
    loaded = schedule_file.load(context, file)
    asked = run.Asked(
        _weights(goal), _pairs(limit), _two(front), points, demand, _options(seconds, threads, repeatable)
    )
    with working(say("求解……", "solving …")):
        result = run.run(context, loaded, asked)
    files = schedule_files.write(context, result, out, language()) if out else []
    if files:
        schedule_files.record(context, result, files)
    print_json(result.as_json()) if as_json else _print(result, files)
    if result.answer.schedule is None:
        raise typer.Exit(EXIT_FAULTY)


@door
def check(
    schedule: ScheduleOption,
    file: FileArgument = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import schedule as run
    from zerofactory.runs import schedule_file, schedule_files

    context = opened(workspace)
    loaded = schedule_file.load(context, file)
    rows = schedule_files.read(schedule, context.workspace.plant.time_zone)
    made, found, booked = run.judge(context, loaded, rows)
    if as_json:
        print_json({"passed": found.passed, "findings": [one.as_json() for one in found.findings], "measures": run.told_measures(made)})  # fmt: skip
    else:
        _measures([(say("计划", "schedule"), made, booked)])
        for one in found.findings:
            print_line(f"[red]✗[/red] {one.where}: {read(one.message)}")
        if found.passed:
            print_line(say("检验通过: 无重叠, 产能、先后、班次、换型、状态与数字均相符。", "The check passed: no overlap; capacity, precedence, shifts, set-ups, states and figures hold."))  # fmt: skip
    if not found.passed:
        raise typer.Exit(EXIT_FAULTY)


@door
def show(
    schedule: ScheduleOption,
    file: FileArgument = None,
    out: OutOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import schedule as run
    from zerofactory.runs import schedule_file, schedule_files, schedule_json

    context = opened(workspace)
    loaded = schedule_file.load(context, file)
    rows = schedule_files.read(schedule, context.workspace.plant.time_zone)
    made, found, booked = run.judge(context, loaded, rows)
    pictures = []
    if out is not None and found.passed:
        out.mkdir(parents=True, exist_ok=True)
        pictures = schedule_files.gantt(context, made, out, language())
    if as_json:
        print_json({"passed": found.passed, "measures": run.told_measures(made), "rows": schedule_json.rows(made), "files": [str(path) for path in pictures]})  # fmt: skip
        return
    _measures([(say("计划", "schedule"), made, booked)])
    _rows(made)
    for path in pictures:
        print_line(say(f"已写 {path}", f"Wrote {path}"))


@door
def replan(
    schedule: ScheduleOption,
    at: Annotated[str, typer.Option("--at", metavar="TIME", help=say("何时得知 2025-07-10T09:00", "when it is known: 2025-07-10T09:00"))],
    file: FileArgument = None,
    down: Annotated[list[str] | None, typer.Option("--down", metavar="M=A/B", help=say("停机: 设备=起/止", "breakdown: machine=from/until"))] = None,
    freeze: Annotated[float, typer.Option("--freeze", min=0.0, metavar="MIN", help=say("此后多久内的工序不动", "how long operations keep their place"))] = 0.0,
    stay: Annotated[float, typer.Option("--stay", min=0.0, help=say("每改动一道工序的权重", "weight of moving one operation"))] = 1.0,
    goal: GoalOption = None,
    demand: DemandOption = 0.0,
    seconds: SecondsOption = 30.0,
    threads: ThreadsOption = 2,
    repeatable: RepeatableOption = False,
    out: OutOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    from zerofactory.runs import schedule as run
    from zerofactory.runs import schedule_file, schedule_files

    context = opened(workspace)
    loaded = schedule_file.load(context, file)
    rows = schedule_files.read(schedule, context.workspace.plant.time_zone)
    change = run.change_of(loaded.problem, at, down or [], freeze, stay)
    asked = run.Asked(_weights(goal), demand_cny_per_kw=demand, options=_options(seconds, threads, repeatable))
    with working(say("重排……", "re-planning …")):
        result = run.again(context, loaded, rows, change, asked)
    files = schedule_files.write(context, result, out, language()) if out else []
    if files:
        schedule_files.record(context, result, files)
    print_json(result.as_json()) if as_json else _print(result, files)
    if result.answer.schedule is None:
        raise typer.Exit(EXIT_FAULTY)


def _options(seconds: float, threads: int, repeatable: bool) -> Options:
    from zerofactory.optimisation.scheduling.solve import Options

    return Options(seconds, threads, 1, repeatable)


def _weights(given: list[str] | None) -> dict[str, float]:
    from zerofactory.errors import FaultyData, Problem, Text

    found, problems = {}, []
    for text in given or ["makespan"]:
        name, _, number = text.partition("=")
        try:
            found[name.strip()] = float(number) if number else 1.0
        except ValueError:
            problems.append(Problem("schedule.goal", Text(f"“{text}”不是 目标=权重。", f"'{text}' is not goal=weight."), Text("例如 carbon 或 cost=1。", "For example carbon or cost=1.")))  # fmt: skip
    if problems:
        raise FaultyData(problems)
    return found


def _pairs(given: list[str] | None) -> dict[str, str]:
    return {name.strip(): value for name, _, value in (text.partition("=") for text in given or [])}


def _two(given: str | None) -> tuple[str, str] | None:
    if given is None:
        return None
    first, _, second = given.partition(",")
    return first.strip(), second.strip()


def _print(result: Result, files: list[Path]) -> None:
    answer = result.answer
    words = {
        "optimal": say("已证明最优", "proved optimal"), "feasible": say("可行", "feasible"),
        "infeasible": say("无解(已证明)", "infeasible (proved)"), "none": say("在时限内未找到", "none found in the time"),
    }  # fmt: skip
    gap = (
        ""
        if answer.gap_fraction is None
        else say(f", 差距 {100 * answer.gap_fraction:.2f} %", f", gap {100 * answer.gap_fraction:.2f} %")
    )
    bound = say("未知", "unknown") if answer.bound is None else f"{answer.bound:,.6g}"
    value = "–" if answer.objective is None else f"{answer.objective:,.6g}"
    print_line(say(f"{words[answer.status]}: 目标值 {value}, 下界 {bound}{gap}, 用时 {answer.runtime_s:.1f} s", f"{words[answer.status]}: objective {value}, bound {bound}{gap}, {answer.runtime_s:.1f} s"))  # fmt: skip
    if answer.schedule is not None:
        rows = [(say("计划", "schedule"), answer.schedule, result.booked)]
        if result.naive is not None and result.naive.schedule is not None:
            rows.insert(0, (say("只看时间", "time alone"), result.naive.schedule, result.naive_booked))
        _measures(rows)
        if answer.problem.before:
            count, total = answer.schedule.measures.changes, len(answer.problem.before)
            print_line(
                say(
                    f"未开工的 {total} 道工序中改动 {count} 道。", f"{count} of {total} operations not begun are moved."
                )
            )
    _front(result)
    for note in result.notes:
        print_line(f"[dim]{read(note)}[/dim]")
    for finding in answer.check.findings if answer.check else ():
        print_line(f"[red]✗[/red] {finding.where}: {read(finding.message)}")
    for path in files:
        print_line(say(f"已写 {path}", f"Wrote {path}"))


def _measures(rows: list[tuple[str, Schedule, Booked | None]]) -> None:
    header = [
        (say("排产", "schedule"), "left"), (say("完工 h", "makespan h"), "right"), (say("拖期 h", "late h"), "right"),
        (say("电量 kWh", "energy kWh"), "right"), (say("峰值 kW", "peak kW"), "right"), (say("电费 元", "cost CNY"), "right"),
        (say("小时碳 kg", "hourly kg"), "right"), (say("入账碳 kg", "booked kg"), "right"),
    ]  # fmt: skip
    shown = []
    for name, schedule, booked in rows:
        found, hours = schedule.measures, schedule.problem.tick_hours
        has = schedule.problem.signals is not None
        shown.append((
            name, f"{found.makespan_ticks * hours:,.2f}", f"{found.tardiness_ticks * hours:,.2f}", f"{found.energy_kwh:,.0f}", f"{found.peak_kw:,.0f}",
            f"{found.cost_cny:,.0f}" if has else "–", f"{found.carbon_gco2e / 1000:,.1f}" if has else "–", "–" if booked is None else f"{booked.booked_gco2e / 1000:,.1f}",
        ))  # fmt: skip
    print_table("", header, shown)


def _front(result: Result) -> None:
    if not result.front:
        return
    shown = []
    for point in result.front:
        schedule = point.answer.schedule
        if schedule is not None:
            found, hours = schedule.measures, schedule.problem.tick_hours
            gap = "–" if point.answer.gap_fraction is None else f"{100 * point.answer.gap_fraction:.1f}"
            shown.append((f"{found.makespan_ticks * hours:,.2f}", f"{found.tardiness_ticks * hours:,.2f}", f"{found.cost_cny:,.0f}", f"{found.carbon_gco2e / 1000:,.1f}", gap))  # fmt: skip
    header = [(say("完工 h", "makespan h"), "right"), (say("拖期 h", "late h"), "right"), (say("电费 元", "cost CNY"), "right"), (say("小时碳 kg", "hourly kg"), "right"), (say("差距 %", "gap %"), "right")]  # fmt: skip
    print_table(say("前沿", "front"), header, shown)


def _rows(schedule: Schedule) -> None:
    from zerofactory.optimisation.scheduling.schedule import ACTIVITY_TITLES

    header = [
        (say("设备", "machine"), "left"), (say("起点", "start"), "left"), (say("终点", "end"), "left"), (say("活动", "activity"), "left"),
        (say("工序", "operation"), "left"), (say("方式", "mode"), "left"), ("kWh", "right"),
    ]  # fmt: skip
    shown = [one for one in schedule.stretches if one.activity in ("work", "setup")]
    hours = schedule.problem.tick_hours
    lines = []
    for one in shown[:ROWS_SHOWN]:
        task = schedule.task[str(one.operation)]
        mode = schedule.mode(task).name if one.activity == "work" else ""
        lines.append((one.machine, f"{schedule.at(one.first):%m-%d %H:%M}", f"{schedule.at(one.last):%m-%d %H:%M}", read(ACTIVITY_TITLES[one.activity]), str(one.operation), mode, f"{float(one.powers_kw.sum()) * hours:,.0f}"))  # fmt: skip
    print_table("", header, lines)
    if len(shown) > ROWS_SHOWN:
        rest = len(shown) - ROWS_SHOWN
        print_line(say(f"……还有 {rest} 行, 用 --json 看全部。", f"… and {rest} more rows; --json shows them all."))
