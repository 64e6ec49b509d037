"""CDM CER: export of a Kyoto registry. Party of origin, type and number come first in the serial (``CN-5-1000001-2-2-0-4321``)."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.instruments.registry import FormColumn, Registry
from zerofactory.instruments.serial import SerialForm

REGISTRY = Registry(
    id="cdm",
    title=Text("清洁发展机制登记系统", "CDM registry"),
    kind="cer",
    columns=(
        FormColumn("serial_first", ("Start Serial", "Serial Number Start", "Serial Number", "起始编号"), needed=True),
        FormColumn("serial_last", ("End Serial", "Serial Number End", "终止编号")),
        FormColumn("amount", ("Quantity", "Units", "数量"), needed=True),
        FormColumn("vintage_start", ("Monitoring Period Start", "Vintage Start", "减排起始"), needed=True),
        FormColumn("vintage_end", ("Monitoring Period End", "Vintage End", "减排结束"), needed=True),
        FormColumn("project_id", ("Project Reference", "Project ID", "项目编号"), needed=True),
        FormColumn("project_name", ("Project Title", "Project Name", "项目名称")),
        FormColumn("project_type", ("Project Type", "Sectoral Scope", "项目类型")),
        FormColumn("methodology", ("Methodology", "方法学")),
        FormColumn("market", ("Host Party", "Country", "国家"), needed=True),
        FormColumn("beneficiary", ("Beneficiary", "Account Holder", "受益方")),
        FormColumn("status", ("Status", "状态")),
        FormColumn("retired_on", ("Cancellation Date", "注销日期")),
        FormColumn("retirement_id", ("Attestation Number", "注销凭证号")),
        FormColumn("acquired_on", ("Transfer Date", "取得日期")),
        FormColumn("counterparty", ("Seller", "交易对手")),
        FormColumn("price_cny", ("Unit Price", "单价")),
        FormColumn("currency", ("Currency", "币种")),
        FormColumn("adjusted", ("Corresponding Adjustment", "相应调整")),
        FormColumn("exclusive", ("Exclusive", "排他声明")),
    ),
    serial=SerialForm((r"^(?P<prefix>[A-Z]{2}-\d{1,2}-)(?P<number>\d+)(?P<suffix>-.+)$",)),
    reference="Kyoto registries: data exchange standards, annex F (serial number elements); CDM voluntary cancellation",
    status="placeholder",
    note=Text("列名与编号形式为假定。", "Headings and serials are assumed."),
)  # fmt: skip
