"""Tree planting: the plant's own list of monitored plots. Reported as a removal, never an offset (rule ``inst.tree``)."""

from __future__ import annotations

from types import MappingProxyType

from zerofactory.errors import Text
from zerofactory.instruments.registry import FormColumn, Registry
from zerofactory.instruments.serial import SerialForm

REGISTRY = Registry(
    id="tree_planting",
    title=Text("自有林木台账", "own list of trees"),
    kind="tree",
    columns=(
        FormColumn("serial_first", ("起始编号", "单位编号", "first serial"), needed=True),
        FormColumn("serial_last", ("终止编号", "last serial")),
        FormColumn("amount", ("固碳量(tCO2e)", "数量", "quantity"), needed=True),
        FormColumn("vintage", ("监测年度", "年份", "vintage"), needed=True),
        FormColumn("project_id", ("地块编号", "plot"), needed=True),
        FormColumn("project_name", ("地块名称", "name")),
        FormColumn("project_type", ("树种", "species")),
        FormColumn("methodology", ("监测方法", "methodology")),
        FormColumn("beneficiary", ("所有者", "owner")),
        FormColumn("site", ("厂区", "site")),
        FormColumn("price_cny", ("单位成本(元)", "unit cost")),
        FormColumn("currency", ("币种", "currency")),
    ),
    serial=SerialForm(),
    reference="own form; growth by accounting.forestry (ISO 14064-1:2018, 5.2.3)",
    status="placeholder",
    note=Text("自有表格, 单位为已监测的 1 tCO2e。", "Our own form; a unit is 1 tCO2e that was monitored."),
    market="CN",
    settled=MappingProxyType({"removal": True, "tradable": False}),
)  # fmt: skip
