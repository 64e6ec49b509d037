"""Commands of the car line: schedule line, schedule plants, schedule feed, schedule cas."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerofactory.cli.language import language, read, say
from zerofactory.cli.options import JsonOption, WorkspaceOption, opened
from zerofactory.cli.output import door, print_json, print_line, print_table
from zerofactory.cli.progress import working

if TYPE_CHECKING:
    from datetime import datetime

    from zerofactory.runs.context import Context
    from zerofactory.runs.schedule_feed import Fed
    from zerofactory.runs.schedule_line import Judged, LineSchedule
    from zerofactory.runs.schedule_plants import SharedPlants

ROWS_SHOWN = 24
DayOption = Annotated[
    str, typer.Option("--day", metavar="DAY", help=say("计划日 2025-07-10", "day of the plan 2025-07-10"))
]
MovesOption = Annotated[
    int, typer.Option("--moves", min=0, max=10_000_000, help=say("搜索步数(同样步数结果相同)", "moves of the search (the same moves give the same answer)"))
]  # fmt: skip
SecondsOption = Annotated[
    float | None, typer.Option("--seconds", min=0.0, help=say("改按秒数搜索", "search for so many seconds instead"))
]
ObjectiveOption = Annotated[
    str, typer.Option("--objective", metavar="NAME", help="carbon | cost | balanced | makespan")
]


def add(group: typer.Typer) -> None:
    """Add these commands to the group of scheduling."""
    group.command("line", help=say("整车线排产: 冲压、焊装、涂装、总装", "schedule the car line: press, body, paint, assembly"))(line)  # fmt: skip
    group.command("plants", help=say("多工厂分担订单: 电网、运输、能力", "share orders among plants: grid, transport, capacity"))(plants)  # fmt: skip
    group.command("feed", help=say("配料与精准上线: 料架、牵引车次、线边库存", "kits and line feeding: tours, stock at the line"))(feed)  # fmt: skip
    group.command("cas", help=say("求解 CAS-PFSP 算例文件(碳感知流水车间)", "solve a file of the carbon-aware flow-shop set"))(cas)  # fmt: skip


def moment(context: Context, day: str) -> datetime:
    """Return the first moment of a local day."""
    from zerofactory.runs.forecast import moment_of

    return moment_of(f"{day}T00:00", context.workspace.plant.time_zone)


@door
def line(
    day: DayOption,
    objective: ObjectiveOption = "carbon",
    moves: MovesOption = 4000,
    seconds: SecondsOption = None,
    points: Annotated[int, typer.Option("--pareto", min=0, max=12, metavar="N", help=say("费用与碳的前沿点数", "points of the front of cost and carbon"))] = 0,
    with_bound: Annotated[bool, typer.Option("--bound", help=say("给出证明的下界与差距", "tell a proved bound and the gap"))] = False,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help=say("写出 schedule.csv、load.parquet、甘特图", "write schedule.csv, load.parquet, Gantt"))] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    from zerofactory.runs import schedule_line as run
    from zerofactory.runs import schedule_line_json

    context = opened(workspace)
    asked = run.Asked(moment(context, day), objective, moves, seconds, points, with_bound)
    with working(say("求解……", "solving …")):
        found = run.run(context, asked)
    files = schedule_line_json.write(context, found, out, language()) if out else []
    if as_json:
        print_json(found.as_json())
        return
    _print_line(found)
    for path in files:
        print_line(str(path))


def _print_line(found: LineSchedule) -> None:
    from zerofactory.runs.schedule_line import OBJECTIVES

    header = [
        (say("方案", "plan"), "left"), (say("碳 t(小时)", "carbon t (hourly)"), "right"), (say("入账 t", "booked t"), "right"),
        (say("费用 元", "cost CNY"), "right"), (say("电量 MWh", "MWh"), "right"), (say("误期批", "late lots"), "right"),
        (say("换型", "changes"), "right"), (say("违规", "rules"), "right"), (say("检验", "check"), "left"),
    ]  # fmt: skip
    rows = [_row(say("按订单先后", "as orders come"), found.naive), _row(read(OBJECTIVES[found.objective]), found.best)]
    title = say(f"整车线排产 自 {found.problem.start:%Y-%m-%d %H:%M} 起 {len(found.problem.lots)} 批", f"Car line from {found.problem.start:%Y-%m-%d %H:%M}, {len(found.problem.lots)} lots")  # fmt: skip
    print_table(title, header, rows)
    naive, best = found.naive.measures, found.best.measures
    saved = naive.carbon_gco2e - best.carbon_gco2e
    print_line(
        say(
            f"节省 {saved / 1e6:,.1f} t ({100 * saved / naive.carbon_gco2e:.1f} %), {naive.cost_cny - best.cost_cny:,.0f} 元, {naive.energy_kwh - best.energy_kwh:,.0f} kWh; 误期 {len(best.late)} 批(原 {len(naive.late)})",
            f"Saved {saved / 1e6:,.1f} t ({100 * saved / naive.carbon_gco2e:.1f} %), {naive.cost_cny - best.cost_cny:,.0f} CNY, {naive.energy_kwh - best.energy_kwh:,.0f} kWh; late lots {len(best.late)} (before {len(naive.late)})",
        )
    )
    if found.bound is not None and found.gap is not None:
        print_line(say(f"已证下界 {found.bound:,.4g}, 差距 {100 * found.gap:.1f} %", f"Proved bound {found.bound:,.4g}, gap {100 * found.gap:.1f} %"))  # fmt: skip
    for point in found.front:
        print_line(say(f"前沿: 碳权重 {point.carbon_share:.2f}: {point.cost_cny:,.0f} 元, {point.carbon_t:,.1f} t", f"Front: carbon weight {point.carbon_share:.2f}: {point.cost_cny:,.0f} CNY, {point.carbon_t:,.1f} t"))  # fmt: skip
    for note in found.background.notes:
        print_line(read(note))


def _row(name: str, one: Judged) -> tuple[str, ...]:
    own = one.measures
    return (
        name, f"{own.carbon_gco2e / 1e6:,.1f}", f"{one.booked_t:,.1f}", f"{own.cost_cny:,.0f}", f"{own.energy_kwh / 1000:,.1f}",
        str(len(own.late)), str(own.setups), str(own.broken_rules), say("通过", "passed"),
    )  # fmt: skip


@door
def plants(
    objective: Annotated[str, typer.Option("--objective", metavar="NAME", help="carbon | cost")] = "carbon",
    carbon_price: Annotated[float, typer.Option("--carbon-price", min=0.0, metavar="CNY/t", help=say("碳价 元/t", "price of carbon, CNY/t"))] = 0.0,
    cap: Annotated[float | None, typer.Option("--cap", min=0.0, metavar="T", help=say("碳上限 t", "carbon cap, t"))] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    from zerofactory.runs import schedule_plants as run

    context = opened(workspace)
    with working(say("求解……", "solving …")):
        found = run.run(context, objective, carbon_price, cap)
    if as_json:
        print_json(found.as_json())
        return
    _print_plants(found)


def _print_plants(found: SharedPlants) -> None:
    names = {plant.id: plant.name.zh if say("zh", "en") == "zh" else plant.name.en for plant in found.file.plants}
    header = [
        (say("订单", "order"), "left"),
        (say("工厂", "plant"), "left"),
        (say("期", "period"), "left"),
        (say("批", "lots"), "right"),
    ]
    rows = [(s.order, names[s.plant], found.file.periods[s.period], str(s.lots)) for s in found.found.shares]
    print_table(say("多工厂分担订单", "Orders shared among plants"), header, rows)
    own, cheap = found.found, found.cheapest
    print_line(
        say(
            f"碳 {own.emissions_t:,.1f} t, 费用 {own.cost_cny:,.0f} 元; 只看费用时 {cheap.emissions_t:,.1f} t, {cheap.cost_cny:,.0f} 元; 差距 {100 * own.gap:.3f} %, 独立检验通过",
            f"Carbon {own.emissions_t:,.1f} t, cost {own.cost_cny:,.0f} CNY; by cost alone {cheap.emissions_t:,.1f} t, {cheap.cost_cny:,.0f} CNY; gap {100 * own.gap:.3f} %, check passed",
        )
    )


@door
def feed(
    day: DayOption,
    objective: ObjectiveOption = "carbon",
    moves: MovesOption = 1000,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import schedule_feed as run
    from zerofactory.runs.schedule_line import Asked

    context = opened(workspace)
    with working(say("求解……", "solving …")):
        found = run.run(context, Asked(moment(context, day), objective, moves))
    if as_json:
        print_json(found.as_json())
        return
    _print_feed(found, context.workspace.plant.time_zone)


def _print_feed(found: Fed, time_zone: str) -> None:
    from zerofactory.periods import zone

    names = {part.id: part.name.zh if say("zh", "en") == "zh" else part.name.en for part in found.file.parts}
    header = [(say("发车", "leaves"), "left"), (say("箱", "containers"), "right"), (say("内容", "load"), "left")]
    rows = [
        (f"{found.departs(k).astimezone(zone(time_zone)):%m-%d %H:%M}", str(sum(own.values())), ", ".join(f"{names[part]} {count}" for part, count in own.items()))
        for k, own in found.tours().items()
    ]  # fmt: skip
    print_table(say("配料与上线车次", "Tours to the line"), header, rows[:ROWS_SHOWN])
    if len(rows) > ROWS_SHOWN:
        print_line(say(f"……还有 {len(rows) - ROWS_SHOWN} 次, 用 --json 看全部。", f"… and {len(rows) - ROWS_SHOWN} more; --json shows them all."))  # fmt: skip
    plan = found.plan
    print_line(
        say(
            f"牵引车 {plan.tours} 列次(发车次数最少, 已证), 料箱 {plan.containers}, 料架 {plan.kits}, 平均装载 {100 * plan.mean_fill:.0f} %, 用电 {plan.energy_kwh:,.1f} kWh; 不断料、不超位, 独立检验通过",
            f"{plan.tours} trains (fewest departures, proved), {plan.containers} containers, {plan.kits} kits, mean fill {100 * plan.mean_fill:.0f} %, {plan.energy_kwh:,.1f} kWh; never dry, never overfull, check passed",
        )
    )


@door
def cas(
    file: Annotated[Path, typer.Argument(metavar="FILE", help=say("CAS-PFSP 算例", "an instance of CAS-PFSP"))],
    moves: MovesOption = 20_000,
    seconds: SecondsOption = None,
    proof: Annotated[float, typer.Option("--prove", min=0.0, metavar="S", help=say("用这么多秒证明(0: 只给下界)", "seconds for a proof (0: only a bound)"))] = 0.0,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    from zerofactory.runs import schedule_cas as run

    with working(say("求解……", "solving …")):
        found = run.run(file, moves, seconds, proof)
    if as_json:
        print_json(found.as_json())
        return
    state = say("已证最优", "proved best") if found.is_optimal else say(f"差距 {100 * found.gap:.2f} %", f"gap {100 * found.gap:.2f} %")  # fmt: skip
    print_line(
        say(
            f"{file.name}: 排放 {found.carbon_gco2e:,.3f} gCO2e(独立重算), 下界 {found.bound:,.3f}, {state}; 电费按文件价格计 {found.cost:,.3f}; {found.moves} 步, {found.runtime_s:.1f} s",
            f"{file.name}: {found.carbon_gco2e:,.3f} gCO2e (counted again by the check), bound {found.bound:,.3f}, {state}; cost at the file's prices {found.cost:,.3f}; {found.moves} moves, {found.runtime_s:.1f} s",
        )
    )
