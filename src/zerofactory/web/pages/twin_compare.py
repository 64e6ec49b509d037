"""What if: scenarios of the twin beside the plant as it is: throughput, energy, cost and tonnes with the intervals of their differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from nicegui import ui

from zerofactory.errors import FaultyData, Text
from zerofactory.runs import twin_kept, twin_scenario, twin_start
from zerofactory.runs.jobs import Job
from zerofactory.runs.twin_compare import FIGURES
from zerofactory.runs.twin_replay import can_be_played, next_day
from zerofactory.web import charts, twin_costs, twin_scenario_form
from zerofactory.web.act import act
from zerofactory.web.frame import Page, empty, problems, table
from zerofactory.web.parts import heading
from zerofactory.web.visit import Visit
from zerofactory.web.work import begin, resume

MOST_RUNS, MOST_DAYS, MOST_KEPT = 30, 31, 20
KIND = "twin_comparison"
DRAWN = ("output", "electricity", "natural_gas", "energy_cny", "kgco2e", "kgco2e_per_piece")


def build(visit: Visit) -> None:
    """Draw the page."""
    ui.label(
        visit.say(
            "每个场景与现状用同一组随机数模拟; 差值是场景减现状, 区间同时成立的把握为 95 %。",
            "Each scenario runs on the same random numbers as the plant as it is; differences are scenario less plant, their intervals hold together with 95 %.",
        )
    ).classes("opacity-80")
    try:
        there = twin_scenario.listed(visit.context)
    except FaultyData as fault:
        problems(visit, fault.problems)
        return
    result = ui.column().classes("w-full gap-4").props("aria-live=polite")
    chosen: dict[str, ui.checkbox] = {}
    if there:
        _choices(visit, there, chosen)
    else:
        empty(visit, Text("还没有场景。", "There is no scenario yet."), Text("用下面的表单写一个, 或把 scenarios/*.toml 放进工作区。", "Write one with the form below, or put scenarios/*.toml into the workspace."))  # fmt: skip

    def told(job: Job) -> None:
        with result:
            _keep(visit, job)
            compared(visit, job.result.as_json())

    with ui.row().classes("items-end gap-3 zf-noprint"):
        first = ui.input(visit.say("首日", "First day"), value=next_day(visit.context).isoformat()).props("dense outlined type=date stack-label").classes("w-44")  # fmt: skip
        days = ui.number(visit.say("天数", "Days"), value=7, min=1, max=MOST_DAYS, format="%d").props("dense outlined").classes("w-24")  # fmt: skip
        runs = ui.number(visit.say("重复次数", "Replications"), value=8, min=2, max=MOST_RUNS, format="%d").props("dense outlined").classes("w-32")  # fmt: skip

        def work() -> None:
            names = [name for name, box in chosen.items() if box.value]
            if not names:
                ui.notify(visit.say("请先勾选场景。", "Choose scenarios first."), type="warning")
                return
            asked = {"scenarios": names, "first": twin_start.NOW if at_once.value else str(first.value or ""), "days": _within(days.value, 1, MOST_DAYS), "runs": _within(runs.value, 2, MOST_RUNS)}  # fmt: skip
            begin(visit, KIND, asked, result, told)

        at_once = ui.checkbox(visit.say("从此刻的状态开始", "From the state the line is in now"))
        first.bind_enabled_from(at_once, "value", backward=lambda value: not value)
        button = ui.button(visit.say("比较", "Compare"), icon="compare_arrows", on_click=work).props("id=zf-compare")
        button.enabled = bool(there)
    result.move(target_index=-1)
    if visit.asked.get("kept"):
        with result:
            compared(visit, twin_kept.opened(visit.context, visit.asked["kept"]))
    elif resume(visit, KIND, result, told) is None:
        job = visit.server.jobs.newest(visit.site, KIND)
        if job is not None and job.state == "done":
            told(job)
    _kept(visit)
    if visit.may("manage"):
        twin_scenario_form.build(visit)


def _within(value: float | None, least: int, most: int) -> int:
    return max(least, min(most, int(value or least)))


def _choices(visit: Visit, there: Sequence[twin_scenario.Scenario], chosen: dict[str, ui.checkbox]) -> None:
    with ui.card().classes("w-full gap-1"):
        ui.label(visit.say("场景", "Scenarios")).classes("font-semibold")
        with ui.element("div").classes("w-full grid gap-x-6 gap-y-1 md:grid-cols-2"):
            for one in there:
                with ui.row().classes("items-start no-wrap gap-1 w-full"):
                    chosen[one.id] = ui.checkbox().props(f'dense aria-label="{_plain(visit.read(one.title))}" data-scenario={one.id}').classes("pt-1")  # fmt: skip
                    with ui.column().classes("gap-0 min-w-0"):
                        with ui.row().classes("items-baseline gap-2"):
                            ui.label(visit.read(one.title)).classes("font-medium")
                            if can_be_played(one):
                                ui.link(visit.say("播放", "Play"), f"/twin/line?{urlencode({'scenario': one.id})}").classes("text-sm zf-noprint").props(f'aria-label="{visit.say("播放", "Play")} {_plain(visit.read(one.title))}"')  # fmt: skip
                        if one.basis is not None:
                            ui.label(visit.read(one.basis)).classes("text-sm opacity-80")


def _plain(text: str) -> str:
    return text.replace('"', "'").replace("\\", "")


def compared(visit: Visit, found: Mapping[str, Any]) -> None:
    """Draw a comparison: what each scenario comes to, the differences with their intervals, and all figures."""
    base, scenarios = found["base"], found["scenarios"]
    heading(visit.say(f"{base['from']} 起 {base['days']} 天, 重复 {base['runs']} 次", f"{base['days']} days from {base['from']}, {base['runs']} replications"))  # fmt: skip
    for one in scenarios:
        _demand(visit, one["demand"], visit.told(one["title"]))
    by = [{row["figure"]: row for row in one["figures"]} for one in scenarios]
    _summary(visit, scenarios, by)
    with ui.row().classes("w-full gap-4"):
        for name in DRAWN:
            rows = [(visit.told(one["title"]), *(own[name]["difference"][key] for key in ("low", "mean", "high"))) for one, own in zip(scenarios, by, strict=True) if name in own]  # fmt: skip
            if rows:
                title, unit = FIGURES[name]
                with ui.card().classes("grow basis-96 min-w-0"):
                    ui.label(visit.say(f"{title.zh}之差", f"Difference of {title.en}")).classes("font-semibold")
                    charts.intervals(rows, unit or visit.say("件", "pieces"), visit.say(f"{title.zh}之差", f"difference of {title.en}"))  # fmt: skip
    twin_costs.show(visit, found)
    columns = [
        ("figure", visit.say("量", "Figure")), ("unit", visit.say("单位", "Unit")), ("before", visit.say("现状", "Plant as it is")),
        ("after", visit.say("场景", "Scenario")), ("difference", visit.say("差", "Difference")), ("range", visit.say("区间", "Interval")), ("share", "%"),
    ]  # fmt: skip
    heading(visit.say("全部数字", "All figures"))
    for one in scenarios:
        told = [_row(visit, row) for row in one["figures"] if row["before"] or row["after"]]
        with ui.expansion(visit.told(one["title"])).classes("w-full").props("dense header-class=font-semibold"):
            table(columns, told, ("before", "after", "difference", "range", "share"))


def _summary(visit: Visit, scenarios: Sequence[Mapping[str, Any]], by: Sequence[Mapping[str, Any]]) -> None:
    """Draw the plant as it is and every scenario as rows, each difference with half the width of its interval."""
    kept = [name for name in DRAWN if any(name in own for own in by)]
    columns = [("title", visit.say("场景", "Scenario"))]
    columns += [(name, f"{visit.read(FIGURES[name][0])} {FIGURES[name][1]}".strip()) for name in kept]
    base: dict[str, object] = {"id": "", "title": visit.say("现状", "The plant as it is")}
    rows = [base]
    for number, (one, own) in enumerate(zip(scenarios, by, strict=True)):
        row: dict[str, object] = {"id": str(number), "title": visit.told(one["title"])}
        for name in (name for name in kept if name in own):
            before, after, value = own[name]["before"], own[name]["after"], own[name]["difference"]
            digits = 0 if abs(before) >= 1000 else 1
            base.setdefault(name, f"{before:,.{digits}f}")
            row[name] = (
                f"{after:,.{digits}f} ({value['mean']:+,.{digits}f} ± {(value['high'] - value['low']) / 2:,.{digits}f})"
            )
        rows.append(row)
    table(columns, rows, kept)


def _keep(visit: Visit, job: Job) -> None:
    """Let a comparison be kept: a file of the workspace whose hash is in the journal."""
    if not visit.may("record"):
        return
    place = ui.column().classes("w-full")

    async def keep() -> None:
        done = await act(visit, "record", "keep comparison", lambda context: twin_kept.keep(context, job.result), place)
        if done is not None:
            ui.navigate.to(f"/twin/compare?{urlencode({'kept': done.id})}")

    ui.button(visit.say("保存这次比较", "Keep this comparison"), icon="save", on_click=keep).props("outline id=zf-keep").classes("zf-noprint")  # fmt: skip


def _kept(visit: Visit) -> None:
    """List the comparisons that were kept, each with a link that opens it."""
    rows = twin_kept.listed(visit.context)
    if not rows:
        return
    heading(visit.say("保存过的比较", "Comparisons that were kept"))
    with ui.column().classes("gap-1"):
        for one in rows[:MOST_KEPT]:
            titles = ", ".join(visit.told(row["title"]) for row in one.scenarios)
            ui.link(f"{one.at[:16].replace('T', ' ')} · {titles} · {one.first}, {visit.say(f'{one.days} 天', f'{one.days} days')}", f"/twin/compare?{urlencode({'kept': one.id})}")  # fmt: skip


def _row(visit: Visit, one: dict[str, Any]) -> dict[str, object]:
    before, value = float(one["before"]), one["difference"]
    digits = 0 if abs(before) >= 100 else 2
    sure = value["low"] > 0 or value["high"] < 0
    return {
        "id": one["figure"], "figure": visit.told(one["title"]), "unit": one["unit"] or (visit.say("件", "pieces") if one["figure"] == "output" else ""),
        "before": f"{before:,.{digits}f}", "after": f"{one['after']:,.{digits}f}",
        "difference": f"{value['mean']:+,.{digits}f}" if sure else visit.say(f"{value['mean']:+,.{digits}f}(不显著)", f"{value['mean']:+,.{digits}f} (not sure)"),
        "range": f"{value['low']:+,.{digits}f} … {value['high']:+,.{digits}f}", "share": f"{value['mean'] / before:+.1%}" if before else "–",
    }  # fmt: skip


def _demand(visit: Visit, one: dict[str, Any] | None, title: str) -> None:
    """Say whether what is wanted is made, and with how much overtime."""
    if one is None:
        return
    hours, wanted, short = one["overtime_h_per_day"], one["wanted"]["mean"], one["shortfall"]["mean"]
    if one["met"]:
        said = visit.say(f"{title}: 需 {wanted:,.0f} 件, 每个工作日加班 {hours:g} h 即可做出。", f"{title}: {wanted:,.0f} wanted; made with {hours:g} h of overtime a working day.")  # fmt: skip
    else:
        said = visit.say(f"{title}: 需 {wanted:,.0f} 件, 加班 {hours:g} h 仍缺 {short:,.0f} 件。", f"{title}: {wanted:,.0f} wanted; even with {hours:g} h of overtime {short:,.0f} are short.")  # fmt: skip
    ui.label(said).classes("" if one["met"] else "text-warning")


PAGE = Page(
    "twin_compare", "/twin/compare", Text("场景比较", "Scenarios"), "compare_arrows", "optimise", 72, "read", build
)
