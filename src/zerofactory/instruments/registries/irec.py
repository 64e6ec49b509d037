"""I-REC(E): redemption or holding export of the Evident registry. Issuance in China has ended (rule ``inst.irec``)."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.instruments.registry import FormColumn, Registry
from zerofactory.instruments.serial import SerialForm

REGISTRY = Registry(
    id="irec",
    title=Text("I-REC 登记系统(Evident)", "I-REC registry (Evident)"),
    kind="irec",
    columns=(
        FormColumn("serial_first", ("Certificate From", "From Certificate", "Start Certificate", "起始编号"), needed=True),
        FormColumn("serial_last", ("Certificate To", "To Certificate", "End Certificate", "终止编号")),
        FormColumn("amount", ("Volume (MWh)", "Volume", "Number of Certificates", "数量"), needed=True),
        FormColumn("vintage_start", ("Production Period Start", "Period Start", "生产起始"), needed=True),
        FormColumn("vintage_end", ("Production Period End", "Period End", "生产截止"), needed=True),
        FormColumn("project_id", ("Device Code", "Device ID", "项目编号"), needed=True),
        FormColumn("project_name", ("Device Name", "Production Device", "项目名称")),
        FormColumn("project_type", ("Technology", "Energy Source", "技术类型")),
        FormColumn("market", ("Country", "Country of Production", "国家"), needed=True),
        FormColumn("beneficiary", ("Beneficiary", "Redemption Beneficiary", "Account Holder", "受益方")),
        FormColumn("status", ("Status", "状态")),
        FormColumn("acquired_on", ("Transfer Date", "取得日期")),
        FormColumn("counterparty", ("Seller", "Transferor", "交易对手")),
        FormColumn("price_cny", ("Unit Price", "单价")),
        FormColumn("currency", ("Currency", "币种")),
        FormColumn("self_use", ("Self Consumption", "自发自用")),
        FormColumn("retired_on", ("Redemption Date", "注销日期")),
        FormColumn("retirement_id", ("Redemption Statement", "注销凭证号")),
        FormColumn("exclusive", ("Exclusive", "排他声明")),
    ),
    serial=SerialForm(),
    reference="I-REC Code for Electricity (I-REC(E)); Evident registry",
    status="placeholder",
    note=Text("列名为假定, 尚未与真实导出对照。", "Headings are assumed, not yet compared with a real export."),
    days="dmy",
)  # fmt: skip
