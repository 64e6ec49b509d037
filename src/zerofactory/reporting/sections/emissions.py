"""The total and how it splits: category, gas, regime, shop, source, month; intensity and energy."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from zerofactory.errors import Text
from zerofactory.reporting.figures import number
from zerofactory.reporting.statement import CategoryLine, Cell, GasLine, Line, Statement
from zerofactory.reporting.table import NOT_PROVIDED, Column, Table, Value

TITLE = Column(Text("名称", "Name"), width=34)
EMISSIONS = Column(Text("排放量 (tCO₂e)", "Emissions (tCO₂e)"), "tonnes", 14)
SHARE = Column(Text("占比", "Share"), "share", 11)
GASES = {
    "CO2": Text("二氧化碳 CO₂", "Carbon dioxide CO₂"),
    "CH4": Text("甲烷 CH₄", "Methane CH₄"),
    "N2O": Text("氧化亚氮 N₂O", "Nitrous oxide N₂O"),
    "HFCs": Text("氢氟碳化物 HFCs", "Hydrofluorocarbons HFCs"),
    "PFCs": Text("全氟碳化物 PFCs", "Perfluorocarbons PFCs"),
    "SF6": Text("六氟化硫 SF₆", "Sulphur hexafluoride SF₆"),
    "NF3": Text("三氟化氮 NF₃", "Nitrogen trifluoride NF₃"),
}
PERFLUOROCARBON = re.compile(r"C\d?F\d+")
STATUS = {
    "quantified": Text("已量化", "quantified"),
    "quantified_apart": Text("另表量化，不并入总计", "quantified in a table of its own, outside the total"),
    "not_occurring": Text("不发生", "does not occur"),
    "not_quantified": Text("未量化", "not quantified"),
    "not_significant": Text("判定为不重要", "judged not significant"),
}


def split(key: str, title: Text, lines: Sequence[Line], total_gco2e: int) -> Table:
    """Lines that split the total, with the total below."""
    rows: list[tuple[Value, ...]] = [(line.title, line.emissions_gco2e, line.share_fraction) for line in lines]
    note = None if rows else NOT_PROVIDED
    if rows:
        rows.append((Text("合计", "Total"), total_gco2e, 1.0 if total_gco2e else None))
    return Table(key, title, (TITLE, EMISSIONS, SHARE), tuple(rows), frozenset({len(rows) - 1} if rows else ()), note)


def sources(statement: Statement) -> Table:
    """Every source with its category."""
    found = {line.source: line.category for line in statement.methods}
    columns = (TITLE, Column(Text("类别", "No."), width=8), EMISSIONS, SHARE)
    rows: list[tuple[Value, ...]] = [
        (line.title, found.get(line.key, ""), line.emissions_gco2e, line.share_fraction) for line in statement.sources
    ]
    title = Text("按排放源", "By source")
    if not rows:
        return Table("sources", title, columns, (), note=NOT_PROVIDED)
    rows.append((Text("合计", "Total"), "", statement.total_gco2e, 1.0 if statement.total_gco2e else None))
    return Table("sources", title, columns, tuple(rows), frozenset({len(rows) - 1}))


def cross(key: str, title: Text, statement: Statement, table: tuple[Sequence[Line], Sequence[Cell]]) -> Table:
    """Lines by category with the total below, as far as the cells are known; the lines alone without cells."""
    lines, cells = table
    if not cells:
        return split(key, title, lines, statement.total_gco2e)
    amounts = {(cell.row, cell.column): cell.emissions_gco2e for cell in cells}
    present = {cell.column for cell in cells}
    shown = [category for category in statement.categories if category.key in present]
    columns = [
        replace(TITLE, width=17),
        *(Column(_numbered(category), "tonnes", 11) for category in shown),
        replace(EMISSIONS, title=Text("合计", "Total"), width=10),
        replace(SHARE, width=9),
    ]
    rows: list[tuple[Value, ...]] = [
        (
            line.title,
            *(amounts.get((line.key, category.key), 0) for category in shown),
            line.emissions_gco2e,
            line.share_fraction,
        )
        for line in lines
    ]
    sums = [sum(cell.emissions_gco2e for cell in cells if cell.column == category.key) for category in shown]
    rows.append((Text("合计", "Total"), *sums, statement.total_gco2e, 1.0 if statement.total_gco2e else None))
    return Table(key, title, tuple(columns), tuple(rows), frozenset({len(rows) - 1}))


def _numbered(category: CategoryLine) -> Text:
    return Text(f"{category.key}\n{category.title.zh}", f"{category.key}\n{category.title.en}")


def categories(statement: Statement) -> Table:
    """Every category of the standard, the ones not quantified included, with direct and indirect subtotals.

    Categories of the value chain that are quantified stand in a table of their own (`indirect`).
    """
    columns = (
        Column(Text("类别", "No."), width=8),
        Column(Text("名称", "Name"), width=40),
        EMISSIONS,
        SHARE,
        Column(Text("状态与说明", "Status and remark"), width=46),
    )
    rows: list[tuple[Value, ...]] = []
    strong = set()
    listed = [line for line in statement.categories if line.status != "quantified_apart"]
    direct = [line for line in listed if line.scope == 1]
    other = [line for line in listed if line.scope != 1]
    for label, lines in (
        (Text("直接排放小计", "Direct emissions"), direct),
        (Text("间接排放小计", "Indirect emissions"), other),
    ):
        rows += [
            (line.key, line.title, line.emissions_gco2e, line.share_fraction, _category_remark(line)) for line in lines
        ]
        if lines:
            strong.add(len(rows))
            rows.append(("", label, *_subtotal(lines, statement.total_gco2e), ""))
    strong.add(len(rows))
    whole = 1.0 if statement.total_gco2e else None
    rows.append(("", Text("总计", "Total"), statement.total_gco2e, whole, ""))
    apart = len(statement.categories) - len(listed)
    note = Text(
        f"另有 {apart} 个价值链类别已量化，见下表。", f"{apart} categories of the value chain stand in the next table."
    )
    title = Text("按类别", "By category")
    return Table("categories", title, columns, tuple(rows), frozenset(strong), note if apart else None)


def indirect(statement: Statement) -> Table:
    """The categories of the value chain (scope 3; ISO 14064-1 categories 3 to 6) with their own total."""
    title = Text("价值链间接排放（类别 3 至 6）", "Value chain emissions (categories 3 to 6)")
    columns = (
        Column(Text("类别", "No."), width=8),
        Column(Text("名称", "Name"), width=40),
        EMISSIONS,
        SHARE,
        Column(Text("状态与说明", "Status and remark"), width=46),
    )
    if statement.indirect_gco2e is None:
        note = Text("未量化价值链排放。", "Value chain emissions are not quantified.")
        return Table("indirect", title, columns, (), note=note)
    rows: list[tuple[Value, ...]] = [
        (line.key, line.title, line.emissions_gco2e, line.share_fraction, _category_remark(line))
        for line in statement.indirect
    ]
    whole = 1.0 if statement.indirect_gco2e else None
    rows.append(("", Text("价值链合计", "Value chain total"), statement.indirect_gco2e, whole, ""))
    note = Text(
        "与范围一、二合计分列；多用平均因子，不确定性较大。",
        "Beside the total of scopes 1 and 2; mostly average factors, of larger uncertainty.",
    )
    return Table("indirect", title, columns, tuple(rows), frozenset({len(rows) - 1}), note)


def _category_remark(line: CategoryLine) -> Text:
    status = STATUS[line.status]
    if line.reason is None:
        return status
    return Text(f"{status.zh}：{line.reason.zh}", f"{status.en}: {line.reason.en}")


def _subtotal(lines: Sequence[CategoryLine], total_gco2e: int) -> tuple[int, float | None]:
    part = sum(line.emissions_gco2e or 0 for line in lines)
    return part, part / total_gco2e if total_gco2e else None


def gases(statement: Statement) -> Table:
    """Direct and indirect emissions by gas, in the order of the standard; a gas that does not occur stands with 0."""
    columns = (
        Column(Text("气体", "Gas"), width=30),
        Column(Text("气体质量 (kg)", "Mass of gas (kg)"), "quantity", 16),
        Column(Text("直接 (tCO₂e)", "Direct (tCO₂e)"), "tonnes", 14),
        Column(Text("间接 (tCO₂e)", "Indirect (tCO₂e)"), "tonnes", 14),
        Column(Text("合计 (tCO₂e)", "Total (tCO₂e)"), "tonnes", 14),
    )
    rows: list[tuple[Value, ...]] = []
    families = [*GASES, *dict.fromkeys(family(line.gas) for line in statement.gases if family(line.gas) not in GASES)]
    for name in families:
        lines = [line for line in statement.gases if family(line.gas) == name]
        title = GASES.get(name, Text(name, name))
        alone = len(lines) == 1 and lines[0].gas == name
        rows.append((title, lines[0].mass_kg if alone else None, *_parts(lines)))
        if not alone:
            rows += [(_inside(line.title), line.mass_kg, *_parts([line])) for line in lines]
    rows.append((Text("合计", "Total"), "", *_parts(statement.gases)))
    return Table("gases", Text("按气体", "By gas"), columns, tuple(rows), frozenset({len(rows) - 1}))


def family(gas: str) -> str:
    """Return the line of the standard that a gas belongs to.

    Examples
    --------
    >>> family("HFC-134a"), family("CF4"), family("CH4")
    ('HFCs', 'PFCs', 'CH4')
    """
    if gas.startswith("HFC-"):
        return "HFCs"
    return "PFCs" if gas.startswith("PFC-") or PERFLUOROCARBON.fullmatch(gas) else gas


def _parts(lines: Sequence[GasLine]) -> tuple[int, int, int]:
    direct, indirect = sum(line.direct_gco2e for line in lines), sum(line.indirect_gco2e for line in lines)
    return direct, indirect, direct + indirect


def _inside(title: Text) -> Text:
    return Text(f"　其中 {title.zh}", f"　of which {title.en}")


def electricity(statement: Statement) -> Table:
    """The total under each electricity regime, side by side."""
    columns = (
        Column(Text("口径", "Regime"), width=18),
        Column(Text("输入能源 (tCO₂e)", "Imported energy (tCO₂e)"), "tonnes", 18),
        Column(Text("总量 (tCO₂e)", "Total (tCO₂e)"), "tonnes", 16),
        Column(Text("说明", "Remark"), width=50),
    )
    rows = tuple((line.title, line.electricity_gco2e, line.total_gco2e, line.note or "") for line in statement.regimes)
    strong = frozenset(place for place, line in enumerate(statement.regimes) if line.key == statement.regime)
    return Table("electricity", Text("电力口径", "Electricity regimes"), columns, rows, strong)


def apart(statement: Statement) -> Table:
    """What is reported apart from the total, in tonnes of the gas or of CO2e."""
    columns = (
        Column(Text("项目", "Item"), width=34),
        Column(Text("数量 (t)", "Amount (t)"), "tonnes", 14),
        Column(Text("单位", "Unit"), "unit", 10),
        Column(Text("说明", "Remark"), width=44),
    )
    rows = tuple((line.title, line.amount_g, line.unit, line.note or "") for line in statement.apart)
    absent = Text("账册中没有此类记录。", "The book holds no such record.")
    return Table("apart", Text("单独列示", "Reported apart"), columns, rows, note=None if rows else absent)


def removals(statement: Statement) -> Table:
    """Direct removals, when quantified."""
    columns = (TITLE, Column(Text("清除量 (tCO₂e)", "Removals (tCO₂e)"), "tonnes", 16))
    if statement.removals_gco2e is None:
        note = Text("未量化直接清除。", "Direct removals are not quantified.")
        return Table("removals", Text("直接清除", "Direct removals"), columns, (), note=note)
    rows = ((Text("直接清除", "Direct removals"), statement.removals_gco2e),)
    return Table("removals", Text("直接清除", "Direct removals"), columns, rows)


def intensity(statement: Statement) -> Table:
    """Emissions per unit of output."""
    columns = (
        Column(Text("指标", "Indicator"), width=34),
        Column(Text("数值", "Value"), "number", 14),
        Column(Text("单位", "Unit"), "unit", 18),
        Column(Text("分母", "Denominator"), "quantity", 18),
        Column(Text("分母单位", "Unit"), "unit", 12),
    )
    rows = tuple(
        (line.title, float(f"{line.value:.4g}"), line.unit, line.denominator, line.denominator_unit)
        for line in statement.intensities
    )
    absent = Text(
        "未录入产量、产值或能耗，无法给出强度。", "No output, value or energy is booked; no intensity can be given."
    )
    return Table("intensity", Text("排放强度", "Emission intensity"), columns, rows, note=None if rows else absent)


def energy(statement: Statement) -> Table:
    """Comprehensive energy consumption by carrier, calorific value; the equivalent value stands apart."""
    columns = (
        Column(Text("能源", "Energy"), width=30),
        Column(Text("消耗量", "Consumption"), "quantity", 18),
        Column(Text("单位", "Unit"), "unit", 10),
        Column(Text("当量值 (tce)", "Calorific value (tce)"), "decimal", 16),
    )
    title = Text("综合能耗", "Comprehensive energy consumption")
    if statement.energy is None:
        return Table("energy", title, columns, (), note=Text("未计算综合能耗。", "Energy consumption is not computed."))
    rows: list[tuple[Value, ...]] = [
        (line.title, line.quantity, line.unit, line.calorific_tce) for line in statement.energy.lines
    ]
    rows.append((Text("合计", "Total"), "", "", statement.energy.calorific_tce))
    equivalent = statement.energy.equivalent_tce
    note = Text(
        f"等价值 {number(equivalent, 7)} tce，单独列示，不与当量值混用。"
        if equivalent is not None
        else "等价值未计算。",
        f"Equivalent value {number(equivalent, 7)} tce, stated apart and never mixed with the calorific value."
        if equivalent is not None
        else "The equivalent value is not computed.",
    )
    return Table("energy", title, columns, tuple(rows), frozenset({len(rows) - 1}), note)
