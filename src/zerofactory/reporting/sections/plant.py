"""Who reports, inside which boundary, against which base year, verified by whom and sealed how."""

from __future__ import annotations

from zerofactory.errors import Language, Text
from zerofactory.reporting.figures import percent, tonnes
from zerofactory.reporting.statement import StandardFacts, Statement
from zerofactory.reporting.table import NOT_PROVIDED, Column, Table, fact_table

LANGUAGES: tuple[Language, Language] = ("zh", "en")
SET_STATUS = {
    "verified": Text("已核实", "verified"),
    "secondary": Text("二手来源", "secondary source"),
    "placeholder": Text("占位，待核实", "placeholder"),
}


def organisation(statement: Statement) -> Table:
    """Who reports, on what period, under which standard."""
    facts, period = statement.organisation, statement.period
    days = f"{period.first_day.isoformat()} – {period.last_day.isoformat()}"
    rules = statement.standard
    standard = Text(*(_rule_book(rules, language) for language in LANGUAGES))
    return fact_table(
        "organisation",
        Text("报告组织", "Reporting organisation"),
        (
            (Text("组织", "Organisation"), facts.name),
            (Text("工厂", "Plant"), facts.plant),
            (Text("法人单位", "Legal entity"), facts.legal_entity),
            (Text("统一社会信用代码", "Unified social credit code"), facts.credit_code),
            (Text("地址", "Address"), facts.address),
            (Text("所在地区", "Region"), facts.region),
            (Text("行业", "Industry"), facts.industry),
            (Text("负责人", "Person responsible"), facts.responsible),
            (Text("报告期", "Reporting period"), Text(f"{period.label}（{days}）", f"{period.label} ({days})")),
            (Text("报告频次", "Frequency of reporting"), period.frequency),
            (Text("编制依据", "Standard"), standard),
            (Text("报告日期", "Date of report"), statement.issued_on.isoformat()),
        ),
    )


def _rule_book(rules: StandardFacts, language: Language) -> str:
    """Return title, publisher and edition of the rule book; what the title says already is left out."""
    title = rules.title.in_language(language)
    publisher = rules.publisher.in_language(language) if isinstance(rules.publisher, Text) else rules.publisher
    return " · ".join([title, *(part for part in (publisher, rules.edition) if part and part not in title)])


def organisational_boundary(statement: Statement) -> Table:
    """Consolidation approach and what belongs to the organisation."""
    facts = statement.boundary
    rows: list[tuple[Text, Text | str | None]] = [(Text("合并方法", "Consolidation approach"), facts.consolidation)]
    if facts.equity_share_fraction is not None:
        rows.append((Text("股权比例", "Equity share"), percent(facts.equity_share_fraction)))
    rows.append((Text("边界描述", "Description"), facts.description))
    shops = [title for _key, title in facts.shops]
    inside = Text("、".join(title.zh for title in shops), ", ".join(title.en for title in shops)) if shops else None
    rows.append((Text("车间", "Shops"), inside))
    return fact_table("organisational_boundary", Text("组织边界", "Organisational boundary"), rows)


def reporting_boundary(statement: Statement) -> Table:
    """Systems inside the boundary and how significance was judged."""
    facts = statement.boundary
    return fact_table(
        "reporting_boundary",
        Text("报告边界", "Reporting boundary"),
        (
            (Text("纳入的系统", "Systems inside"), facts.systems),
            (Text("间接排放重要性准则", "Significance criteria for indirect emissions"), facts.significance),
        ),
    )


def exclusions(statement: Statement) -> Table:
    """What is left out and why."""
    columns = (
        Column(Text("排除项", "Excluded"), width=30),
        Column(Text("理由", "Reason"), width=60),
        Column(Text("估计占比", "Estimated share"), "share", 12),
    )
    rows = tuple((row.what, row.reason, row.share_fraction) for row in statement.boundary.exclusions)
    note = None if rows else Text("未申报排除项。", "No exclusion has been declared.")
    return Table("exclusions", Text("排除项", "Exclusions"), columns, rows, note=note)


def base_year(statement: Statement) -> Table:
    """The base year, or plainly that there is none yet."""
    title = Text("基准年", "Base year")
    facts = statement.base_year
    if facts is None:
        return fact_table("base_year", title, ((title, Text("尚未设定基准年。", "No base year has been set.")),))
    first = facts.year == statement.period.first_day.year
    year = Text(f"{facts.year}（首次报告年）", f"{facts.year} (first reporting year)") if first else str(facts.year)
    total = None if facts.total_gco2e is None else f"{tonnes(facts.total_gco2e)} tCO₂e"
    return fact_table(
        "base_year",
        title,
        (
            (title, year),
            (Text("基准年排放总量", "Total of the base year"), total),
            (Text("重算政策", "Recalculation policy"), facts.policy),
            (Text("变更与重算", "Change or recalculation"), facts.recalculation),
        ),
    )


def verification(statement: Statement) -> Table:
    """Conformity as stated by the organisation and verification by a third party, or plainly that there is none."""
    facts = statement.verification
    conformity = statement.conformity or Text(
        "组织尚未作出符合性声明。", "The organisation has not yet made a statement of conformity."
    )
    rows: list[tuple[Text, Text | str | None]] = [(Text("符合性声明", "Statement of conformity"), conformity)]
    if facts is None:
        rows.append((Text("核查状态", "Verification"), Text("未经第三方核查。", "Not verified by a third party.")))
    else:
        rows += [
            (Text("核查机构", "Verifier"), facts.verifier),
            (Text("保证等级", "Level of assurance"), facts.level),
            (Text("核查日期", "Date"), facts.date.isoformat()),
            (Text("核查声明编号", "Reference of the statement"), facts.reference),
        ]
    return fact_table("verification", Text("符合性与核查", "Conformity and verification"), rows)


def production(statement: Statement) -> Table:
    """What the report was made from."""
    made = statement.production
    return fact_table(
        "production",
        Text("生成依据", "Made from"),
        (
            (Text("账册链首哈希", "Head hash of the book"), made.book_head_hash),
            (Text("记录条数", "Records"), f"{made.records_count:,}"),
            (Text("程序版本", "Program version"), made.code_version),
            (Text("排放总量 (gCO₂e)", "Total (gCO₂e)"), f"{statement.total_gco2e:,}"),
        ),
    )


def seals(statement: Statement) -> Table:
    """The sealed months and their hashes."""
    columns = (
        Column(Text("期间", "Period"), width=9),
        Column(Text("记录条数", "Records"), "count", 10),
        Column(Text("封账时间", "Sealed at"), "moment", 17),
        Column(Text("哈希 (SHA-256)", "Hash (SHA-256)"), "code", 68),
    )
    rows = tuple(
        (seal.period, seal.records_count, seal.sealed_at, seal.head_hash) for seal in statement.production.seals
    )
    absent = Text("本期间尚未封账，数字可能变化。", "The period is not sealed; figures may still change.")
    return Table("seals", Text("封账", "Seals"), columns, rows, note=None if rows else absent)


def factor_sets(statement: Statement) -> Table:
    """The factor sets with their editions."""
    columns = (
        Column(Text("因子集", "Factor set"), width=50),
        Column(Text("编号", "Id"), "code", 30),
        Column(Text("版本", "Edition"), width=46),
        Column(Text("状态", "Status"), width=16),
    )
    rows = tuple(
        (line.title, line.id, line.edition, SET_STATUS.get(line.status, line.status))
        for line in statement.production.factor_sets
    )
    return Table("factor_sets", Text("因子集", "Factor sets"), columns, rows, note=None if rows else NOT_PROVIDED)
