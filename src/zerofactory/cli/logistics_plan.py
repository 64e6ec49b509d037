"""The command logistics plan: which way goods go, by what, what it costs and emits, and what a clean chain needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerofactory.cli.language import read, say
from zerofactory.cli.options import JsonOption, WorkspaceOption, opened
from zerofactory.cli.output import EXIT_FAULTY, door, print_json, print_line, print_table
from zerofactory.cli.progress import working

if TYPE_CHECKING:
    from zerofactory.runs.logistics_plan import PlanResult, View

SHOWN = 8


def _option(name: str, zh: str, en: str, metavar: str | None = None) -> typer.models.OptionInfo:
    return typer.Option(name, help=say(zh, en), metavar=metavar)  # type: ignore[no-any-return]


@door
def plan(
    period: Annotated[str | None, _option("--period", "凭证期间: 年或月(默认: 文件所写)", "period of the documents (default: the file's)")] = None,
    target: Annotated[str, _option("--target", "目标: cost | emissions", "objective: cost | emissions")] = "cost",
    carbon_price: Annotated[float, typer.Option("--carbon-price", min=0.0, help=say("碳价 元/t", "carbon price CNY/t"))] = 0.0,
    cap: Annotated[str | None, _option("--cap", "碳上限: 每年吨数或现状百分比 70%", "carbon cap: tonnes a year or 70% of today")] = None,
    pareto: Annotated[int, typer.Option("--pareto", min=0, max=12, help=say("费用与碳的前沿点数", "points of the front of cost and carbon"))] = 0,
    file: Annotated[Path | None, _option("--file", "另一个 logistics.toml", "another logistics.toml", "FILE")] = None,
    out: Annotated[Path | None, _option("--out", "输出文件夹(JSON、凭证、计划记录)", "folder for JSON, documents, planned records", "DIR")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    from zerofactory.optimisation.logistics.network import Goals
    from zerofactory.periods import Period
    from zerofactory.runs import logistics_plan

    goals = Goals(logistics_plan.objective_of(target), carbon_price)
    asked = logistics_plan.Asked(Period.parse(period) if period else None, goals, cap, pareto, file)
    context = opened(workspace)
    with working(say("求解……", "solving …")):
        result = logistics_plan.run(context, asked)
    files = logistics_plan.write(context, asked, result, out) if out else []
    print_json(result.as_json()) if as_json else _print(result, files)
    if result.after is None:
        raise typer.Exit(EXIT_FAULTY)


def _print(result: PlanResult, files: list[Path]) -> None:
    if result.conflict is not None:
        _conflict(result)
        return
    _before_after(result)
    if result.after is not None:
        _elements(result.after)
        _flows(result.after)
    _front(result)
    _need(result)
    _packaging(result)
    for note in result.notes:
        print_line(f"· {read(note)}")
    _check(result)
    for path in files:
        print_line(say(f"已写 {path}", f"Wrote {path}"))


def _before_after(result: PlanResult) -> None:
    views = [(say("现状", "as it is"), result.before)]
    views += [(say("方案", "plan"), result.after)] if result.after is not None else []
    views += [(say("最清洁", "cleanest"), result.clean)] if result.clean is not None else []
    print_table(
        say(f"{result.period.label} 物流网络(每年)", f"{result.period.label} network, a year"),
        [("", "left"), (say("费用 万元", "cost 10k CNY"), "right"), ("tCO2e", "right"), ("gCO2e/t·km", "right"), (say("车辆", "vehicles"), "left")],
        [
            (name, f"{view.plan.cost_cny / 1e4:,.1f}", f"{view.plan.emissions_t:,.1f}", f"{view.chains.emissions_g / view.chains.activity_tkm:.1f}",
             " ".join(f"{kind}={count}" for kind, count in view.plan.vehicles.items() if count))
            for name, view in views
        ],
    )  # fmt: skip


def _elements(view: View) -> None:
    ordered = sorted(view.chains.elements, key=lambda one: -one.emissions_g)
    print_table(
        say("运输链要素(ISO 14083, 井到车轮; 按排放)", "transport chain elements (ISO 14083, well to wheel; by emissions)"),
        [(say("路段", "leg"), "left"), (say("车型", "vehicle"), "left"), ("kt", "right"), (say("空驶 %", "empty %"), "right"), (say("装载 %", "load %"), "right"), ("tCO2e", "right"), ("g/t·km", "right")],
        [
            (one.leg.replace(">", " > "), one.vehicle, f"{one.tonnes / 1000:,.1f}", _percent(one.empty_fraction), _percent(one.load_fraction), f"{one.emissions_g / 1e6:,.1f}", f"{one.intensity_g_per_tkm:,.1f}")
            for one in ordered[:SHOWN]
        ],
    )  # fmt: skip
    if len(ordered) > SHOWN:
        print_line(
            say(
                f"还有 {len(ordered) - SHOWN} 个要素, 见 --json。", f"{len(ordered) - SHOWN} more elements: see --json."
            )
        )


def _flows(view: View) -> None:
    titles = {flow.id: flow.title for flow in view.problem.flows}
    print_table(
        say("货流(含节点作业)", "flows, hubs included"),
        [(say("货流", "flow"), "left"), ("kt", "right"), (say("百万 t·km", "million t·km"), "right"), ("tCO2e", "right"), ("g/t·km", "right")],
        [
            (read(titles[one.flow]), f"{one.tonnes / 1000:,.1f}", f"{one.activity_tkm / 1e6:,.2f}", f"{(one.transport_g + one.hub_g) / 1e6:,.1f}", f"{one.intensity_g_per_tkm:,.1f}")
            for one in view.chains.consignments
        ],
    )  # fmt: skip


def _front(result: PlanResult) -> None:
    if result.front:
        print_table(
            say("费用与碳的前沿(每年)", "front of cost and carbon, a year"),
            [("tCO2e", "right"), (say("费用 万元", "cost 10k CNY"), "right")],
            [(f"{one.emissions_t:,.1f}", f"{one.cost_cny / 1e4:,.1f}") for one in result.front],
        )


def _need(result: PlanResult) -> None:
    need = result.need
    if need is None:
        return
    print_line(
        say(
            f"零碳物流链还需要: 绿电 {need.electricity_kwh / 1e6:,.2f} GWh/年(对应 {need.electricity_t:,.0f} t), 承运人脱碳 {need.services_t:,.0f} t, 无零排放车型的路段 {need.engines_t:,.0f} t; 比现状每年多 {need.extra_cny / 1e4:,.1f} 万元。",
            f"A chain without emissions still needs: clean electricity {need.electricity_kwh / 1e6:,.2f} GWh a year ({need.electricity_t:,.0f} t), carriers that change {need.services_t:,.0f} t, legs without a clean vehicle {need.engines_t:,.0f} t; it costs {need.extra_cny / 1e4:,.1f} (10k CNY) a year more than today.",
        )
    )
    print_table(
        say("剩余最大处", "largest residuals"),
        [
            (say("路段或节点", "leg or node"), "left"),
            ("tCO2e", "right"),
            ("MWh", "right"),
            (say("怎么去掉", "what takes it away"), "left"),
        ],
        [
            (one.place.replace(">", " > "), f"{one.emissions_t:,.1f}", f"{one.energy_kwh / 1000:,.0f}", read(one.cure))
            for one in need.residuals[:5]
        ],
    )


def _packaging(result: PlanResult) -> None:
    if result.packaging:
        print_table(
            say("循环包装与一次性包装(每年)", "returnable beside one-way packaging, a year"),
            [(say("包装", "pack"), "left"), (say("池 件", "pool"), "right"), (say("返程趟", "trips"), "right"), (say("省料 t", "saved t"), "right"), (say("减碳 t", "saved tCO2e"), "right"), (say("回本次数", "break-even"), "right")],
            [(read(one.loop.title), f"{one.pool_packs:,}", f"{one.return_trips:,.0f}", f"{one.saved_kg / 1000:,.1f}", f"{one.saved_t:,.1f}", "—" if one.break_even_loops is None else f"{one.break_even_loops:,.1f}") for one in result.packaging],
        )  # fmt: skip


def _conflict(result: PlanResult) -> None:
    conflict = result.conflict
    if conflict is None:
        return
    print_line(read(conflict.sentence()))
    print_table(
        say("单独让步时须改为", "what each would have to become, alone"),
        [(say("愿望", "wish"), "left"), (say("要求", "asked"), "right"), (say("须改为", "becomes"), "right"), (say("单位", "unit"), "left")],
        [(read(one.wish.title), f"{one.wish.bound:,.6g}", "—" if one.becomes is None else f"{one.becomes:,.6g}", one.wish.unit) for one in conflict.clashing],
    )  # fmt: skip


def _check(result: PlanResult) -> None:
    if result.after is None:
        return
    report = result.after.report
    print_line(
        say(
            f"独立检查通过(流量、载重、容积、续航、车辆循环、工时、费用、排放, 并按凭证重新入账); 求解 {report.solver}, 差距 {100 * report.gap_fraction:.2f} %。",
            f"Independent check passed (flows, weight, volume, range, circulation, hours, cost, emissions, and booked again as documents); {report.solver}, gap {100 * report.gap_fraction:.2f} %.",
        )
    )


def _percent(value: float | None) -> str:
    return "—" if value is None else f"{100 * value:.0f}"
