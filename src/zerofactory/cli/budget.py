"""Commands of budgets: set, show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerofactory.cli.language import say
from zerofactory.cli.options import JsonOption, WorkspaceOption, opened
from zerofactory.cli.output import door, print_json, print_line, print_table

if TYPE_CHECKING:
    from zerofactory.runs.budget import View

SHOWN = {"carbon": ("tCO2e", 1e6), "energy": ("MWh", 1e6)}
KINDS = {"carbon": ("碳预算", "Carbon budget"), "energy": ("能源预算", "Energy budget")}
STATES = {
    "closed": ("已封存", "closed"),
    "provisional": ("暂计", "provisional"),
    "open": ("未到", "to come"),
    "": ("", ""),
}
STATUS = {
    "within": ("预算内", "within the budget"), "at_risk": ("有超出风险", "at risk"),
    "will_break": ("预计超出", "will be exceeded"), "broken": ("已超出", "exceeded"),
}  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    group = typer.Typer(no_args_is_help=True, help=say("碳与能源预算", "budgets of carbon and energy"))
    group.command("set", help=say("设定年度预算并分解到车间和月份", "set a year's budget, split to shops and months"))(
        set_
    )
    group.command("show", help=say("执行进度与年末预测", "burn-down and the year's end"))(show)
    app.add_typer(group, name="budget")


@door
def set_(
    year: Annotated[int, typer.Option("--year", metavar="YEAR", help=say("年份", "year"))],
    carbon: Annotated[float | None, typer.Option("--carbon-t", metavar="TCO2E", help=say("碳预算, tCO2e(基于位置, 范围一、二)", "carbon, tCO2e (location-based, scopes 1 and 2)"))] = None,
    energy: Annotated[float | None, typer.Option("--energy-mwh", metavar="MWH", help=say("能源预算, MWh(综合能耗, 当量值)", "energy, MWh (all carriers at equivalent value)"))] = None,
    split: Annotated[str, typer.Option("--split", help="last_year | seasonal | given")] = "last_year",
    file: Annotated[Path | None, typer.Option("--file", metavar="CSV", help=say("given: shop, month, share", "given: shop, month, share"))] = None,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help=say("原因", "why"))] = "",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    from zerofactory.runs import budget as run

    grams = None if carbon is None else round(carbon * 1_000_000)
    energy_wh = None if energy is None else round(energy * 1_000_000)
    made = run.set_(opened(workspace), run.Asked(year, grams, energy_wh, split, file, reason))
    if as_json:
        print_json([{"kind": one.kind, "year": one.year, "version": one.version, "total": one.total, "split": one.split, "basis": one.basis, "cells": len(one.cells)} for one in made])  # fmt: skip
        return
    for one in made:
        unit, per = SHOWN[one.kind]
        shops, months = len(one.by_shop()), len(one.by_month())
        print_line(
            say(
                f"{KINDS[one.kind][0]} {one.year} 第 {one.version} 版: {one.total / per:,.1f} {unit}, 分解到 {shops} 个车间 × {months} 个月(依据 {one.basis})。",
                f"{KINDS[one.kind][1]} {one.year}, version {one.version}: {one.total / per:,.1f} {unit}, split to {shops} shops × {months} months (by {one.basis}).",
            )
        )


@door
def show(
    year: Annotated[int | None, typer.Option("--year", metavar="YEAR", help=say("年份", "year"))] = None,
    by: Annotated[str, typer.Option("--by", help="month | shop")] = "month",
    kind: Annotated[str | None, typer.Option("--kind", help="carbon | energy")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import budget as run

    views = run.show(opened(workspace), year, by, kind)
    if as_json:
        print_json([one.as_json() for one in views])
        return
    for view in views:
        _print(view)


def _print(view: View) -> None:
    budget, end = view.budget, view.end
    unit, per = SHOWN[budget.kind]
    title = say(f"{KINDS[budget.kind][0]} {budget.year}(第 {budget.version} 版) [{unit}]", f"{KINDS[budget.kind][1]} {budget.year} (version {budget.version}) [{unit}]")  # fmt: skip
    header = [
        (say("月份", "month") if view.by == "month" else say("车间", "shop"), "left"), (say("预算", "budget"), "right"),
        (say("已用", "used"), "right"), (say("剩余", "left"), "right"), (say("已用 %", "used %"), "right"), (say("状态", "state"), "left"),
    ]  # fmt: skip
    rows = [(one.key, *_cells(one.budget, one.used, per), say(*STATES[one.state])) for one in view.lines]
    rows.append((say("合计", "total"), *_cells(budget.total, end.used, per), say(*STATUS[end.status])))
    print_table(title, header, rows)
    print_line(
        say(
            f"年末预测 {end.expected / per:,.1f} {unit}({end.low / per:,.1f} … {end.high / per:,.1f}, {end.confidence_fraction:.0%} 区间, {end.errors} 次回测)。方法: {end.method.zh}。",
            f"Year's end {end.expected / per:,.1f} {unit} ({end.low / per:,.1f} … {end.high / per:,.1f}, {end.confidence_fraction:.0%} interval, {end.errors} back-tests). Method: {end.method.en}.",
        )
    )
    if end.status in ("will_break", "broken", "at_risk"):
        print_line(_warning(view))


def _cells(budget: int, used: int, per: float) -> tuple[str, ...]:
    share = f"{100 * used / budget:.1f}" if budget else "—"
    return f"{budget / per:,.1f}", f"{used / per:,.1f}", f"{(budget - used) / per:,.1f}", share


def _warning(view: View) -> str:
    end = view.end
    if end.status == "broken":
        return say("! 预算已用完。", "! The budget is used up.")
    if end.breaks_on is not None:
        return say(f"! 预计 {end.breaks_on} 用完(最早 {end.breaks_early_on})。", f"! It will be used up on {end.breaks_on} (at the earliest {end.breaks_early_on}).")  # fmt: skip
    return say(
        f"! 偏高情形下 {end.breaks_early_on} 用完。", f"! At the upper end it is used up on {end.breaks_early_on}."
    )
