"""RECORDS: an activity and a gas, with the factor, the reason for it, and the emission in whole grams of CO2e."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.tables import Column, TableSchema

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
