"""CEA (全国碳市场配额): export of an account of the national ETS registry. Allowances serve compliance and nothing else."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.instruments.registry import FormColumn, Registry
from zerofactory.instruments.serial import SerialForm

REGISTRY = Registry(
    id="cea",
    title=Text("全国碳排放权注册登记系统", "national ETS registry"),
    kind="cea",
    columns=(
        FormColumn("serial_first", ("起始编号", "first serial"), needed=True),
        FormColumn("serial_last", ("终止编号", "last serial")),
        FormColumn("amount", ("配额数量", "数量", "数量(tCO2)", "quantity"), needed=True),
        FormColumn("vintage", ("配额年度", "年度", "履约年度", "vintage"), needed=True),
        FormColumn("project_id", ("配额代码", "品种代码", "product code"), needed=True),
        FormColumn("project_name", ("配额名称", "name")),
        FormColumn("beneficiary", ("账户名称", "持有方", "account holder")),
        FormColumn("status", ("状态", "status")),
        FormColumn("acquired_on", ("取得日期", "分配日期", "acquired on")),
        FormColumn("counterparty", ("交易对手", "seller")),
        FormColumn("price_cny", ("单价(元)", "单价", "unit price")),
        FormColumn("currency", ("币种", "currency")),
        FormColumn("retired_on", ("清缴日期", "注销日期", "retired on")),
        FormColumn("retirement_id", ("清缴凭证号", "注销凭证号", "retirement id")),
    ),
    serial=SerialForm(),
    reference="生态环境部《碳排放权交易管理办法(试行)》(2021-02-01); 碳排放权登记管理规则(试行)",
    status="placeholder",
    note=Text("登记系统是否给出逐个编号未核实; 汽车厂尚未纳入。", "Whether the registry numbers each allowance is unconfirmed; car plants are not covered."),
    market="CN",
)  # fmt: skip
