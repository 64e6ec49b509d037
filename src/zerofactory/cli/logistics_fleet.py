"""The command logistics fleet: rounds with windows and range, charging at the dock, forklifts and AGVs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerofactory.cli.language import read, say
from zerofactory.cli.options import JsonOption, WorkspaceOption, opened
from zerofactory.cli.output import EXIT_FAULTY, door, print_json, print_line, print_table
from zerofactory.cli.progress import working

if TYPE_CHECKING:
    from zerofactory.runs.logistics_fleet import Driven, FleetResult

RECHARGES = ("full", "partial")
MARK = "⚡"


def _option(name: str, zh: str, en: str, metavar: str | None = None) -> typer.models.OptionInfo:
    return typer.Option(name, help=say(zh, en), metavar=metavar)  # type: ignore[no-any-return]


@door
def fleet(
    day: Annotated[str | None, _option("--day", "日期 2025-06-10(默认: 读数末尾的工作日)", "day 2025-06-10 (default: a working day at the end of the readings)")] = None,
    seconds: Annotated[float, typer.Option("--seconds", min=0.5, max=3600.0, help=say("线路搜索时间 s", "time to search rounds, s"))] = 10.0,
    carbon_price: Annotated[float, typer.Option("--carbon-price", min=0.0, help=say("碳价 元/t", "carbon price CNY/t"))] = 0.0,
    file: Annotated[Path | None, _option("--file", "另一个 logistics.toml", "another logistics.toml", "FILE")] = None,
    instance: Annotated[Path | None, _option("--instance", "公开算例文件(E-VRPTW 格式), 不用工作区", "published instance (E-VRPTW format), no workspace needed", "FILE")] = None,
    recharge: Annotated[str, _option("--recharge", "算例的充电方式: full | partial", "recharging in the instance: full | partial")] = "full",
    out: Annotated[Path | None, _option("--out", "输出文件夹(JSON、负荷、充电包络)", "folder for JSON, loads, charging envelope", "DIR")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    from zerofactory.errors import FaultyData, NotFound, Text
    from zerofactory.optimisation.logistics.routing import Effort
    from zerofactory.runs import energy_files, logistics_fleet

    if recharge not in RECHARGES:
        raise FaultyData([NotFound(Text("充电方式", "way of recharging"), recharge, RECHARGES).as_problem()])
    effort = Effort(seconds)
    with working(say("求解……", "solving …")):
        if instance is not None:
            result = logistics_fleet.instance(instance, "full" if recharge == "full" else "partial", effort)
        else:
            wanted = energy_files.day_of(day) if day else None
            context = opened(workspace)
            result = logistics_fleet.run(context, logistics_fleet.Asked(wanted, effort, file, carbon_price))
    files = logistics_fleet.write(opened(workspace), result, out) if out and instance is None else []
    print_json(result.as_json()) if as_json else _print(result, files)
    if result.conflict is not None:
        raise typer.Exit(EXIT_FAULTY)


def _print(result: FleetResult, files: list[Path]) -> None:
    if result.electric is not None:
        _rounds(result.electric)
    if result.electric is not None and result.diesel is not None:
        _before_after(result.diesel, result.electric)
    _dock(result)
    _in_plant(result)
    for note in result.notes:
        print_line(f"· {read(note)}")
    if result.conflict is not None:
        print_line(read(result.conflict.sentence()))
    else:
        print_line(
            say(
                "独立检查通过(服务、载重、时间窗、电量、里程、充电功率与能量、单车电量)。",
                "Independent check passed (service, loads, windows, charge, kilometres, charging power and energy, single vehicles).",
            )
        )
    for path in files:
        print_line(say(f"已写 {path}", f"Wrote {path}"))


def _rounds(driven: Driven) -> None:
    found, places = driven.rounds, driven.problem.places
    print_table(
        say(f"线路: {found.vehicles} 辆, {found.distance_km:,.2f} km({read(found.status.words)})", f"rounds: {found.vehicles} vehicles, {found.distance_km:,.2f} km ({read(found.status.words)})"),
        [("", "right"), ("km", "right"), ("kg", "right"), (say("途中充电 kWh", "charged kWh"), "right"), (say("回场电量 kWh", "kWh left"), "right"), (say("途经", "by way of"), "left")],
        [
            (str(n), f"{one.distance_km:,.1f}", f"{sum(places[p].load_kg for p in one.stops if driven.problem.is_stop(p)):,.0f}", f"{one.charged_kwh:,.1f}", f"{one.visits[-1].battery_kwh:,.1f}" if one.visits[-1].battery_kwh < 1e8 else "—",
             " ".join(f"{MARK}{places[p].id}" if driven.problem.is_station(p) else places[p].id for p in one.stops))
            for n, one in enumerate(found.rounds, 1)
        ],
    )  # fmt: skip


def _before_after(diesel: Driven, electric: Driven) -> None:
    print_table(
        say("电动化前后(每天)", "before and after electrification, a day"),
        [("", "left"), (say("车辆", "vehicles"), "right"), ("km", "right"), (say("能耗", "energy"), "right"), ("", "left"), (say("费用 元", "cost CNY"), "right"), ("kgCO2e", "right")],
        [
            (read(one.kind.title), str(one.rounds.vehicles), f"{one.rounds.distance_km:,.1f}", f"{one.energy:,.1f}", one.kind.use_unit, f"{one.rounds.cost_cny:,.0f}", f"{one.emissions_g / 1000:,.1f}")
            for one in (diesel, electric)
        ],
    )  # fmt: skip


def _dock(result: FleetResult) -> None:
    if result.dock is None:
        return
    problem, plan = result.dock
    energy = float(plan.load_kw.sum()) * problem.step_hours
    taken = float(plan.surplus_kw.sum()) * problem.step_hours
    print_line(
        say(
            f"月台充电: {len(problem.stays)} 辆 {energy:,.0f} kWh, 费用 {plan.cost_cny:,.0f} 元(到站即充 {plan.at_once_cny:,.0f} 元), 用光伏余电 {taken:,.0f} kWh, 抬高月最大需量 {plan.peak_rise_kw:,.0f} kW, 最大功率 {plan.load_kw.max(initial=0.0):,.0f} kW。",
            f"Charging at the dock: {len(problem.stays)} trucks, {energy:,.0f} kWh, {plan.cost_cny:,.0f} CNY ({plan.at_once_cny:,.0f} if charged at once), {taken:,.0f} kWh of surplus, the month's peak {plan.peak_rise_kw:,.0f} kW higher, at most {plan.load_kw.max(initial=0.0):,.0f} kW.",
        )
    )


def _in_plant(result: FleetResult) -> None:
    if not result.in_plant:
        return
    print_table(
        say("厂内车辆(每天)", "vehicles in the plant, a day"),
        [(say("车队", "fleet"), "left"), (say("车辆", "vehicles"), "right"), (say("电池", "batteries"), "right"), (say("最多在用", "at work"), "right"), ("kWh", "right"), (say("电费 元", "power CNY"), "right"), (say("单车最低电量 %", "lowest charge %"), "right")],
        [
            (read(fleet.title), str(plan.vehicles), str(plan.batteries or plan.vehicles), f"{plan.working.max():.0f}", f"{float(plan.charge_kw.sum()) * 24 / len(plan.charge_kw):,.0f}", f"{plan.energy_cny_per_day:,.0f}", f"{100 * plan.lowest_fraction:.0f}")
            for fleet, plan in result.in_plant
        ],
    )  # fmt: skip
