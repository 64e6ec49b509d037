"""What the figures stand on: methods, activity data, data quality, uncertainty, factors, GWP."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.reporting.figures import percent
from zerofactory.reporting.statement import Statement
from zerofactory.reporting.table import NOT_PROVIDED, Column, Table, Value, fact_table

EMISSIONS = Column(Text("排放量 (tCO₂e)", "Emissions (tCO₂e)"), "tonnes", 14)
TIERS = {
    "metered": Text("计量", "metered"),
    "invoiced": Text("票据", "invoiced"),
    "estimated": Text("估算", "estimated"),
}
PROVENANCE = {"verified": Text("已核对原文", "verified"), "expert": Text("专家值", "expert")}
CONFIDENCE = {"high": Text("高", "high"), "medium": Text("中", "medium"), "low": Text("低", "low")}


def methods(statement: Statement) -> Table:
    """How each source is quantified and why so."""
    columns = (
        Column(Text("排放源", "Source"), width=24),
        Column(Text("类别", "Category"), width=11),
        Column(Text("方法", "Method"), width=46),
        Column(Text("选择理由", "Reason"), width=30),
        Column(Text("依据", "Reference"), width=26),
    )
    rows = tuple(
        (line.title, line.category, line.method, line.reason or "", line.reference or "") for line in statement.methods
    )
    return Table("methods", Text("量化方法", "Methods"), columns, rows, note=None if rows else NOT_PROVIDED)


def method_changes(statement: Statement) -> Table:
    """Changes of method against the previous report."""
    stated = statement.method_changes or Text("未申报方法变更。", "No change of method has been declared.")
    return fact_table("method_changes", Text("方法变更", "Changes of method"), ((Text("变更", "Changes"), stated),))


def activities(statement: Statement) -> Table:
    """The activity data of the period, summed by source and item."""
    columns = (
        Column(Text("排放源", "Source"), width=26),
        Column(Text("车间", "Shop"), width=12),
        Column(Text("品种", "Item"), width=18),
        Column(Text("数量", "Quantity"), "quantity", 16),
        Column(Text("单位", "Unit"), width=9),
        Column(Text("来源", "Tier"), width=9),
        Column(Text("估算占比", "Estimated"), "share", 12),
        Column(Text("行数", "Rows"), "count", 8),
        EMISSIONS,
    )
    rows = tuple(
        (
            line.title,
            line.shop or "—",
            line.item or "—",
            line.quantity,
            line.unit,
            TIERS.get(line.tier, line.tier),
            line.estimated_fraction,
            line.rows_count,
            line.emissions_gco2e,
        )
        for line in statement.activities
    )
    return Table("activities", Text("活动数据", "Activity data"), columns, rows, note=None if rows else NOT_PROVIDED)


def quality(statement: Statement) -> Table:
    """The figures of data quality, and remarks."""
    facts = statement.quality
    rows: list[tuple[Text, Text | str | None]] = [
        (Text("数据完整率", "Completeness of readings"), _share_or_none(facts.completeness_fraction)),
        (Text("自动采集率", "Share collected automatically"), _share_or_none(facts.automatic_fraction)),
        (Text("估算数据所占排放", "Emissions from estimated data"), _share_or_none(facts.estimated_fraction)),
    ]
    rows += [(Text("说明", "Remark"), note) for note in facts.notes]
    return fact_table("quality", Text("数据质量指标", "Indicators of data quality"), rows)


def _share_or_none(fraction: float | None) -> str | None:
    return None if fraction is None else percent(fraction, 2)


def closures(statement: Statement) -> Table:
    """Parent meters against the sum of their children."""
    columns = (
        Column(Text("上级表计", "Parent meter"), width=30),
        Column(Text("上级量", "Parent"), "quantity", 16),
        Column(Text("下级合计", "Sum of children"), "quantity", 16),
        Column(Text("单位", "Unit"), width=8),
        Column(Text("不平衡率", "Difference"), "share", 11),
        Column(Text("判定", "Verdict"), width=10),
    )
    within, beyond = Text("合格", "within"), Text("超差", "beyond")
    rows = tuple(
        (
            Text(f"{row.title.zh}({row.meter})", f"{row.title.en} ({row.meter})"),
            row.parent_amount,
            row.children_amount,
            row.unit,
            row.error_fraction,
            within if row.within_tolerance else beyond,
        )
        for row in statement.quality.closures
    )
    absent = Text("无计量树平衡数据。", "No balance of the meter tree is given.")
    return Table(
        "closures", Text("计量树平衡", "Balance of the meter tree"), columns, rows, note=None if rows else absent
    )


def gaps(statement: Statement) -> Table:
    """Stretches without readings and how each was filled."""
    columns = (
        Column(Text("表计", "Meter"), width=28),
        Column(Text("开始", "From"), "moment", 21),
        Column(Text("结束", "To"), "moment", 21),
        Column(Text("填补量", "Filled"), "quantity", 12),
        Column(Text("单位", "Unit"), width=8),
        Column(Text("填补方法", "Method of filling"), width=34),
    )
    rows = tuple(
        (
            Text(f"{row.title.zh}({row.meter})", f"{row.title.en} ({row.meter})"),
            row.started_at,
            row.ended_at,
            row.amount,
            row.unit or "",
            row.method,
        )
        for row in statement.quality.gaps
    )
    absent = Text("报告期内没有缺失读数。", "No readings are missing in the period.")
    if statement.quality.completeness_fraction is None:
        absent = NOT_PROVIDED
    return Table(
        "gaps", Text("缺失与填补", "Gaps and how they were filled"), columns, rows, note=None if rows else absent
    )


def uncertainty(statement: Statement) -> Table:
    """Half-width of the 95 % interval per category and in total."""
    columns = (
        Column(Text("类别", "No."), width=8),
        Column(Text("名称", "Name"), width=36),
        EMISSIONS,
        Column(Text("不确定性 (95 %)", "Uncertainty (95 %)"), "half_width", 16),
        Column(Text("说明", "Remark"), width=34),
    )
    title = Text("不确定性", "Uncertainty")
    assessed = statement.uncertainty
    if assessed is None:
        return Table(
            "uncertainty", title, columns, (), note=Text("未评估不确定性。", "Uncertainty has not been assessed.")
        )
    rows: list[tuple[Value, ...]] = [
        (line.key, line.title, line.emissions_gco2e, line.half_width_fraction, line.note or "")
        for line in assessed.lines
    ]
    rows.append(("", Text("总计", "Total"), statement.total_gco2e, assessed.total_half_width_fraction, ""))
    return Table("uncertainty", title, columns, tuple(rows), frozenset({len(rows) - 1}), assessed.method)


def factors(statement: Statement) -> Table:
    """Every factor used, with where it was read, how far it is trusted and why it was chosen."""
    columns = (
        Column(Text("因子", "Factor"), width=30),
        Column(Text("编号", "Id"), "code", 28),
        Column(Text("数值", "Value"), "number", 12),
        Column(Text("单位", "Unit"), width=15),
        Column(Text("来源与版本", "Source and edition"), width=34),
        Column(Text("核对", "Provenance"), width=14),
        Column(Text("可信度", "Confidence"), width=13),
        Column(Text("选用理由", "Why chosen"), width=40),
    )
    rows = tuple(
        (
            Text(f"{line.title.zh}{_gas(line.gas)}", f"{line.title.en}{_gas(line.gas)}"),
            line.id,
            line.value,
            line.unit,
            " · ".join(dict.fromkeys(filter(None, (line.source, line.edition, line.source_ref)))),
            PROVENANCE.get(line.provenance, line.provenance),
            CONFIDENCE.get(line.confidence, line.confidence),
            line.reason,
        )
        for line in statement.factors
    )
    return Table("factors", Text("排放因子", "Emission factors"), columns, rows, note=None if rows else NOT_PROVIDED)


def _gas(gas: str | None) -> str:
    return f" · {gas}" if gas else ""


def gwp(statement: Statement) -> Table:
    """The global warming potentials used (100 years)."""
    columns = (
        Column(Text("气体", "Gas"), width=22),
        Column(Text("GWP-100", "GWP-100"), "number", 12),
        Column(Text("版本", "Set"), width=10),
        Column(Text("来源", "Source"), width=50),
        Column(Text("核对", "Provenance"), width=14),
    )
    rows = tuple(
        (line.gas, line.value, line.gwp_set, line.source, PROVENANCE.get(line.provenance, line.provenance))
        for line in statement.gwps
    )
    note = statement.gwp_reason if rows else NOT_PROVIDED
    return Table("gwp", Text("全球变暖潜势", "Global warming potentials"), columns, rows, note=note)
