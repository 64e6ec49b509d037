"""Commands of what-if: twin compare, twin comparisons, twin scenarios."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from zerofactory.cli import twin_costs
from zerofactory.cli.language import language, read, say
from zerofactory.cli.options import JsonOption, WorkspaceOption, opened
from zerofactory.cli.output import door, print_json, print_line, print_table
from zerofactory.cli.twin_options import DaysOption, RunsOption, SeedOption, StartOption

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SHOWN = ("output", "electricity", "natural_gas", "energy_cny", "kgco2e", "kgco2e_per_piece")
EACH = ("electricity_per_piece", "natural_gas_per_piece", "energy_cny_per_piece")
IF_CHANGED = ("compressed_air", "water", "heat")


def register(group: typer.Typer) -> None:
    """Add these commands to the group of the twin."""
    group.command("compare", help=say("假设场景与现状并列, 差值带区间", "scenarios beside the plant as it is, differences with intervals"))(compare)  # fmt: skip
    group.command("comparisons", help=say("保存过的场景比较", "comparisons that were kept"))(comparisons)
    group.command("scenarios", help=say("工作区里的场景", "the scenarios of the workspace"))(scenarios)


@door
def compare(
    scenario: Annotated[
        list[str], typer.Option("--scenario", metavar="NAME|FILE", help=say("场景名(scenarios 文件夹)或文件(可重复)", "name in the folder scenarios, or a file (repeatable)"))
    ],
    first: StartOption = None,
    days: DaysOption = 7,
    runs: RunsOption = 8,
    seed: SeedOption = 1,
    save: Annotated[bool, typer.Option("--save", help=say("保存在工作区, 页面可看", "keep it in the workspace, for the page too"))] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    from zerofactory.runs import twin as use
    from zerofactory.runs import twin_compare, twin_kept, twin_scenario, twin_start

    context = opened(workspace)
    chosen = [twin_scenario.named(context, one) for one in scenario]
    begun = twin_start.begun(context, first, use.Asked(None, days, runs=runs, seed=seed))
    found = twin_compare.compare(context, begun.asked, chosen)
    kept = twin_kept.keep(context, found) if save else None
    told: dict[str, Any] = {**found.as_json(), "comparison": None if kept is None else kept.id}
    if as_json:
        print_json({**told, **begun.as_json()})
        return
    for note in begun.notes:
        print_line(read(note))
    _print(told)
    if kept is not None:
        print_line(say(f"已保存: {kept.id}", f"Kept: {kept.id}"))


@door
def comparisons(
    name: Annotated[
        str | None, typer.Argument(metavar="[ID]", help=say("某一次比较的全部数字", "one comparison in full"))
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import twin_kept as use

    context = opened(workspace)
    if name is not None:
        told = use.opened(context, name)
        if as_json:
            print_json(told)
        else:
            _print(told)
        return
    rows = use.listed(context)
    if as_json:
        print_json([one.as_json() for one in rows])
        return
    print_table(
        say("保存过的比较", "comparisons kept"),
        [("id", "left"), (say("时间", "at"), "left"), (say("首日", "from"), "left"), (say("天", "days"), "right"), (say("场景", "scenarios"), "left")],
        [(one.id, one.at[:16], one.first, str(one.days), ", ".join(_in(row["title"]) for row in one.scenarios)) for one in rows],
    )  # fmt: skip


@door
def scenarios(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    from zerofactory.runs import twin_scenario as use

    rows = use.listed(opened(workspace))
    if as_json:
        print_json([one.as_json() for one in rows])
        return
    print_table(
        say("场景", "scenarios"),
        [(say("名称", "name"), "left"), (say("说明", "title"), "left"), (say("检验的措施", "tests"), "left")],
        [(one.id, read(one.title), one.measure or "") for one in rows],
    )


def _in(text: Mapping[str, str]) -> str:
    return text[language()]


def _print(told: Mapping[str, Any]) -> None:
    """Print a comparison: the means beside each other, the differences with their intervals, and what was wanted."""
    base = told["base"]
    day = base["begin"][:16].replace("T", " ") if base.get("resumed") else base["from"]
    print_table(
        say(f"{day} 起 {base['days']} 天, 同一组随机数, 重复 {base['runs']} 次: 均值", f"{base['days']} days from {day} on, same random numbers, {base['runs']} replications: means"),
        [(say("场景", "scenario"), "left"), *((title, "right") for title in _heads(told["scenarios"]))],
        _means(told),
    )  # fmt: skip
    each = f"{100 * told['confidence']:g} %"
    print_table(
        _kind(told["together"], each),
        [(say("场景", "scenario"), "left"), (say("指标", "figure"), "left"), (say("现状", "as it is"), "right"), (say("差", "difference"), "right"), (say("区间", "interval"), "right")],
        [row for one in told["scenarios"] for row in _differences(one)],
    )  # fmt: skip
    for one in told["scenarios"]:
        if one["demand"] is not None:
            print_line(_demand(one))
    twin_costs.show(told)


def _kind(together: int, each: str) -> str:
    if together == 1:
        return say(f"与现状之差, {each} 区间", f"differences to the plant as it is, {each} intervals")
    return say(f"与现状之差; 每个指标的 {together} 个区间同时成立的置信度 {each}", f"differences to the plant as it is; the {together} intervals of a figure hold together with {each}")  # fmt: skip


def _shown(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the figures of the first table, of the scenario that has most of them."""
    most = max(rows, key=lambda one: len(one["figures"]))
    return [figure for figure in most["figures"] if figure["figure"] in SHOWN]


def _heads(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    short = {"output": say("产出", "output"), "electricity": "kWh", "natural_gas": say("气 Nm³", "gas Nm³"), "energy_cny": say("元", "CNY")}  # fmt: skip
    short |= {"kgco2e": "kgCO2e", "kgco2e_per_piece": say("kgCO2e/件", "kgCO2e each")}
    return [short[one["figure"]] for one in _shown(rows)]


def _means(told: Mapping[str, Any]) -> list[list[str]]:
    shown = _shown(told["scenarios"])
    first = [say("现状", "as it is"), *(_number(one["before"], one["figure"]) for one in shown)]
    rows = [first]
    for one in told["scenarios"]:
        own = {figure["figure"]: figure["after"] for figure in one["figures"]}
        cells = [_number(own[f["figure"]], f["figure"]) if f["figure"] in own else "–" for f in shown]
        rows.append([_in(one["title"]), *cells])
    return rows


def _differences(one: Mapping[str, Any]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for figure in one["figures"]:
        value, name = figure["difference"], figure["figure"]
        supply = name in ("electricity_pv", "electricity_purchased", "electricity_exported")
        told = (figure["alarming"] or name in IF_CHANGED) and value["mean"]
        if not (name in (*SHOWN, *EACH) or supply or told):
            continue
        title = f"{_in(figure['title'])} {figure['unit']}".removesuffix(" 1").strip()
        rows.append((_in(one["title"]), title, _number(figure["before"], name), _number(value["mean"], name, "+"), f"{_number(value['low'], name, '+')} … {_number(value['high'], name, '+')}"))  # fmt: skip
    return rows


def _number(value: float, name: str, sign: str = "") -> str:
    digits = 2 if name.endswith("_per_piece") else 1 if name.endswith(("_celsius", "_h")) else 0
    text = f"{value:{sign},.{digits}f}"
    return "0" if not value else text


def _demand(one: Mapping[str, Any]) -> str:
    wanted, made, short = (one["demand"][name] for name in ("wanted", "made", "shortfall"))
    needed, hours = one["demand"]["needed_h_per_day"], one["demand"]["overtime_h_per_day"]
    told = f"{wanted['mean']:,.0f}", f"{made['mean']:,.0f}", f"{needed['low']:.2f} – {needed['high']:.2f} h"
    if one["demand"]["met"]:
        return say(
            f"{_in(one['title'])}: 需 {told[0]} 件, 每个工作日加班 {hours:g} h 后做 {told[1]} 件(各次重复需 {told[2]})。",
            f"{_in(one['title'])}: {told[0]} wanted; with {hours:g} h of overtime a working day {told[1]} are made (replications need {told[2]}).",
        )
    return say(
        f"{_in(one['title'])}: 需 {told[0]} 件, 加班 {hours:g} h 仍只做 {told[1]} 件, 缺 {short['mean']:,.0f} 件({short['low']:,.0f} – {short['high']:,.0f}); 各次重复每日需 {told[2]}。",
        f"{_in(one['title'])}: {told[0]} wanted; even with {hours:g} h of overtime only {told[1]} are made, {short['mean']:,.0f} short ({short['low']:,.0f} – {short['high']:,.0f}); replications need {told[2]} a day.",
    )  # fmt: skip
