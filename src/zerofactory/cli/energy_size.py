"""The command energy size: what to build, what it costs and what it saves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerofactory.cli.language import language, read, say
from zerofactory.cli.options import JsonOption, WorkspaceOption, opened
from zerofactory.cli.output import EXIT_FAULTY, door, print_json, print_line, print_table
from zerofactory.cli.progress import working

if TYPE_CHECKING:
    from zerofactory.runs.energy_size import SizingResult, View


def _option(name: str, zh: str, en: str, metavar: str | None = None) -> typer.models.OptionInfo:
    return typer.Option(name, help=say(zh, en), metavar=metavar)  # type: ignore[no-any-return]


Share = Annotated[
    float | None,
    _option("--hourly-matched", "逐时段匹配的清洁电占比, 如 0.8", "clean power matched in every interval, 0.8"),
]


@door
def size(
    period: Annotated[str | None, _option("--period", "年或月(默认: 最近完整年)", "year or month (default: last whole year)")] = None,
    target: Annotated[str, _option("--target", "目标: cost | emissions", "objective: cost | emissions")] = "cost",
    regime: Annotated[str, _option("--regime", "上限口径: location | market_annual | market_hourly", "regime of the cap")] = "location",
    cap: Annotated[str | None, _option("--cap", "碳上限: 吨或现状百分比 70%", "carbon cap: tonnes or 70% of today")] = None,
    carbon_price: Annotated[float, _option("--carbon-price", "碳价 元/t", "carbon price CNY/t")] = 0.0,
    hourly_matched: Share = None,
    annual_matched: Annotated[float | None, _option("--annual-matched", "全年匹配占比", "clean power matched over the year")] = None,
    non_fossil: Annotated[float | None, _option("--non-fossil", "非化石电力占比(含合同, 按月)", "non-fossil share, contracts included, by month")] = None,
    physical: Annotated[float | None, _option("--physical", "物理认定占比(自发自用、直连)", "physical share: own and direct line")] = None,
    budget: Annotated[float | None, _option("--budget", "投资上限 元", "investment at most, CNY")] = None,
    roof: Annotated[float | None, _option("--roof", "屋顶面积上限 m2", "roof area at most, m2")] = None,
    grid_limit: Annotated[float | None, _option("--grid-limit", "受电功率上限 kW", "power from the grid at most, kW")] = None,
    pareto: Annotated[int, _option("--pareto", "费用与碳的前沿点数", "points of the front of cost and carbon")] = 0,
    sensitivity: Annotated[float | None, _option("--sensitivity", "价格各上下浮动, 如 0.2", "move each price up and down, 0.2")] = None,
    step: Annotated[int, _option("--step", "步长 15 | 30 | 60 分钟", "step 15 | 30 | 60 minutes")] = 60,
    week: Annotated[str | None, _option("--week", "图中一周的首日 2025-07-14", "first day of the week drawn")] = None,
    out: Annotated[Path | None, _option("--out", "输出文件夹(JSON、调度、图)", "folder for JSON, dispatch, pictures", "DIR")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    from zerofactory.optimisation.energy.problem import Goals
    from zerofactory.periods import Period
    from zerofactory.runs import energy_files, energy_size

    goals = Goals(
        objective=energy_size.objective_of(target), regime=energy_size.regime_of(regime), carbon_price_cny_per_t=carbon_price,
        annual_matched_fraction=annual_matched, hourly_matched_fraction=hourly_matched, non_fossil_fraction=non_fossil,
        physical_fraction=physical, budget_cny=budget, roof_area_m2=roof, grid_limit_kw=grid_limit,
    )  # fmt: skip
    asked = energy_size.Asked(Period.parse(period) if period else None, goals, cap, step, pareto, sensitivity)
    day = energy_files.day_of(week) if week else None
    context = opened(workspace)
    with working(say("求解……", "solving …")):
        result = energy_size.run(context, asked)
    files = energy_files.write(result, out or Path("energy"), day, language()) if out or day else []
    if files:
        energy_files.record(context, result, files)
    print_json(result.as_json()) if as_json else _print(result, files)
    if result.after is None or result.answer.conflict is not None:
        raise typer.Exit(EXIT_FAULTY)


def _print(result: SizingResult, files: list[Path]) -> None:
    _conflict(result)
    if result.after is None:
        return
    bought = [one for one in result.after.plan.sizes if one.is_built]
    print_table(
        say(f"{result.period} 推荐结构", f"{result.period} recommended structure"),
        [(say("设备", "asset"), "left"), (say("规模", "size"), "right"), (say("单位", "unit"), "left"), (say("投资 万元", "capex 10k CNY"), "right"), (say("年金 万元", "annuity 10k CNY"), "right"), (say("到上限", "at limit"), "left")],
        [(read(one.title), f"{one.size:,.0f}", one.unit, _wan(one.capex_cny), _wan(one.annuity_cny), "●" if one.at_limit else "") for one in bought],
    )  # fmt: skip
    _before_after(result.before, result.after)
    _claims(result.before, result.after)
    _money(result)
    _front(result)
    _reactions(result)
    _check(result)
    for path in files:
        print_line(say(f"已写 {path}", f"Wrote {path}"))


def _before_after(before: View, after: View) -> None:
    def row(zh: str, en: str, old: float, new: float) -> tuple[str, str, str, str]:
        return say(zh, en), _wan(old), _wan(new), _wan(new - old)

    print_table(
        say("费用(万元)", "cost (10k CNY)"),
        [(say("项目", "item"), "left"), (say("现状", "before"), "right"), (say("方案", "after"), "right"), (say("变化", "change"), "right")],
        [
            row("电网电费(净)", "grid electricity, net", before.energy_cny, after.energy_cny),
            row("燃气、热力、直连与合同", "gas, heat, direct line, contracts", before.fuels_and_others_cny, after.fuels_and_others_cny),
            row("新设备运维", "upkeep of what is new", before.upkeep_cny, after.upkeep_cny),
            row("投资年金", "annuity of the investment", before.annuity_cny, after.annuity_cny),
            row("合计", "total", before.total_cny, after.total_cny),
        ],
    )  # fmt: skip


def _claims(before: View, after: View) -> None:
    print_table(
        say("排放与认可占比, 各口径(模型所含的电、热、锅炉燃气)", "emissions and accepted share by regime (power, heat, boiler gas of the model)"),
        [(say("口径", "regime"), "left"), (say("现状 t", "before t"), "right"), (say("方案 t", "after t"), "right"), (say("变化 %", "change %"), "right"), (say("现状 %", "share before %"), "right"), (say("方案 %", "share after %"), "right")],
        [
            (read(before.claims[name].title), f"{before.tonnes(name):,.1f}", f"{after.tonnes(name):,.1f}", f"{100 * (after.tonnes(name) / max(before.tonnes(name), 1e-9) - 1):+.1f}",
             f"{100 * before.claims[name].matched_fraction:.1f}", f"{100 * after.claims[name].matched_fraction:.1f}")
            for name in before.claims if name in after.claims
        ],
    )  # fmt: skip


def _money(result: SizingResult) -> None:
    one = result.worth
    if one is None or result.after is None:
        return
    irr = "—" if one.irr_fraction is None else f"{100 * one.irr_fraction:.1f} %"
    payback = "—" if one.payback_years is None else f"{one.payback_years:.1f}"
    print_line(
        say(
            f"投资 {_wan(one.capex_cny)} 万元, 年节省 {_wan(one.saving_cny_per_year)} 万元; 净现值 {_wan(one.npv_cny)} 万元({one.horizon_years} 年), 内部收益率 {irr}, 回收期 {payback} 年。",
            f"Investment {_wan(one.capex_cny)}, saving a year {_wan(one.saving_cny_per_year)} (10k CNY); NPV {_wan(one.npv_cny)} over {one.horizon_years} years, IRR {irr}, payback {payback} years.",
        )
    )
    for name, price in result.after.plan.shadow_prices.items():
        if abs(price) > 0.005:
            print_line(_shadow(name, price))


def _shadow(name: str, price: float) -> str:
    from zerofactory.optimisation.energy.check import goal_title

    if name == "carbon_cap":
        return say(f"碳上限的影子价格 {-price:,.1f} 元/t。", f"Shadow price of the cap: {-price:,.1f} CNY/t.")
    share = price > 0
    unit = say("元/百分点", "CNY per percentage point") if share else say("元/单位", "CNY per unit")
    return say(
        f"“{goal_title(name).zh}”的影子价格 {abs(price):,.2f} {unit}。",
        f"Shadow price of '{goal_title(name).en}': {abs(price):,.2f} {unit}.",
    )


def _front(result: SizingResult) -> None:
    if not result.front:
        return
    print_table(
        say("费用与碳的前沿", "front of cost and carbon"),
        [("tCO2e", "right"), (say("年费用 万元", "cost 10k CNY"), "right"), (say("末吨价 元/t", "last tonne CNY/t"), "right"), (say("主要规模", "main sizes"), "left")],
        [
            (f"{one.emissions_t:,.0f}", _wan(one.cost_cny), f"{one.shadow_cny_per_t:,.0f}",
             " ".join(f"{name}={amount / 1000:,.1f}" for name, amount in one.sizes.items() if amount >= 50))
            for one in result.front
        ],
    )  # fmt: skip
    print_line(say("规模以 MW、MWh 计。", "Sizes in MW and MWh."))


def _reactions(result: SizingResult) -> None:
    if not result.reactions or result.after is None:
        return
    own = result.answer.report.objective
    print_table(
        say("敏感性(逐个改变)", "sensitivity, one at a time"),
        [(say("改变", "change"), "left"), ("×", "right"), (say("年费用变化 万元", "cost change 10k CNY"), "right"), ("tCO2e", "right")],
        [(one.what, f"{one.factor:.2f}", _wan(one.cost_cny - own), f"{one.emissions_t:,.0f}") for one in result.reactions],
    )  # fmt: skip


def _conflict(result: SizingResult) -> None:
    conflict, found = result.answer.conflict, result.answer.check
    if conflict is not None:
        print_line(read(conflict.sentence()))
        print_table(
            say("单独让步时须改为", "what each would have to become, alone"),
            [(say("愿望", "wish"), "left"), (say("要求", "asked"), "right"), (say("须改为", "becomes"), "right"), (say("单位", "unit"), "left")],
            [(read(one.wish.title), f"{one.wish.bound:,.6g}", "—" if one.becomes is None else f"{one.becomes:,.6g}", one.wish.unit) for one in conflict.clashing],
        )  # fmt: skip
        if result.after is not None:
            print_line(say("下面是最接近要求的可行方案。", "Below is the nearest plan that is feasible."))
    if result.after is None and found is not None:
        print_line(say("方案未通过独立检查, 不予显示:", "The plan failed its independent check and is not shown:"))
        for one in found.findings:
            print_line(f"· {read(one.message)}")


def _check(result: SizingResult) -> None:
    found, report = result.answer.check, result.answer.report
    if found is None:
        return
    print_line(
        say(
            f"独立检查通过(平衡、限值、物理、账单、吨数; 最大偏差 {found.worst_fraction:.0e}); 求解 {report.solver} {report.runtime_s:.1f} s, 检查 {found.runtime_s:.2f} s。",
            f"Independent check passed (balance, limits, physics, bill, tonnes; worst deviation {found.worst_fraction:.0e}); solved by {report.solver} in {report.runtime_s:.1f} s, checked in {found.runtime_s:.2f} s.",
        )
    )


def _wan(cny: float) -> str:
    """Return CNY in units of ten thousand."""
    return f"{cny / 1e4 + 0.0:,.1f}"
