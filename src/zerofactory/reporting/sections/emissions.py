"""The total and how it splits: category, gas, regime, shop, source, month; intensity and energy."""

from __future__ import annotations

from collections.abc import Sequence

from zerofactory.errors import Text
from zerofactory.reporting.figures import number
from zerofactory.reporting.statement import CategoryLine, Cell, Line, Statement
from zerofactory.reporting.table import NOT_PROVIDED, Column, Table, Value

TITLE = Column(Text("名称", "Name"), width=34)
EMISSIONS = Column(Text("排放量 (tCO₂e)", "Emissions (tCO₂e)"), "tonnes", 14)
SHARE = Column(Text("占比", "Share"), "share", 11)
STATUS = {
    "quantified": Text("已量化", "quantified"),
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


def cross(key: str, title: Text, statement: Statement, table: tuple[Sequence[Line], Sequence[Cell]]) -> Table:
    """Lines by category, as far as the cells are known."""
    lines, cells = table
    amounts = {(cell.row, cell.column): cell.emissions_gco2e for cell in cells}
    present = {cell.column for cell in cells}
    shown = [category for category in statement.categories if category.key in present]
    columns = [TITLE, *(Column(_numbered(category), "tonnes", 14) for category in shown), EMISSIONS]
    rows: list[tuple[Value, ...]] = [
        (line.title, *(amounts.get((line.key, category.key), 0) for category in shown), line.emissions_gco2e)
        for line in lines
        if cells
    ]
    return Table(key, title, tuple(columns), tuple(rows), note=None if rows else NOT_PROVIDED)


def _numbered(category: CategoryLine) -> Text:
    return Text(f"{category.key} {category.title.zh}", f"{category.key} {category.title.en}")


def categories(statement: Statement) -> Table:
    """Every category of the standard, the ones not quantified included, with direct and indirect subtotals."""
    columns = (
        Column(Text("类别", "No."), width=8),
        Column(Text("名称", "Name"), width=38),
        EMISSIONS,
        SHARE,
        Column(Text("状态与说明", "Status and remark"), width=40),
    )
    rows: list[tuple[Value, ...]] = []
    strong = set()
    direct = [line for line in statement.categories if line.scope == 1]
    other = [line for line in statement.categories if line.scope != 1]
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
    return Table("categories", Text("按类别", "By category"), columns, tuple(rows), frozenset(strong))


def _category_remark(line: CategoryLine) -> Text:
    status = STATUS[line.status]
    if line.reason is None:
        return status
    return Text(f"{status.zh}：{line.reason.zh}", f"{status.en}: {line.reason.en}")


def _subtotal(lines: Sequence[CategoryLine], total_gco2e: int) -> tuple[int, float | None]:
    part = sum(line.emissions_gco2e or 0 for line in lines)
    return part, part / total_gco2e if total_gco2e else None


def gases(statement: Statement) -> Table:
    """Direct and indirect emissions by gas."""
    columns = (
        Column(Text("气体", "Gas"), width=18),
        Column(Text("气体质量 (kg)", "Mass of gas (kg)"), "quantity", 16),
        Column(Text("直接 (tCO₂e)", "Direct (tCO₂e)"), "tonnes", 14),
        Column(Text("间接 (tCO₂e)", "Indirect (tCO₂e)"), "tonnes", 14),
        Column(Text("合计 (tCO₂e)", "Total (tCO₂e)"), "tonnes", 14),
    )
    rows: list[tuple[Value, ...]] = [
        (line.title, line.mass_kg, line.direct_gco2e, line.indirect_gco2e, line.emissions_gco2e)
        for line in statement.gases
    ]
    direct = sum(line.direct_gco2e for line in statement.gases)
    indirect = sum(line.indirect_gco2e for line in statement.gases)
    rows.append((Text("合计", "Total"), "", direct, indirect, direct + indirect))
    return Table("gases", Text("按气体", "By gas"), columns, tuple(rows), frozenset({len(rows) - 1}))


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
        Column(Text("单位", "Unit"), width=10),
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
        Column(Text("单位", "Unit"), width=18),
        Column(Text("分母", "Denominator"), "quantity", 18),
        Column(Text("分母单位", "Unit"), width=12),
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
        Column(Text("单位", "Unit"), width=10),
        Column(Text("当量值 (tce)", "Calorific value (tce)"), "quantity", 16),
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
