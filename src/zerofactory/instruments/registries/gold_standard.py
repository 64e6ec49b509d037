"""Gold Standard VER: export of the Impact Registry. The serial ends with the first and last number of its block:

GS1-1-KE-GS7495-16-2025-30645-608-30350      29 743 units of project GS7495, vintage 2025
"""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.instruments.registry import FormColumn, Registry
from zerofactory.instruments.serial import SerialForm

REGISTRY = Registry(
    id="gold_standard",
    title=Text("黄金标准影响力登记系统", "Gold Standard Impact Registry"),
    kind="gs",
    columns=(
        FormColumn("serial_first", ("Serial Number", "Serial Numbers", "编号"), needed=True),
        FormColumn("amount", ("Quantity", "Number of Credits", "数量"), needed=True),
        FormColumn("vintage", ("Vintage", "年份"), needed=True),
        FormColumn("project_id", ("GSID", "Project ID", "项目编号"), needed=True),
        FormColumn("project_name", ("Project Name", "项目名称")),
        FormColumn("project_type", ("Project Type", "项目类型")),
        FormColumn("methodology", ("Methodology", "方法学")),
        FormColumn("market", ("Country", "国家"), needed=True),
        FormColumn("beneficiary", ("Using Entity", "Beneficiary", "受益方")),
        FormColumn("status", ("Status", "状态")),
        FormColumn("retired_on", ("Retirement Date", "注销日期")),
        FormColumn("retirement_id", ("Note", "Retirement ID", "注销凭证号")),
        FormColumn("acquired_on", ("Transfer Date", "取得日期")),
        FormColumn("counterparty", ("Seller", "交易对手")),
        FormColumn("price_cny", ("Unit Price", "单价")),
        FormColumn("currency", ("Currency", "币种")),
        FormColumn("removal", ("Removal", "清除或避免")),
        FormColumn("adjusted", ("Corresponding Adjustment", "相应调整")),
        FormColumn("exclusive", ("Exclusive", "排他声明")),
    ),
    serial=SerialForm(
        (r"^(?P<prefix>GS\d+-\d+-[A-Z]{2}-GS\d+-\d+-\d{4}-\d+-)(?P<first>\d+)-(?P<last>\d+)$",)
    ),
    reference="Impact Registry: columns as mapped by carbonplan offsets-db; serial as in the registry's public listing",
    status="secondary",
    note=Text("列名据公开数据库的映射。", "Headings as mapped by a public database."),
)  # fmt: skip
