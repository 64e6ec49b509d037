"""Guarantees of origin (GO): export of a European registry under the EECS rules. Certificate numbers have thirty digits."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.instruments.registry import FormColumn, Registry
from zerofactory.instruments.serial import SerialForm

REGISTRY = Registry(
    id="go",
    title=Text("欧洲来源担保登记系统(EECS)", "registry of guarantees of origin (EECS)"),
    kind="go",
    columns=(
        FormColumn("serial_first", ("Certificate Number From", "From Certificate Number", "Certificate From", "起始编号"), needed=True),
        FormColumn("serial_last", ("Certificate Number To", "To Certificate Number", "Certificate To", "终止编号")),
        FormColumn("amount", ("Volume", "Volume (MWh)", "Number of Certificates", "数量"), needed=True),
        FormColumn("vintage_start", ("Production Start", "Production Period Start", "生产起始"), needed=True),
        FormColumn("vintage_end", ("Production End", "Production Period End", "生产截止"), needed=True),
        FormColumn("project_id", ("GSRN", "Production Device Identifier", "项目编号"), needed=True),
        FormColumn("project_name", ("Production Device Name", "Plant Name", "项目名称")),
        FormColumn("project_type", ("Technology", "Energy Source", "技术类型")),
        FormColumn("market", ("Issuing Country", "Country of Production", "Country", "国家"), needed=True),
        FormColumn("beneficiary", ("Beneficiary", "Account Holder", "受益方")),
        FormColumn("status", ("Status", "状态")),
        FormColumn("acquired_on", ("Transfer Date", "取得日期")),
        FormColumn("counterparty", ("Seller", "Transferor", "交易对手")),
        FormColumn("price_cny", ("Unit Price", "单价")),
        FormColumn("currency", ("Currency", "币种")),
        FormColumn("self_use", ("Self Consumption", "自发自用")),
        FormColumn("retired_on", ("Cancellation Date", "注销日期")),
        FormColumn("retirement_id", ("Cancellation Statement", "Transaction Number", "注销凭证号")),
        FormColumn("exclusive", ("Exclusive", "排他声明")),
    ),
    serial=SerialForm(),
    reference="EECS Rules (AIB); Directive (EU) 2018/2001 Art. 19",
    status="placeholder",
    note=Text("列名为假定, 各国登记系统不同。", "Headings are assumed; national registries differ."),
    days="dmy",
)  # fmt: skip
