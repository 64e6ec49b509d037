"""Quality losses: where scrap and rework come from in kg, kWh, money and carbon; what one point is worth; metals that come back."""

from __future__ import annotations

from typing import Any

from nicegui import run as background
from nicegui import ui

from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.periods import Period
from zerofactory.runs import scrap, scrap_charge, scrap_recover, scrap_threshold, scrap_value
from zerofactory.runs.material_file import fingerprint as charges
from zerofactory.runs.scrap_file import fingerprint, read
from zerofactory.web import charts
from zerofactory.web.frame import Page, empty, figure, problems, table
from zerofactory.web.parts import choose_part, heading
from zerofactory.web.visit import Visit

PATH = "/quality-losses"
PARTS = {"pareto": Text("从缺陷到吨", "From defect to tonnes"), "value": Text("一个百分点值多少", "What a point is worth"), "metals": Text("金属回收与回炉", "Recovery and charge")}  # fmt: skip
KEYS = {"defect": Text("缺陷", "Defect"), "shop": Text("车间", "Shop"), "cause": Text("原因", "Cause"), "part": Text("零件", "Part"), "station": Text("工位", "Station")}  # fmt: skip
KINDS = {"scrap": Text("报废", "scrap"), "rework": Text("返工", "rework"), "escape": Text("漏检", "escape"), "false_reject": Text("误判", "false reject")}  # fmt: skip
FATES = {"sold": Text("外售", "sold"), "returned": Text("返钢厂闭环", "returned to the mill"), "remelted": Text("本厂回炉", "remelted"), "disposed": Text("处置", "disposed")}  # fmt: skip
STATES = {"held": Text("含在到货内", "held by deliveries"), "booked": Text("已有凭证", "booked"), "ours": Text("已按件数入账", "booked from counts"), "to_book": Text("待入账", "to be booked")}  # fmt: skip
STATUS = {"verified": Text("已核实", "verified"), "secondary": Text("二手", "secondary"), "placeholder": Text("占位", "placeholder")}  # fmt: skip
Told = dict[str, Any]
HARD = "\u00a0"  # a space at which a cell is not broken


def build(visit: Visit) -> None:
    """Draw the page: its parts, the month, and the figures when they are there."""
    part = choose_part(visit, PATH, PARTS, ("period", "by"))
    try:
        months = visit.kept(f"scrap months {fingerprint(visit.context)}", scrap.months)
    except FaultyData as fault:
        _faulty(visit, fault.problems)
        return
    if not months:
        empty(visit, Text("还没有检验记录。", "There are no inspected parts yet."), Text("用检验页或缺陷表记录。", "Record them on the inspection page or in a table."))  # fmt: skip
        return
    period = visit.asked.get("period", "")
    period = period if period in months else months[0]
    by = visit.asked.get("by", "")
    by = by if by in KEYS else "defect"
    with ui.row().classes("items-center gap-3 zf-noprint"):
        select = (
            ui.select(months, value=period, label=visit.say("期间", "Period")).props("dense outlined").classes("w-36")
        )
        select.on_value_change(lambda event: ui.navigate.to(f"{PATH}?part={part}&period={event.value}&by={by}"))
        if part == "pareto":
            keys = {name: visit.read(title) for name, title in KEYS.items()}
            group = ui.select(keys, value=by, label=visit.say("按", "By")).props("dense outlined").classes("w-36")
            group.on_value_change(lambda event: ui.navigate.to(f"{PATH}?part={part}&period={period}&by={event.value}"))
    place = ui.column().classes("w-full gap-4").props("aria-live=polite")
    with place:
        ui.spinner()

    async def draw() -> None:
        try:
            found = await background.io_bound(lambda: _found(visit, part, period))
        except (FaultyData, NotFound) as fault:
            place.clear()
            with place:
                problems(visit, fault.problems if isinstance(fault, FaultyData) else [fault.as_problem()])
            return
        if found is None:  # the server is leaving
            return
        place.clear()
        with place:
            {"pareto": lambda: _pareto(visit, found, by), "value": lambda: _value(visit, found), "metals": lambda: _metals(visit, found)}[part]()  # fmt: skip

    ui.timer(0.05, draw, once=True)


def _faulty(visit: Visit, found: tuple[Problem, ...]) -> None:
    if any(one.code == "scrap_file.missing" for one in found):
        empty(visit, Text("工作区里没有 quality.toml。", "The workspace has no quality.toml."), Text("写法见 docs/how-to/quality-loss.md。", "See docs/how-to/quality-loss.md."))  # fmt: skip
    else:
        problems(visit, found)


def _found(visit: Visit, part: str, period: str) -> Told:
    """Return the figures of a part as plain values, kept until the book or a file changes."""
    asked = scrap.Asked(Period.parse(period))
    name = f"scrap {part} {period} {fingerprint(visit.context)}"
    if part == "pareto":
        return visit.kept(name, lambda context: scrap.run(context, asked).as_json())
    if part == "value":
        return visit.kept(
            name, lambda context: {**scrap_value.run(context, asked).as_json(), "thresholds": _best(context, asked)}
        )

    def metals(context: Any) -> Told:
        told = scrap_recover.run(context, asked).as_json()
        try:
            return {**told, "charge": scrap_charge.run(context, asked).as_json()}
        except FaultyData as fault:
            return {
                **told,
                "charge": None,
                "why": [{"zh": one.message.zh, "en": one.message.en} for one in fault.problems],
            }

    return visit.kept(f"{name} {charges(visit.context)}", metals)


def _best(context: Any, asked: scrap.Asked) -> Told:
    """Return by model the threshold of least loss, or why there is none."""
    found: Told = {}
    for model, part in scrap_threshold.models(context, read(context)).items():
        try:
            found[model] = scrap_threshold.run(
                context, asked, scrap_threshold.Judged(part, None, model=model)
            ).as_json()
        except (FaultyData, NotFound) as fault:
            told = fault.problems if isinstance(fault, FaultyData) else [fault.as_problem()]
            found[model] = {"why": [{"zh": one.message.zh, "en": one.message.en} for one in told]}
    return found


def _pareto(visit: Visit, found: Told, by: str) -> None:
    total, rows = found["total"], found["by"][by]
    names, materials = (
        {name: visit.told(both) for name, both in found["names"][kind].items()} for kind in (by, "material")
    )
    with ui.row().classes("w-full gap-4"):
        figure(visit, Text("报废", "Scrapped"), f"{total['scrapped']:,}", visit.say("件", "pieces"))
        figure(visit, Text("返工", "Mended"), f"{total['reworked']:,}", visit.say("件", "pieces"))
        figure(visit, Text("投料", "Put in"), f"{total['mass_kg']['value']:,.0f}", "kg")
        figure(
            visit,
            Text("损失", "Loss"),
            f"{total['cny']['value'] / 1e4:,.2f}",
            visit.say("万元", "10k CNY"),
            _span(total["cny"], 1e-4, 2),
        )
        figure(
            visit,
            Text("排放", "Emissions"),
            f"{total['kgco2e']['value'] / 1e3:,.2f}",
            "tCO2e",
            _span(total["kgco2e"], 1e-3, 2),
        )
    for one in found["warnings"]:
        ui.label(visit.told(one["message"])).props('role="status"')
    with ui.grid().classes("w-full grid-cols-1 lg:grid-cols-2 gap-4"):
        for field, unit, title in (
            ("kgco2e", "kgCO2e", Text("碳", "Carbon")),
            ("cny", visit.say("元", "CNY"), Text("钱", "Money")),
        ):
            with ui.card().classes("w-full"):
                label = f"{visit.read(title)}, {visit.read(KEYS[by])}"
                ui.label(label).classes("font-semibold")
                charts.ranked(
                    {names.get(one["key"], one["key"]): round(one[field]["value"], 1) for one in rows},
                    unit,
                    title=label,
                )
    heading(visit.say("明细(括号为计数的 95 % 区间)", "Details (95 % interval of the counts)"))
    table(
        [("key", visit.read(KEYS[by])), ("scrapped", visit.say("报废", "Scrapped")), ("reworked", visit.say("返工", "Mended")), ("kg", visit.say("投料 kg", "Put in kg")), ("kwh", "kWh"), ("nm3", "Nm³"), ("cny", visit.say("元", "CNY")), ("co2", "kgCO2e"), ("sum", visit.say("碳累计 %", "Carbon so far %"))],
        [{"key": names.get(one["key"], one["key"]), "scrapped": f"{one['scrapped']:,}", "reworked": f"{one['reworked']:,}", "kg": _short(one["mass_kg"]), "kwh": _short(one["electricity_kwh"]), "nm3": _short(one["natural_gas_nm3"]), "cny": f"{_short(one['cny'])} ({_span(one['cny'])})", "co2": f"{_short(one['kgco2e'])} ({_span(one['kgco2e'])})", "sum": f"{100 * so_far:.1f}"} for one, so_far in zip(rows, _so_far(rows), strict=True)],
        ["scrapped", "reworked", "kg", "kwh", "nm3", "cny", "co2", "sum"],
    )  # fmt: skip
    _conserved(visit, total, found["shares_of_book"], materials)
    _book(visit, found["book"])


def _so_far(rows: list[Told]) -> list[float]:
    """Return by row which share of the carbon it and those before it come to."""
    whole = sum(one["kgco2e"]["value"] for one in rows)
    return [
        sum(one["kgco2e"]["value"] for one in rows[: place + 1]) / whole if whole else 0.0 for place in range(len(rows))
    ]


def _conserved(visit: Visit, total: Told, shares: Told, names: dict[str, str]) -> None:
    rows = [
        {"material": names.get(name, name), **{key: f"{kg:,.1f}" for key, kg in one.items()}}
        for name, one in total["material_kg"].items()
    ]
    heading(
        visit.say("材料去向: 投入 = 留在件上 + 回收 + 损失", "Where material goes: put in = kept + recovered + lost")
    )
    table(
        [("material", visit.say("材料", "Material")), ("put_in", visit.say("投入 kg", "Put in kg")), ("kept", visit.say("留在件上", "Kept")), ("recovered", visit.say("回收", "Recovered")), ("lost", visit.say("损失", "Lost")), ("bought", visit.say("重新外购", "Bought again"))],
        rows,
        ["put_in", "kept", "recovered", "lost", "bought"],
    )  # fmt: skip
    told = ", ".join(f"{visit.say('电', 'electricity') if carrier == 'electricity' else visit.say('天然气', 'gas')} {100 * share:.3f} %" for carrier, share in shares.items())  # fmt: skip
    if told:
        ui.label(visit.say(f"能源已在账上(表计), 占本期: {told}; 不再加。", f"Energy is in the book already (meters), of the period: {told}; it is not added.")).classes("opacity-80")  # fmt: skip
    avoided = total["avoided_kgco2e"] / 1e3
    ui.label(visit.say(f"外售废料使他处避免 {avoided:,.2f} tCO2e, 单列, 不抵减。", f"Sold scrap spares others {avoided:,.2f} tCO2e; told apart, never netted.")).classes("opacity-80")  # fmt: skip


def _book(visit: Visit, book: Told) -> None:
    if not book["lines"]:
        return
    heading(visit.say("与账本核对", "Beside the book"))
    rows = [
        {"source": one["source"], "month": one["period"], "counted": f"{one['counted_kg']:,.0f}", "booked": f"{one['booked_kg']:,.0f}", "difference": f"{one['difference_kg']:,.0f}", "state": visit.read(STATES[one["state"]]) + (visit.say(", 矛盾", ", contradicts") if one["contradicts"] else "")}
        for one in book["lines"]
    ]  # fmt: skip
    table(
        [("source", visit.say("排放源", "Source")), ("month", visit.say("月", "Month")), ("counted", visit.say("按件数 kg", "Counted kg")), ("booked", visit.say("凭证 kg", "Documents kg")), ("difference", visit.say("差 kg", "Difference kg")), ("state", visit.say("状态", "State"))],
        rows,
        ["counted", "booked", "difference"],
    )  # fmt: skip
    if book["to_book"]:
        ui.label(visit.say(f"{book['to_book']} 行没有凭证, 入账将增加 {book['to_book_gco2e'] / 1e6:,.3f} tCO2e: zf scrap account --out。", f"{book['to_book']} lines have no document; booking adds {book['to_book_gco2e'] / 1e6:,.3f} tCO2e: zf scrap account --out.")).props('role="status"')  # fmt: skip


def _value(visit: Visit, found: Told) -> None:
    ui.label(
        visit.say(
            "多一个百分点在本期值多少; 区间来自计数与 quality.toml 中各数的上下限, 不含排放因子的不确定度。",
            "What one point more is worth in the period; intervals come from the counts and the bounds of figures, not from emission factors.",
        )
    ).classes("opacity-80")
    titles = {name: visit.told(both) for name, both in found["titles"].items()}
    names = [titles[one["part"]] for one in found["parts"]]
    with ui.grid().classes("w-full grid-cols-1 lg:grid-cols-2 gap-4"):
        for field, unit in (("cny", visit.say("元", "CNY")), ("kgco2e", "kgCO2e")):
            with ui.card().classes("w-full"):
                label = visit.say(f"一个百分点, {unit}", f"One point, {unit}")
                ui.label(label).classes("font-semibold")
                charts.bars(names, {visit.read(title): [round(one["point"][kind][field]["value"], 1) if kind in one["point"] else 0.0 for one in found["parts"]] for kind, title in KINDS.items()}, unit, title=label)  # fmt: skip
    rows = [
        {"part": titles[one["part"]], "kind": visit.read(KINDS[kind]), "each": f"{one['each'][kind]['cny']['value']:,.1f}", "kg": f"{one['each'][kind]['kgco2e']['value']:,.2f}", "cny": f"{_short(row['cny'])} ({_span(row['cny'])})", "co2": f"{_short(row['kgco2e'])} ({_span(row['kgco2e'])})"}
        for one in found["parts"]
        for kind, row in one["point"].items()
    ]  # fmt: skip
    table(
        [("part", visit.say("零件", "Part")), ("kind", visit.say("种类", "Kind")), ("each", visit.say("元/件", "CNY each")), ("kg", visit.say("kgCO2e/件", "kgCO2e each")), ("cny", visit.say("一个百分点 元", "One point, CNY")), ("co2", visit.say("一个百分点 kgCO2e", "One point, kgCO2e"))],
        rows,
        ["each", "kg", "cny", "co2"],
    )  # fmt: skip
    _thresholds(visit, found)
    stations = [
        {"part": titles[one["part"]], "station": station, "cny": f"{_short(row['cny'])} ({_span(row['cny'])})", "co2": f"{_short(row['kgco2e'])} ({_span(row['kgco2e'])})"}
        for one in found["parts"]
        for station, row in one["stations"].items()
    ]  # fmt: skip
    heading(
        visit.say(
            "报废一个百分点, 按在哪个工位之后报废", "One point of scrap, by the station behind which it is scrapped"
        )
    )
    table([("part", visit.say("零件", "Part")), ("station", visit.say("工位", "Station")), ("cny", visit.say("元", "CNY")), ("co2", "kgCO2e")], stations, ["cny", "co2"])  # fmt: skip
    for one in found["parts"]:
        for kind, why in one["missing"].items():
            ui.label(f"{titles[one['part']]}, {visit.read(KINDS[kind])}: {visit.told(why)}").classes(
                "opacity-80 text-sm"
            )


def _thresholds(visit: Visit, found: Told) -> None:
    """Draw the threshold of least loss of each model that inspectors have judged beside, for the part that is chosen."""
    for model, told in found["thresholds"].items():
        heading(visit.say(f"检测阈值: {model}", f"Threshold of the inspection: {model}"))
        if "why" in told:
            for why in told["why"]:
                ui.label(visit.told(why))
            continue
        for unit, title in (("cny", visit.say("元/千件", "CNY a thousand")), ("kgco2e", visit.say("kgCO2e/千件", "kgCO2e a thousand"))):  # fmt: skip
            if unit not in told["best"]:
                ui.label(visit.say(f"以 {title} 计, 漏检比检出便宜, 不给阈值。", f"In {title} an escape costs less than a part found: no threshold."))  # fmt: skip
                continue
            points = [one for one in told["curves"][unit] if one["threshold"] is not None]
            charts.lines([f"{one['threshold']:.3g}" for one in points], {title: [round(one["cost"], 2) for one in points]}, title, title=title)  # fmt: skip
        rows = [
            {"in": unit, "which": visit.say(*words), "at": "–" if one["threshold"] is None else f"{one['threshold']:.4g}", "escape": f"{100 * one['escape']['value']:.2f} ({100 * one['escape']['low']:.2f} … {100 * one['escape']['high']:.2f})", "false": f"{100 * one['false_reject']['value']:.2f} ({100 * one['false_reject']['low']:.2f} … {100 * one['false_reject']['high']:.2f})", "cost": f"{one['cost']:,.1f} ({one['cost_low']:,.1f} … {one['cost_high']:,.1f})"}
            for words, by in ((("最省", "least"), told["best"]), (("现行", "present"), told["present"]))
            for unit, one in by.items()
        ]  # fmt: skip
        table(
            [("in", visit.say("以", "In")), ("which", ""), ("at", visit.say("阈值", "Threshold")), ("escape", visit.say("漏检 %", "Escapes %")), ("false", visit.say("误判 %", "False rejects %")), ("cost", visit.say("每千件", "A thousand"))],
            rows,
            ["at", "escape", "false", "cost"],
        )  # fmt: skip


def _metals(visit: Visit, found: Told) -> None:
    heading(visit.say("报废件的材料: 截断与闭环", "Material of scrapped pieces: cut-off and closed loop"))
    titles = {name: visit.told(both) for name, both in found["titles"].items()}
    rows = found["materials"]
    charts.bars(
        [titles[one["material"]] for one in rows],
        {visit.say("截断", "cut-off"): [round(one["cut_off_kgco2e"], 1) for one in rows], visit.say("闭环", "closed loop"): [round(one["closed_loop_kgco2e"], 1) for one in rows]},
        "kgCO2e",
        title=visit.say("截断与闭环", "Cut-off and closed loop"),
    )  # fmt: skip
    table(
        [("material", visit.say("材料", "Material")), ("fate", visit.say("去向", "Fate")), ("scrap", visit.say("废料 kg", "Scrap kg")), ("back", visit.say("回收 kg", "Recovered kg")), ("lost", visit.say("损失 kg", "Lost kg")), ("cut", visit.say("截断 kgCO2e", "Cut-off kgCO2e")), ("closed", visit.say("闭环 kgCO2e", "Closed loop kgCO2e")), ("avoided", visit.say("他处避免(单列)", "Avoided (apart)"))],
        [{"material": titles[one["material"]], "fate": visit.read(FATES[one["fate"]]), "scrap": f"{one['scrap_kg']:,.0f}", "back": f"{one['recovered_kg']:,.0f}", "lost": f"{one['lost_kg']:,.0f}", "cut": f"{one['cut_off_kgco2e']:,.0f}", "closed": f"{one['closed_loop_kgco2e']:,.0f}", "avoided": "–" if one["avoided_kgco2e"] is None else f"{one['avoided_kgco2e']:,.0f}"} for one in rows],
        ["scrap", "back", "lost", "cut", "closed", "avoided"],
    )  # fmt: skip
    _charge(visit, found)
    heading(visit.say("金属回收率及其出处", "Recovery of metals and its sources"))
    table(
        [("metal", visit.say("金属(去向)", "Metal (to where)")), ("rate", "%"), ("book", visit.say("账上 %", "Book %")), ("status", visit.say("状态", "Status")), ("of", visit.say("占什么", "Of what")), ("source", visit.say("出处", "Source"))],
        [{"metal": visit.told(one["title"]), "rate": f"{100 * one['fraction']:.1f}", "book": "–" if one["booked_fraction"] is None else f"{100 * one['booked_fraction']:.1f}", "status": visit.read(STATUS[one["status"]]), "of": visit.told(one["of"]), "source": one["source"]} for one in found["rates"]],
        ["rate", "book"],
    )  # fmt: skip


def _charge(visit: Visit, found: Told) -> None:
    heading(visit.say("回炉: 配料少买多少", "Back into the furnace: what the charge saves"))
    told = found["charge"]
    if told is None or "bought_kg" not in told:
        for why in found.get("why", ()) or (told or {}).get("findings", ()):
            ui.label(visit.told(why))
        return
    with ui.row().classes("w-full gap-4"):
        figure(visit, Text("少买炉料", "Charges not bought"), f"{told['saved_bought_kg']:,.0f}", "kg")
        figure(visit, Text("其中原生", "of it primary"), f"{told['primary_kg']['saved']:,.0f}", "kg")
        figure(visit, Text("省", "Saved"), f"{told['cost_cny']['saved']:,.0f}", visit.say("元", "CNY"))
        if told["book"] is not None:
            figure(visit, Text("账上少", "Less in the book"), f"{told['book']['saved_gco2e'] / 1e6:,.3f}", "tCO2e")
    for one in told["returned"]:
        ui.label(f"{visit.told(one['title'])}: {one['available_kg']:,.0f} kg → {one['row']}").classes("opacity-80")


def _short(one: Told) -> str:
    return f"{one['value']:,.0f}"


def _span(one: Told, scale: float = 1.0, digits: int = 0) -> str:
    return f"{one['low'] * scale:,.{digits}f} … {one['high'] * scale:,.{digits}f}".replace(" ", HARD)


PAGE = Page("quality_losses", PATH, Text("质量损失", "Quality losses"), "report_problem", "optimise", 57, "read", build)
