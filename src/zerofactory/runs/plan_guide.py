"""The implementation guide of a plant: its plan, roadmap, tasks and evidence as one PDF."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from zerofactory import __version__
from zerofactory.errors import Language, Text
from zerofactory.planning.measure import CLASSES
from zerofactory.planning.mechanism import AREAS, STAGES, Mechanism, matrix
from zerofactory.planning.roadmap import title_of
from zerofactory.planning.task import Task
from zerofactory.reporting import plan_charts
from zerofactory.reporting.guide import Guide, GuideSection, GuideTable, lines_of, render_guide
from zerofactory.runs import plan as plans
from zerofactory.runs.context import Context
from zerofactory.runs.plan_book import Asked
from zerofactory.runs.plan_pictures import pictures
from zerofactory.runs.plan_roadmap import Result
from zerofactory.runs.plan_roadmap import run as run_roadmap

STATES = {"open": Text("未完成", "open"), "done": Text("完成", "done"), "dropped": Text("取消", "dropped")}
STATUSES = {
    "verified": Text("已核对", "verified"), "secondary": Text("二手", "secondary"), "placeholder": Text("待核实", "to verify"),
}  # fmt: skip


def write(context: Context, out: Path, language: Language, asked: Asked | None = None) -> dict[str, object]:
    """Write the guide as PDF; return what it holds."""
    guide = guide_of(context, language, asked)
    content = render_guide(guide, language)
    out.write_bytes(content)
    return {
        "file": str(out),
        "bytes": len(content),
        "plan": guide.plan_id,
        "sections": [one.title.en for one in guide.sections],
    }


def guide_of(context: Context, language: Language, asked: Asked | None = None) -> Guide:
    """Return the guide of the plan in force."""
    result = run_roadmap(context, asked)
    plant = context.workspace.plant
    tasks = plans.tasks(context)
    plan = result.set_plan.plan
    sections = (
        _commitment(result),
        _targets(context, result, language),
        _organisation(plan.mechanism, language),
        _stages(plan.mechanism, tasks, context, language),
        _measures(result, language),
        _trajectory(result, language),
        _evidence(context, language),
        _assumptions(result, language),
    )
    drawn = {name: plan_charts.svg(figure) for name, figure in pictures(result, language).items()}
    return Guide(
        title=Text("零碳工厂实施指南", "Implementation guide to the zero-carbon factory"),
        plant=plant.name,
        organisation=plant.organisation.name,
        fictional=plant.fictional,
        issued_on=context.today,
        plan_id=result.set_plan.plan_id,
        code_version=__version__,
        sections=sections,
        pictures=drawn,
    )


def _commitment(result: Result) -> GuideSection:
    head = result.set_plan.plan.plan
    lines = lines_of(
        [
            (Text("承诺", "Commitment"), head.commitment),
            (Text("范围", "Scope"), head.scope),
            (Text("减排策略", "Reduction strategy"), head.reduction_strategy),
            (Text("保持策略", "Maintenance strategy"), head.maintenance_strategy),
            (Text("抵消策略", "Offset strategy"), head.offset_strategy),
        ]
    )
    by = head.adopted_by or "—"
    when = head.adopted_on.isoformat() if head.adopted_on else "—"
    adopted = Text(
        f"基准年 {head.base_year}；批准：{by}，{when}。", f"Base year {head.base_year}; adopted by {by}, {when}."
    )
    return GuideSection(Text("承诺与策略", "Commitment and strategy"), (*lines, adopted))


def _targets(context: Context, result: Result, language: Language) -> GuideSection:
    head = result.set_plan.plan.plan
    rows = []
    for way in result.pathways:
        target = way.target
        last = way.limits_gco2e[max(way.limits_gco2e)]
        rows.append(
            (
                target.title.in_language(language), target.scope, f"{way.base_gco2e / 1e6:,.0f}", str(target.target_year),
                f"{last / 1e6:,.0f}", f"{100 * way.reduction_fraction:.1f} %", way.reason.in_language(language),
            )
        )  # fmt: skip
    table = GuideTable(
        (Text("目标", "target"), Text("范围", "scope"), Text("基准 t", "base t"), Text("年", "year"), Text("限值 t", "limit t"),
         Text("减排", "cut"), Text("依据", "basis")),
        tuple(rows), (3, 0.8, 1.2, 0.8, 1.2, 1.1, 4), (2, 4, 5),
    )  # fmt: skip
    timetable = GuideTable(
        (Text("年", "year"), Text("里程碑", "milestone")),
        tuple((str(one.year), one.title.in_language(language)) for one in head.milestones), (1, 8),
    )  # fmt: skip
    return GuideSection(Text("时间表与目标", "Timetable and targets"), (), (timetable, table))


def _organisation(mechanism: Mechanism, language: Language) -> GuideSection:
    roles = GuideTable(
        (Text("角色", "role"), Text("负责人", "holder"), Text("范围", "area"), Text("职责", "duties")),
        tuple((r.title.in_language(language), r.holder, AREAS[r.area].in_language(language), r.duties.in_language(language)) for r in mechanism.roles),
        (2.4, 1.6, 1, 4),
    )  # fmt: skip
    titles = {process.id: process.title.in_language(language) for process in mechanism.processes}
    names = [role.id for role in mechanism.roles]
    raci = GuideTable(
        (Text("过程 (RACI)", "process (RACI)"), *(Text(name, name) for name in names)),
        tuple((titles[line], *(letters.get(name, "") for name in names)) for line, letters in matrix(mechanism)),
        (3, *([1.0] * len(names))),
    )
    information = GuideTable(
        (Text("能源与碳信息", "information"), Text("来源", "origin"), Text("频次", "frequency"), Text("负责", "role")),
        tuple((i.what.in_language(language), i.origin.in_language(language), i.frequency.in_language(language), i.role) for i in mechanism.information),
        (3.4, 2.4, 1.4, 1),
    )  # fmt: skip
    calendar = GuideTable(
        (Text("日期", "date"), Text("核查日历", "verification calendar"), Text("依据", "standard"), Text("负责", "role")),
        tuple((f"{c.month:02d}-{c.day:02d}", c.title.in_language(language), c.standard or "", c.role) for c in mechanism.calendar),
        (1, 4, 2.4, 1),
    )  # fmt: skip
    note = Text("R 执行，A 负责，C 咨询，I 知会。", "R does it, A answers for it, C is asked, I is told.")
    return GuideSection(Text("碳管理机制", "Management mechanism"), (note,), (roles, raci, information, calendar))


def _stages(mechanism: Mechanism, tasks: Sequence[Task], context: Context, language: Language) -> GuideSection:
    holders = {role.id: role.holder for role in mechanism.roles}
    tables = []
    for stage, title in STAGES.items():
        own = [task for task in tasks if task.stage == stage and task.state != "dropped"]
        if own:
            tables.append(
                GuideTable(
                    (Text(f"{title.zh}阶段的任务", f"tasks of the stage: {title.en}"), Text("负责人", "owner"), Text("到期", "due"), Text("状态", "state"), Text("证据", "evidence")),
                    tuple((task.title.in_language(language), holders.get(task.owner or "", task.owner or ""), task.due.isoformat() if task.due else "",
                           _state(task, context).in_language(language), "; ".join(one[:12] for one in task.evidence)) for task in own),
                    (4, 1.8, 1.3, 1, 1.6),
                )
            )  # fmt: skip
    empty = Text(
        "还没有登记任务: zf plan set 后自动加入计划中的任务。",
        "No task is booked yet: zf plan set adds those of the plan.",
    )
    return GuideSection(Text("任务", "Tasks"), () if tables else (empty,), tuple(tables))


def _state(task: Task, context: Context) -> Text:
    return Text("逾期", "overdue") if task.is_overdue(context.today) else STATES[task.state]


def _measures(result: Result, language: Language) -> GuideSection:
    options = {option.id: option for option in result.roadmap.portfolio.options}
    first = result.roadmap.portfolio.years[0]
    rows = tuple(
        (
            str(max(year - options[name].measure.lead_years, first)), str(year), options[name].measure.title.in_language(language),
            CLASSES[options[name].measure.kind].in_language(language), f"{options[name].capex_cny / 1e4:,.0f}",
            STATUSES[options[name].measure.status].in_language(language),
        )
        for name, year in sorted(result.roadmap.starts.items(), key=lambda one: (one[1], one[0]))
    )  # fmt: skip
    table = GuideTable(
        (Text("立项", "decide"), Text("生效", "from"), Text("措施", "measure"), Text("类别", "class"), Text("投资 万元", "10k CNY"), Text("数据", "data")),
        rows, (0.9, 0.9, 5, 1.6, 1.4, 1.1), (4,),
    )  # fmt: skip
    contracts = GuideTable(
        (Text("绿电与绿证", "green power"), Text("首年", "first year"), Text("最多 GWh/年", "most GWh a year")),
        tuple(
            (cover.measure.title.in_language(language), str(result.roadmap.portfolio.years[int((mwh > 0).argmax())]), f"{mwh.max() / 1e3:,.1f}")
            for cover, mwh in zip(result.roadmap.portfolio.covers, result.roadmap.covers_mwh, strict=True) if mwh.any()
        ), (4, 1, 1.4), (2,),
    )  # fmt: skip
    return GuideSection(Text("措施与投资", "Measures and investment"), (), (table, contracts), ("gantt",))


def _trajectory(result: Result, language: Language) -> GuideSection:
    regime = result.plan.plan.regime
    worst: dict[int, float] = {}
    for chance in result.chances:
        worst[chance.year] = min(worst.get(chance.year, 1.0), chance.probability)
    invested = result.roadmap.investment_cny()
    rows = tuple(
        (str(one.year), f"{one.total(regime, (1,)) / 1e6:,.0f}", f"{one.total(regime, (2,)) / 1e6:,.0f}", f"{one.total(regime) / 1e6:,.0f}",
         f"{one.total('location') / 1e6:,.0f}", f"{invested[one.year] / 1e6:,.1f}", f"{100 * worst[one.year]:.0f} %" if one.year in worst else "")
        for one in result.path
    )  # fmt: skip
    table = GuideTable(
        (Text("年", "year"), Text("范围1 t", "scope 1 t"), Text("范围2 t", "scope 2 t"), Text("合计 t", "1+2 t"), Text("基于位置 t", "location t"),
         Text("投资 百万元", "invest M CNY"), Text("达标概率", "chance")),
        rows, (0.8, 1.2, 1.2, 1.2, 1.4, 1.4, 1.1), (1, 2, 3, 4, 5, 6),
    )  # fmt: skip
    clash = [title_of(result.roadmap.question, name) for name in result.roadmap.clash]
    outcome = (
        Text("全部目标、限值与预算均满足。", "Every target, limit and budget is kept.")
        if result.roadmap.kept
        else Text(f"下列要求不能同时满足：{'、'.join(title.zh for title in clash)}；所列为最接近的方案。",
                  f"These wishes clash: {'; '.join(title.en for title in clash)}; what is shown is the nearest plan.")
    )  # fmt: skip
    cost = Text(
        f"现值比不作为 {result.roadmap.cost_cny / 1e6:+,.1f} 百万元。",
        f"Present value {result.roadmap.cost_cny / 1e6:+,.1f} million CNY against doing nothing.",
    )
    return GuideSection(
        Text("轨迹、成本与达标概率", "Trajectory, cost, chances"), (outcome, cost), (table,), ("trajectory", "macc")
    )


def _evidence(context: Context, language: Language) -> GuideSection:
    rows = tuple(
        (one.item.id, STAGES[one.item.stage].in_language(language), one.item.text.in_language(language), one.item.evidence.in_language(language),
         Text("有", "yes").in_language(language) if one.met else Text("无", "no").in_language(language))
        for one in plans.checked(context)
    )  # fmt: skip
    table = GuideTable(
        (Text("条目", "item"), Text("PDCA", "PDCA"), Text("要求", "requirement"), Text("应有证据", "evidence wanted"), Text("已登记", "booked")),
        rows, (2.3, 0.9, 3.6, 3, 0.9),
    )  # fmt: skip
    note = Text(
        "条目为自行归纳，凭记忆，认证前请与原文核对。",
        "Items are paraphrased and recalled; check the standards before certification.",
    )
    return GuideSection(Text("管理体系检查表与证据", "Checklists and evidence"), (note,), (table,))


def _assumptions(result: Result, language: Language) -> GuideSection:
    world, economics = result.book, result.plan.economics
    portfolio = result.roadmap.portfolio
    report = result.roadmap.report
    lines = lines_of(
        [
            (Text("电网", "Grid"), Text(f"{world.world.grid.title.zh}({world.world.grid.status})", f"{world.world.grid.title.en} ({world.world.grid.status})")),
            (Text("碳价", "Carbon price"), Text(f"{world.carbon.title.zh}({world.carbon.status})", f"{world.carbon.title.en} ({world.carbon.status})")),
            (Text("折现率", "Discounting"), Text(f"{100 * portfolio.discount_fraction:g} %", f"{100 * portfolio.discount_fraction:g} %")),
            (Text("年投资上限", "Budget a year"), Text(f"{(economics.budget_cny or 0) / 1e6:,.0f} 百万元" if economics.budget_cny else "无", f"{(economics.budget_cny or 0) / 1e6:,.0f} million CNY" if economics.budget_cny else "none")),
            (Text("求解", "Solver"), Text(f"{report.solver}，差距 {100 * report.gap_fraction:.3f} %", f"{report.solver}, gap {100 * report.gap_fraction:.3f} %")),
        ]
    )  # fmt: skip
    refused = GuideTable(
        (Text("不适用的措施", "measures not applicable"), Text("原因", "reason")),
        tuple(
            (one.measure.title.in_language(language), Text(one.reason_zh, one.reason).in_language(language))
            for one in portfolio.not_applicable
        ),
        (2, 5),
    )
    warning = Text(
        "标“待核实”的措施数据是规划估计，立项前须以勘察与报价替换。",
        "Measures marked 'to verify' rest on planning estimates: replace them by a survey and an offer before deciding.",
    )
    return GuideSection(
        Text("假设与数据来源", "Assumptions and sources"), (*lines, warning), (refused,) if refused.rows else ()
    )
