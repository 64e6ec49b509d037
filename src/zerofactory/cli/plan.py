"""Commands of the plan: set, show, targets, measures, roadmap, guide."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerofactory.cli import plan_tasks
from zerofactory.cli.language import language, read, say
from zerofactory.cli.options import JsonOption, WorkspaceOption, opened
from zerofactory.cli.output import door, print_json, print_line, print_table, tonnes

if TYPE_CHECKING:
    from zerofactory.planning.alignment import Check
    from zerofactory.planning.limit import Limit
    from zerofactory.runs.context import Context
    from zerofactory.runs.plan_book import Asked
    from zerofactory.runs.plan_roadmap import Result

YEARS = say("规划期, 如 2026-2050", "years of the plan, e.g. 2026-2050")
YearsOption = Annotated[str | None, typer.Option("--years", metavar="FIRST-LAST", help=YEARS)]
BudgetOption = Annotated[
    float | None,
    typer.Option("--budget", metavar="CNY", help=say("每年投资上限(元)", "investment limit of each year, CNY")),
]
ScenarioOption = Annotated[
    str | None,
    typer.Option(
        "--scenario", metavar="ID", help=say("电网情景: frozen stated pledged", "grid: frozen stated pledged")
    ),
]
CarbonOption = Annotated[
    str | None,
    typer.Option(
        "--carbon-price",
        metavar="ID|CNY",
        help=say("碳价: none market rising 或数字", "none market rising or a number"),
    ),
]
LimitOption = Annotated[
    list[str] | None,
    typer.Option(
        "--limit", metavar="WISH", help=say("附加限值, 如 emissions_12<=50000@2035", "e.g. emissions_12<=50000@2035")
    ),
]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    group = typer.Typer(no_args_is_help=True, help=say("零碳工厂实施计划", "the zero-carbon plan"))
    group.command("set", help=say("登记计划(plan.toml)", "set the plan (plan.toml)"))(set_)
    group.command("show", help=say("计划与碳管理机制", "the plan and who answers for what"))(show)
    group.command("targets", help=say("目标与逐年路径", "targets and their pathways"))(targets)
    group.command("measures", help=say("减排措施目录", "the catalogue of measures"))(measures)
    group.command("roadmap", help=say("路线图: 哪年上哪项措施", "which measure in which year"))(roadmap)
    group.command("guide", help=say("实施指南 PDF", "the implementation guide as PDF"))(guide)
    plan_tasks.register(group)
    app.add_typer(group, name="plan")


@door
def set_(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help=say("默认工作区的 plan.toml", "default: plan.toml of the workspace")),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help=say("修改的原因", "why it changes"))] = "",
    example: Annotated[
        bool, typer.Option("--example", help=say("没有计划文件时用参考范例", "start from the example plan"))
    ] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import plan as run

    made = run.set_plan(opened(workspace), file, reason, example)
    if as_json:
        print_json(made.as_json())
    else:
        print_line(say(f"{made.plan_id}: {made.plan.plan.title.zh}", f"{made.plan_id}: {made.plan.plan.title.en}"))


@door
def show(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    from zerofactory.runs import plan as run

    made = run.current(opened(workspace))
    if as_json:
        print_json(made.as_json())
        return
    head, mechanism = made.plan.plan, made.plan.mechanism
    print_line(f"[bold]{read(head.title)}[/bold]  {made.plan_id}")
    for title, text in (
        (say("承诺", "Commitment"), head.commitment), (say("范围", "Scope"), head.scope), (say("减排策略", "Reduce"), head.reduction_strategy),
        (say("保持策略", "Maintain"), head.maintenance_strategy), (say("抵消策略", "Offset"), head.offset_strategy),
    ):  # fmt: skip
        print_line(f"{title}: {read(text)}")
    print_table(say("时间表", "Timetable"), [(say("年", "year"), "left"), (say("里程碑", "milestone"), "left")],
                [(str(one.year), read(one.title)) for one in head.milestones])  # fmt: skip
    print_table(say("碳管理组织", "Organisation"), [(say("角色", "role"), "left"), (say("名称", "title"), "left"), (say("负责人", "holder"), "left"), (say("职责", "duties"), "left")],
                [(role.id, read(role.title), role.holder, read(role.duties)) for role in mechanism.roles])  # fmt: skip
    _print_raci(mechanism)


def _print_raci(mechanism: object) -> None:
    from zerofactory.planning.mechanism import Mechanism, matrix

    if isinstance(mechanism, Mechanism) and mechanism.processes:
        names = [role.id for role in mechanism.roles]
        titles = {process.id: read(process.title) for process in mechanism.processes}
        print_table("RACI", [(say("过程", "process"), "left"), *((name, "left") for name in names)],
                    [(titles[line], *(letters.get(name, "") for name in names)) for line, letters in matrix(mechanism)])  # fmt: skip


@door
def targets(
    examples: Annotated[
        bool, typer.Option("--examples", help=say("列出车企已公布目标", "published targets of car makers"))
    ] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import plan as run

    if examples:
        _print_examples(run.examples_as_json(), as_json)
        return
    context = opened(workspace)
    found = run.targets(context)
    aligned = run.alignment(context, found)
    if as_json:
        print_json({"targets": [one.as_json() for one in found], "alignment": run.alignment_as_json(aligned)})
        return
    for view in found:
        way = view.pathway
        print_table(
            f"{way.target.id} · {read(way.target.title)}",
            [(say("年", "year"), "left"), (say("限值 tCO2e", "limit tCO2e"), "right"), (say("比基准年", "of base"), "right")],
            [(str(year), tonnes(limit, 0), f"{100 * limit / way.base_gco2e:.1f} %" if way.base_gco2e else "") for year, limit in way.limits_gco2e.items()],
        )  # fmt: skip
        print_line(read(way.reason))
        if view.progress_fraction is not None and view.actual_gco2e is not None:
            print_line(say(f"{view.latest_year} 年实际 {tonnes(view.actual_gco2e, 0)} t, 进度 {100 * view.progress_fraction:.0f} %",
                           f"{view.latest_year}: {tonnes(view.actual_gco2e, 0)} t, progress {100 * view.progress_fraction:.0f} %"))  # fmt: skip
    _print_alignment(aligned)


def _print_alignment(aligned: Sequence[Check]) -> None:
    """Print the self-check, a line for each rule."""
    words = {True: say("符合", "met"), False: say("不符合", "not met"), None: say("待定", "open")}
    print_table(
        say("与目标框架对照(自查)", "Against the frameworks (self-check)"),
        [
            (say("规则", "rule"), "left"),
            (say("结果", "result"), "left"),
            (say("要求", "asked"), "left"),
            (say("现状", "found"), "left"),
        ],
        [(f"{x.framework}.{x.rule.id}", words[x.met], read(x.rule.title), read(x.detail)) for x in aligned],
    )


def _print_examples(rows: Sequence[dict[str, object]], as_json: bool) -> None:
    if as_json:
        print_json(rows)
        return
    lang = language()
    print_table(
        say("车企已公布的目标(示例)", "Published targets of car makers (examples)"),
        [(say("企业", "company"), "left"), (say("目标", "target"), "left"), (say("年", "year"), "left"), (say("状态", "status"), "left")],
        [(_in(row["company"], lang), _in(row["target"], lang), str(row["year"]), str(row["status"])) for row in rows],
    )  # fmt: skip


def _in(text: object, lang: str) -> str:
    return str(text[lang]) if isinstance(text, dict) else str(text)


@door
def measures(
    measure: Annotated[
        str | None, typer.Argument(metavar="[ID]", help=say("某一措施的详情", "one measure in full"))
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            "--class", metavar="CLASS", help="efficiency electrification renewable process material removal offset"
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import plan_catalogue as run

    if measure is not None:
        _print_measure(run.one(measure), as_json)
        return
    rows = run.listed(kind)
    if as_json:
        print_json(rows)
        return
    lang = language()
    print_table(
        say(f"减排措施 {len(rows)} 项", f"{len(rows)} measures"),
        [("id", "left"), (say("名称", "title"), "left"), (say("类别", "class"), "left"), (say("寿命", "life"), "right"), (say("来源状态", "status"), "left")],
        [(str(row["measure"]), _in(row["title"], lang), _in(row["class_title"], lang), str(row["life_years"]), str(row["status"])) for row in rows],
    )  # fmt: skip


def _print_measure(found: dict[str, object], as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    lang = language()
    print_line(f"[bold]{_in(found['title'], lang)}[/bold]  {found['measure']}")
    print_line(_in(found["description"], lang))
    for key, zh, en in (
        ("acts_on", "作用于", "acts on"),
        ("costs", "费用", "costs"),
        ("references", "来源", "sources"),
    ):
        rows = found[key]
        for row in rows if isinstance(rows, list) else []:
            print_line(f"  {say(zh, en)}: {_in(row, lang)}")


@door
def roadmap(
    years: YearsOption = None,
    budget: BudgetOption = None,
    scenario: ScenarioOption = None,
    carbon_price: CarbonOption = None,
    limit: LimitOption = None,
    pictures: Annotated[
        Path | None,
        typer.Option(
            "--pictures",
            metavar="DIR",
            help=say("甘特图、轨迹图、成本曲线写入文件夹", "write Gantt, trajectory and cost curve"),
        ),
    ] = None,
    adopt: Annotated[
        bool, typer.Option("--adopt", help=say("登记为采用的路线图", "book it as the roadmap in force"))
    ] = False,
    gap: Annotated[
        float | None, typer.Option("--gap", metavar="FRACTION", help=say("证明到的相对差距", "relative gap to prove"))
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import plan_roadmap as run
    from zerofactory.runs.plan_pictures import write_pictures

    context = opened(workspace)
    found = run.run(
        context, _asked(years, budget, scenario, carbon_price), run.More(limits=_limits(limit), gap_fraction=gap)
    )
    name = run.adopt(context, found) if adopt else None
    drawn = write_pictures(found, pictures, language()) if pictures else ()
    if as_json:
        told = {**run.as_json(found), "tested_stale": list(_stale(context, found))}
        print_json({**told, "adopted": name, "pictures": [str(one) for one in drawn]})
        return
    _print_roadmap(found)
    if _stale(context, found):
        names = ", ".join(_stale(context, found))
        print_line(say(f"检验之后孪生或场景已改, 宜重新检验: {names}。", f"The twin or the scenario changed since the test; test again: {names}."))  # fmt: skip
    if name:
        print_line(say(f"已登记: {name}", f"Booked: {name}"))
    for one in drawn:
        print_line(str(one))


def _stale(context: Context, found: Result) -> tuple[str, ...]:
    """Return the measures whose twin changed since they were tested; the twin is not loaded where none was."""
    if not found.plan.tested:
        return ()
    from zerofactory.runs.twin_measure import stale

    return stale(context, found.plan)


def _asked(years: str | None, budget: float | None, scenario: str | None, carbon_price: str | None) -> Asked:
    from zerofactory.runs.plan_book import Asked
    from zerofactory.runs.plan_catalogue import years_of

    first, last = years_of(years)
    return Asked(first, last, budget, scenario, carbon_price)


def _limits(given: list[str] | None) -> tuple[Limit, ...]:
    from zerofactory.runs.plan_catalogue import limit_of

    return tuple(limit_of(text) for text in given or ())


def _print_roadmap(found: Result) -> None:
    from zerofactory.planning.measure import CLASSES

    options = {option.id: option for option in found.roadmap.portfolio.options}
    print_table(
        say(f"路线图 {found.set_plan.plan_id}", f"Roadmap {found.set_plan.plan_id}"),
        [(say("生效年", "from"), "left"), (say("措施", "measure"), "left"), (say("类别", "class"), "left"), (say("投资 万元", "invest 10k CNY"), "right"), (say("来源", "source"), "left")],
        [(str(year), read(options[name].measure.title), read(CLASSES[options[name].measure.kind]), f"{options[name].capex_cny / 1e4:,.0f}", options[name].measure.status)
         for name, year in sorted(found.roadmap.starts.items(), key=lambda one: (one[1], one[0]))],
    )  # fmt: skip
    _print_tested(found)
    _print_path(found)
    _print_outcome(found)


def _print_tested(found: Result) -> None:
    """Print the savings that were tested in the twin, with their intervals; nothing where none was."""
    from zerofactory.planning.measure import measure
    from zerofactory.planning.tested import half_width

    rows = [
        (read(measure(one.id).title), f"{saving.amount:,.0f} {saving.unit}", f"{saving.low:,.0f} … {saving.high:,.0f}", f"±{half_width(one):.0%}", one.scenario, one.on.isoformat())
        for one in found.plan.tested
        for saving in one.savings
    ]  # fmt: skip
    if rows:
        print_table(
            say("孪生检验过的节约(路线图采用)", "Savings tested in the twin (the roadmap takes them)"),
            [(say("措施", "measure"), "left"), (say("每年", "a year"), "right"), (say("区间", "interval"), "right"), (say("半宽", "half-width"), "right"), (say("场景", "scenario"), "left"), (say("日期", "on"), "left")],
            rows,
        )  # fmt: skip


def _print_path(found: Result) -> None:
    regime, roadmap_ = found.plan.plan.regime, found.roadmap
    invested = roadmap_.investment_cny()
    contracted = roadmap_.covers_mwh.sum(axis=0)
    worst: dict[int, float] = {}
    for chance in found.chances:
        worst[chance.year] = min(worst.get(chance.year, 1.0), chance.probability)
    rows = [
        (str(one.year), tonnes(one.total(regime, (1,)), 0), tonnes(one.total(regime, (2,)), 0), tonnes(one.total(regime), 0), tonnes(one.total("location"), 0),
         f"{contracted[place] / 1e3:,.1f}", f"{invested[one.year] / 1e6:,.1f}", f"{100 * worst[one.year]:.0f} %" if one.year in worst else "")
        for place, one in enumerate(found.path)
    ]  # fmt: skip
    print_table(
        say("轨迹 tCO2e", "Trajectory, tCO2e"),
        [(say("年", "year"), "left"), (say("范围1", "scope 1"), "right"), (say("范围2", "scope 2"), "right"), (say("合计", "1+2"), "right"), (say("基于位置", "location"), "right"),
         (say("绿电 GWh", "green GWh"), "right"), (say("投资 百万", "invest M"), "right"), (say("达标概率", "chance"), "right")],
        rows,
    )  # fmt: skip


def _print_outcome(found: Result) -> None:
    from zerofactory.planning.roadmap import title_of

    roadmap_, report = found.roadmap, found.roadmap.report
    named = "; ".join(read(title_of(roadmap_.question, name)) for name in roadmap_.clash)
    if roadmap_.kept:
        print_line(say("全部目标、限值与预算均满足。", "Every target, limit and budget is kept."))
    else:
        print_line(
            say(
                f"无法同时满足: {named}。下表为最接近的方案。",
                f"These cannot be kept together: {named}. Nearest plan below.",
            )
        )
        print_table(say("差距", "Shortfalls"), [(say("目标", "wish"), "left"), (say("年", "year"), "left"), (say("要求", "wanted"), "right"), (say("达到", "reached"), "right"), (say("单位", "unit"), "left")],
                    [(read(b.title), str(b.year), f"{b.wanted:,.1f}", f"{b.reached:,.1f}", b.unit) for b in roadmap_.breaches])  # fmt: skip
    net = roadmap_.cost_cny / 1e6
    share = roadmap_.gap_cny / max(abs(roadmap_.cost_cny), 1.0)
    print_line(say(
        f"现值: 比不作为 {net:+,.1f} 百万元; 求解差距 {100 * report.gap_fraction:.3f} %(总支出), 至多 {roadmap_.gap_cny / 1e6:,.1f} 百万元(净额的 {100 * share:.1f} %), {report.runtime_s:.1f} s。",
        f"Present value: {net:+,.1f} M CNY against doing nothing; gap {100 * report.gap_fraction:.3f} % of all that is paid, at most {roadmap_.gap_cny / 1e6:,.1f} M ({100 * share:.1f} % of the net), {report.runtime_s:.1f} s.",
    ))  # fmt: skip


@door
def guide(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help=say("PDF 文件", "PDF file"))],
    years: YearsOption = None,
    budget: BudgetOption = None,
    scenario: ScenarioOption = None,
    carbon_price: CarbonOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import plan_guide as run

    made = run.write(opened(workspace), out, language(), _asked(years, budget, scenario, carbon_price))
    if as_json:
        print_json(made)
    else:
        print_line(str(out))
