"""Material: layouts of slitting, strips and sheets drawn with their utilisation and saving, and the charge of the furnace."""

from __future__ import annotations

from typing import Any

from nicegui import run as background
from nicegui import ui

from zerofactory.errors import FaultyData, NotFound, Text
from zerofactory.runs import material, material_mix
from zerofactory.runs.material_file import fingerprint
from zerofactory.web.frame import Page, figure, problems, table
from zerofactory.web.visit import Visit

KINDS = {
    "slit": Text("卷料分条", "Slitting"),
    "nest": Text("条料排样", "Nesting"),
    "sheet": Text("板料剪切", "Sheets"),
    "mix": Text("熔炼配料", "Charge mix"),
}
RUNS = {"slit": material.run_slit, "nest": material.run_nest, "sheet": material.run_sheet}


def build(visit: Visit) -> None:
    """Draw the page: a choice of the kind of work, then its plan."""
    chosen = visit.asked.get("kind", "sheet")
    chosen = chosen if chosen in KINDS else "sheet"
    with ui.row().classes("gap-2 zf-noprint"):
        for kind, title in KINDS.items():
            link = ui.link(visit.read(title), f"/material?kind={kind}").classes("zf-link")
            if kind == chosen:
                link.classes("font-semibold").props('aria-current="page"')
    place = ui.column().classes("w-full")
    with place:
        ui.spinner()
        ui.label(visit.say("求解中……", "Solving …")).props('role="status"')

    async def draw() -> None:
        try:
            found = await background.io_bound(lambda: _found(visit, chosen))
        except FaultyData as fault:
            place.clear()
            with place:
                problems(visit, fault.problems)
            return
        except NotFound as fault:
            place.clear()
            with place:
                problems(visit, [fault.as_problem()])
            return
        if found is None:  # the server is leaving
            return
        place.clear()
        with place:
            _mix(visit, found) if chosen == "mix" else _cuts(visit, found)

    ui.timer(0.05, draw, once=True)


def _found(visit: Visit, kind: str) -> dict[str, Any]:
    """Return a plan as plain values, its drawing beside it; kept until the book or a file changes."""
    name = f"material {kind} {visit.language} {fingerprint(visit.context)}"
    if kind == "mix":
        return visit.kept(name, lambda context: material_mix.run(context).as_json())

    def make(context: Any) -> dict[str, Any]:
        result = RUNS[kind](context)
        drawn = material.picture(result, visit.language) if result.is_sound else ""
        return {**result.as_json(), "svg": drawn}

    return visit.kept(name, make)


def _cuts(visit: Visit, found: dict[str, Any]) -> None:
    ui.label(visit.told(found["title"])).classes("text-lg font-semibold")
    if not _is_sound(visit, found):
        return
    masses, saved = found["masses"], found["saving"]
    with ui.row().classes("w-full gap-4"):
        figure(visit, Text("材料利用率", "Utilisation"), f"{100 * masses['utilisation_fraction']:.2f}", "%")
        if saved is not None:
            evidence = visit.told(saved["evidence"])
            figure(visit, Text("节约", "Saved"), f"{saved['saved_kg']:,.0f}", "kg", evidence)
            figure(visit, Text("节约金额", "Money saved"), f"{saved['money_cny']:,.0f}", visit.say("元", "CNY"))
            if saved["book"] is not None:
                grams = saved["book"]["saved_gco2e"]
                figure(visit, Text("账上少", "Less in the book"), f"{grams / 1e6:,.2f}", "tCO2e")
    for bound in found["bounds"] if found["kind"] != "nest" else ():
        ui.label(
            visit.say(
                f"得到 {bound['value']:,.1f}, 任何方案不少于 {bound['bound']:,.1f} {bound['unit']['zh']}(差 {100 * bound['gap_fraction']:.2f} %)。",
                f"Reached {bound['value']:,.1f}; no plan needs less than {bound['bound']:,.1f} {bound['unit']['en']} (gap {100 * bound['gap_fraction']:.2f} %).",
            )
        ).classes("opacity-80")
    with ui.card().classes("w-full overflow-auto"):
        ui.html(found["svg"], sanitize=False)  # drawn by us: every label in it is escaped
    _masses(visit, masses)
    if saved is not None:
        _routes(visit, saved)


def _is_sound(visit: Visit, found: dict[str, Any]) -> bool:
    for one in found["findings"]:
        ui.label(visit.told(one)).props('role="alert"')
    if found["unmet"]:
        listed = ", ".join(found["unmet"])
        ui.label(visit.say(f"下列订单无法同时满足: {listed}", f"These orders cannot be met together: {listed}")).props(
            'role="alert"'
        )
    return bool(found["checked"])


def _masses(visit: Visit, masses: dict[str, Any]) -> None:
    words = {
        "trim": visit.say("切边", "edge trim"),
        "offcut": visit.say("边角料", "offcut"),
        "overrun": visit.say("多冲件", "overrun"),
    }
    rows = [
        {"what": visit.say("投入", "put in"), "grade": "", "kg": f"{masses['put_in_kg']:,.0f}"},
        {"what": visit.say("合格零件", "good pieces"), "grade": "", "kg": f"{masses['good_kg']:,.0f}"},
        *(
            {"what": words[one["kind"]], "grade": one["grade"], "kg": f"{one['mass_kg']:,.0f}"}
            for one in masses["scrap"]
        ),
    ]
    table([("what", visit.say("金属去向", "Where the metal goes")), ("grade", visit.say("牌号", "Grade")), ("kg", "kg")], rows, ["kg"])  # fmt: skip


def _routes(visit: Visit, saved: dict[str, Any]) -> None:
    rows = [
        {"route": visit.told(one["title"]), "factor": f"{one['kgco2e_per_kg']:.2f}", "t": f"{one['saved_tco2e']:,.2f}", "id": one["factor"]}
        for one in saved["routes"]
    ]  # fmt: skip
    table(
        [("route", visit.say("节约量按路线", "Saving by route")), ("factor", "kgCO2/kg"), ("t", "tCO2"), ("id", visit.say("因子", "Factor"))],
        rows,
        ["factor", "t"],
    )  # fmt: skip


def _mix(visit: Visit, found: dict[str, Any]) -> None:
    ui.label(visit.told(found["title"])).classes("text-lg font-semibold")
    if found["conflict"] is not None:
        ui.label(visit.told(found["conflict"]["sentence"])).props('role="alert"')
        return
    plan, before = found["plan"], found["before"]
    with ui.row().classes("w-full gap-4"):
        figure(visit, Text("费用", "Cost"), f"{plan['cost_cny'] / 1e4:,.1f}", visit.say("万元", "10k CNY"))
        figure(visit, Text("足迹", "Footprint"), f"{plan['footprint_kgco2e'] / 1e3:,.1f}", "tCO2e")
        figure(visit, Text("再生比例", "Recycled share"), f"{100 * plan['recycled_fraction']:.1f}", "%")
    rows = [
        {"charge": name, "before": f"{before['charged_kg'][name]:,.0f}" if before else "—", "plan": f"{mass:,.0f}"}
        for name, mass in plan["charged_kg"].items()
    ]
    table([("charge", visit.say("炉料", "Charge")), ("before", visit.say("现行 kg", "Present kg")), ("plan", visit.say("方案 kg", "Plan kg"))], rows, ["before", "plan"])  # fmt: skip
    limits = [
        {"element": one["element"], "least": f"{100 * one['least_fraction']:.2f}", "plan": f"{100 * one['content_fraction']:.3f}", "most": f"{100 * one['most_fraction']:.2f}"}
        for one in found["limits"]
    ]  # fmt: skip
    table([("element", visit.say("元素", "Element")), ("least", visit.say("下限 %", "Least %")), ("plan", visit.say("方案 %", "Plan %")), ("most", visit.say("上限 %", "Most %"))], limits, ["least", "plan", "most"])  # fmt: skip
    prices = [
        {"limit": visit.told(one["title"]), "value": f"{one['value']:+,.2f}", "unit": visit.told(one["unit"])}
        for one in found["shadow_prices"]
    ]
    table([("limit", visit.say("限值", "Limit")), ("value", visit.say("影子价格", "Shadow price")), ("unit", visit.say("单位", "Unit"))], prices, ["value"])  # fmt: skip


PAGE = Page("material", "/material", Text("用料", "Material"), "content_cut", "optimise", 55, "read", build)
