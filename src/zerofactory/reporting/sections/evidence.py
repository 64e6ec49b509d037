"""What the figures stand on: methods, activity data, data quality, uncertainty."""

from __future__ import annotations

from collections.abc import Sequence

from zerofactory.errors import Language, Text
from zerofactory.reporting.figures import percent, unit_title
from zerofactory.reporting.statement import Method, Statement
from zerofactory.reporting.table import NOT_PROVIDED, Column, Table, Value, fact_table

EMISSIONS = Column(Text("排放量 (tCO₂e)", "Emissions (tCO₂e)"), "tonnes", 14)
LANGUAGES: tuple[Language, Language] = ("zh", "en")
TIERS = {
    "metered": Text("计量", "metered"),
    "invoiced": Text("票据", "invoiced"),
    "estimated": Text("估算", "estimated"),
}


def methods(statement: Statement) -> Table:
    """How each kind of source is quantified, for which sources, and why so."""
    columns = (
        Column(Text("类别", "No."), width=7),
        Column(Text("方法", "Method"), width=40),
        Column(Text("排放源", "Sources"), width=44),
        Column(Text("依据与理由", "Reference and reason"), width=60),
    )
    groups: dict[tuple[str, Text | None, Text | None, str | None], list[Method]] = {}
    for line in statement.methods:
        groups.setdefault((line.category, line.kind or line.method, line.reason, line.reference), []).append(line)
    rows = tuple(
        (category, _methods_of(lines), _listed([line.title for line in lines]), _grounds(reference, reason))
        for (category, _kind, reason, reference), lines in groups.items()
    )
    return Table("methods", Text("量化方法", "Methods"), columns, rows, note=None if rows else NOT_PROVIDED)


def _methods_of(lines: Sequence[Method]) -> Text:
    """Return the kind of source and every method of its sources, each once."""
    kind = lines[0].kind
    zh, en = (
        "; ".join(dict.fromkeys(part for line in lines for part in line.method.in_language(language).split("; ")))
        for language in LANGUAGES
    )
    return Text(f"{kind.zh}: {zh}", f"{kind.en}: {en}") if kind else Text(zh, en)


def _listed(titles: Sequence[Text]) -> Text:
    return Text("、".join(title.zh for title in titles), "; ".join(title.en for title in titles))


def _grounds(reference: str | None, reason: Text | None) -> Text | str:
    if reason is None:
        return reference or ""
    start = f"{reference}. " if reference else ""
    return Text(f"{start}{reason.zh}", f"{start}{reason.en}")


def method_changes(statement: Statement) -> Table:
    """Changes of method against the previous report."""
    stated = statement.method_changes or Text("未申报方法变更。", "No change of method has been declared.")
    return fact_table("method_changes", Text("方法变更", "Changes of method"), ((Text("变更", "Changes"), stated),))


def activities(statement: Statement) -> Table:
    """The activity data of the period, summed by source and item."""
    columns = (
        Column(Text("排放源", "Source"), width=28),
        Column(Text("车间", "Shop"), width=15),
        Column(Text("品种", "Item"), width=18),
        Column(Text("数量", "Quantity"), "quantity", 16),
        Column(Text("单位", "Unit"), "unit", 10),
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
            unit_title(line.unit),
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


def remarks(statement: Statement) -> Table:
    """What was noticed about the readings over the period, by kind and meter."""
    columns = (
        Column(Text("种类", "Kind"), width=20),
        Column(Text("表计", "Meter"), width=44),
        Column(Text("月份", "Months"), width=22),
        Column(Text("个数", "Count"), "count", 10),
    )
    rows = tuple((row.kind, row.title, row.months, row.count) for row in statement.quality.remarks)
    absent = Text("没有其他需要说明的读数。", "Nothing else was noticed about the readings.")
    if statement.quality.completeness_fraction is None:
        absent = NOT_PROVIDED
    return Table("remarks", Text("读数说明", "Remarks on readings"), columns, rows, note=None if rows else absent)


def _share_or_none(fraction: float | None) -> str | None:
    return None if fraction is None else percent(fraction, 2)


def closures(statement: Statement) -> Table:
    """Parent meters against the sum of their children."""
    columns = (
        Column(Text("上级表计", "Parent meter"), width=30),
        Column(Text("上级量", "Parent"), "quantity", 16),
        Column(Text("下级合计", "Sum of children"), "quantity", 16),
        Column(Text("单位", "Unit"), "unit", 8),
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
        Column(Text("单位", "Unit"), "unit", 8),
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
    more = statement.quality.gaps_more
    note = Text(f"另有 {more} 处较短的缺失未列出。", f"{more} shorter gaps are not listed.") if more else None
    if not rows:
        note = Text("报告期内没有缺失读数。", "No readings are missing in the period.")
    if statement.quality.completeness_fraction is None:
        note = NOT_PROVIDED
    return Table("gaps", Text("缺失与填补", "Gaps and how they were filled"), columns, rows, note=note)


def uncertainty(statement: Statement) -> Table:
    """Half-width of the 95 % interval per category and in total."""
    columns = (
        Column(Text("类别", "No."), width=8),
        Column(Text("名称", "Name"), width=36),
        EMISSIONS,
        Column(Text("不确定性 (95 %)", "Uncertainty (95 %)"), "half_width", 16),
        Column(Text("95 % 区间(蒙特卡洛, tCO2e)", "95 % interval (Monte Carlo, tCO2e)"), "interval", 26),
        Column(Text("方差占比", "Share of variance"), "share", 12),
        Column(Text("说明", "Remark"), width=20),
    )
    title = Text("不确定性", "Uncertainty")
    assessed = statement.uncertainty
    if assessed is None:
        return Table(
            "uncertainty", title, columns, (), note=Text("未评估不确定性。", "Uncertainty has not been assessed.")
        )
    rows: list[tuple[Value, ...]] = [
        (line.key, line.title, line.emissions_gco2e, line.half_width_fraction, _interval(line.interval_gco2e), line.variance_share,
         line.note or "")
        for line in assessed.lines
    ]  # fmt: skip
    whole = _interval(assessed.total_interval_gco2e)
    rows.append(("", Text("总计", "Total"), statement.total_gco2e, assessed.total_half_width_fraction, whole, None, ""))
    return Table("uncertainty", title, columns, tuple(rows), frozenset({len(rows) - 1}), assessed.method)


def _interval(interval_gco2e: tuple[int, int] | None) -> str:
    """Return an interval in tonnes, nothing when it was not simulated."""
    if interval_gco2e is None:
        return ""
    low, high = interval_gco2e
    return f"{low / 1e6:,.1f} – {high / 1e6:,.1f}"
