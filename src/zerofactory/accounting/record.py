"""RECORDS: an activity and a gas, with the factor, the reason for it, and the emission in whole grams of CO2e.

`recompute` quantifies the activities again and names every record that does not come out the same.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from zerofactory.errors import Problem, Text
from zerofactory.tables import Column, TableSchema

if TYPE_CHECKING:
    import polars as pl

    from zerofactory.factors.model import FactorBook
    from zerofactory.site.model import Plant

REGIMES = ("any", "location", "market_annual")


def _text(name: str, zh: str, en: str, *, nullable: bool = False, choices: tuple[str, ...] = ()) -> Column:
    return Column(name, "text", Text(zh, en), nullable=nullable, choices=choices)


RECORDS = TableSchema(
    name="records",
    title=Text("排放记录", "Emission records"),
    columns=(
        _text("record_id", "编号", "id"),
        _text("activity_id", "活动数据编号", "activity"),
        _text("source_id", "排放源", "source"),
        _text("source_kind", "排放源种类", "kind of source"),
        _text("shop", "车间", "shop"),
        _text("period", "期间", "period"),
        Column("started_at", "moment", Text("开始", "start")),
        Column("ended_at", "moment", Text("结束", "end"), note=Text("不含", "not included")),
        _text("item", "品种", "item", nullable=True),
        Column("quantity", "number", Text("数量", "quantity")),
        _text("unit", "单位", "unit"),
        _text("tier", "数据来源", "data source", choices=("metered", "invoiced", "estimated")),
        Column("estimated_fraction", "number", Text("估算比例", "estimated share"), minimum=0.0, maximum=1.0),
        _text("method", "方法", "method"),
        _text("regime", "口径", "claim regime", choices=REGIMES),
        _text("factor_id", "因子", "factor"),
        Column("factor_value", "number", Text("因子值", "value of the factor")),
        _text("factor_unit", "因子单位", "unit of the factor"),
        _text("gas", "气体", "gas"),
        Column("biogenic", "flag", Text("生物质二氧化碳", "biogenic CO2")),
        Column("kyoto", "flag", Text("京都气体", "in the Kyoto basket")),
        _text("gwp_set", "GWP来源", "GWP set"),
        Column("gwp", "number", Text("GWP值", "GWP"), unit="kgCO2e/kg", minimum=0.0),
        Column("emissions_gco2e", "integer", Text("排放量", "emissions"), unit="gCO2e"),
        Column(
            "scope", "integer", Text("范围", "scope"), minimum=0, maximum=3, note=Text("0 为清单之外", "0 = outside")
        ),
        _text("category", "类别(ISO 14064-1)", "category (ISO 14064-1)", nullable=True),
        Column(
            "uncertainty_fraction", "number", Text("不确定度(95%半宽)", "uncertainty (95 % half-width)"), minimum=0.0
        ),
        _text("reason", "因子选择理由(JSON)", "why this factor (JSON)"),
        _text("reverses", "冲销的记录", "record it reverses", nullable=True),
    ),
    key=("record_id",),
)


def recompute(
    records: pl.DataFrame, activities: pl.DataFrame, plant: Plant, book: FactorBook, known_at: date | None = None
) -> list[Problem]:
    """Quantify again and return a problem for every record that is missing, unknown or different.

    ``records`` may hold reversals (``reverses`` set): each must undo an existing record exactly. A record that is reversed
    is no longer expected.
    """
    import polars as pl

    from zerofactory.accounting.quantify import quantify

    reversals = records.filter(pl.col("reverses").is_not_null())
    standing = records.filter(pl.col("reverses").is_null())
    problems = _unbalanced(reversals, standing)
    undone = reversals["reverses"].unique()
    standing = standing.filter(~pl.col("record_id").is_in(undone.implode()))
    again = quantify(activities, plant, book, known_at=known_at)
    problems += [problem for problem in again.problems if problem.severity == "error"]
    return problems + _differences(standing, again.records.filter(~pl.col("record_id").is_in(undone.implode())))


def _unbalanced(reversals: pl.DataFrame, standing: pl.DataFrame) -> list[Problem]:
    """Return a problem for every reversal that does not undo a record exactly."""
    import polars as pl

    pairs = reversals.select("record_id", "reverses", "emissions_gco2e").join(
        standing.select("record_id", pl.col("emissions_gco2e").alias("booked")),
        left_on="reverses", right_on="record_id", how="left",
    )  # fmt: skip
    wrong = pairs.filter(pl.col("booked").is_null() | (pl.col("booked") + pl.col("emissions_gco2e") != 0))
    return [
        _broken(name, Text("冲销与原记录不相抵。", "The reversal does not undo its record."))
        for name in wrong["record_id"].sort()
    ]


def _differences(stored: pl.DataFrame, computed: pl.DataFrame) -> list[Problem]:
    import polars as pl

    names = [name for name in RECORDS.names if name != "record_id"]
    both = stored.join(computed, on="record_id", how="full", suffix="_again", coalesce=True).sort("record_id")
    in_both = pl.col("activity_id").is_not_null() & pl.col("activity_id_again").is_not_null()
    problems = [
        _broken(name, Text("重算得不到此记录。", "Recomputing does not give this record."))
        for name in both.filter(pl.col("activity_id_again").is_null())["record_id"]
    ]
    problems += [
        _broken(
            name, Text("重算得到此记录, 但账簿中没有。", "Recomputing gives this record, the book does not have it.")
        )
        for name in both.filter(pl.col("activity_id").is_null())["record_id"]
    ]
    for name in names:
        wrong = both.filter(in_both & pl.col(name).ne_missing(pl.col(f"{name}_again")))
        for row in wrong.select("record_id", name, f"{name}_again").iter_rows():
            said = Text(f"“{name}”账簿为 {row[1]}, 重算为 {row[2]}。", f"'{name}' is {row[1]}, recomputed {row[2]}.")
            problems.append(_broken(row[0], said, column=name))
    return problems


def _broken(record_id: str, said: Text, column: str | None = None) -> Problem:
    return Problem(
        code="accounting.record_differs",
        message=Text(f"记录 {record_id}: {said.zh}", f"Record {record_id}: {said.en}"),
        hint=Text(
            "记录被改动, 或因子、方法已变; 请核对后以修订入账。",
            "It was changed, or a factor or method was; book a revision.",
        ),
        column=column,
    )
