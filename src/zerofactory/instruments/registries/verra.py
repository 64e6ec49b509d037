"""VCS (Verra): export of issued or retired units. The serial holds the range, the vintage and the project:

0001-000001-000100-VCS-VCU-003-VER-US-0003-01012020-31122020-1
issue  first   last                        project  vintage from, to
"""

from __future__ import annotations

import re
from datetime import date

from zerofactory.errors import Text
from zerofactory.instruments.batch import Batch
from zerofactory.instruments.registry import Cells, FormColumn, Reason, Registry
from zerofactory.instruments.serial import SerialForm

_DAYS = re.compile(r"-(\d{2})(\d{2})(\d{4})-(\d{2})(\d{2})(\d{4})-")


def check(batch: Batch, _cells: Cells) -> list[Reason]:
    """Return the fault of a vintage that is not the one in the serial."""
    found = _DAYS.search(batch.serials.suffix + "-")
    if found is None:
        return []
    numbers = [int(part) for part in found.groups()]
    try:
        stated = date(numbers[2], numbers[1], numbers[0]), date(numbers[5], numbers[4], numbers[3])
    except ValueError:
        stated = None
    if stated == (batch.vintage_start, batch.vintage_end):
        return []
    said = f"{stated[0]} – {stated[1]}" if stated else "?"
    return [
        (
            "vintage_start",
            Text(
                f"年份 {batch.vintage_start} – {batch.vintage_end} 与编号所载 {said} 不符。",
                f"Vintage {batch.vintage_start} – {batch.vintage_end} differs from the serial's {said}.",
            ),
        )
    ]


REGISTRY = Registry(
    id="verra",
    title=Text("Verra 登记系统(VCS)", "Verra registry (VCS)"),
    kind="vcs",
    columns=(
        FormColumn("serial_first", ("Serial Number", "Serial Numbers", "编号"), needed=True),
        FormColumn("amount", ("Quantity Issued", "Quantity of Units", "Quantity", "数量"), needed=True),
        FormColumn("vintage_start", ("Vintage Start", "减排起始"), needed=True),
        FormColumn("vintage_end", ("Vintage End", "减排结束"), needed=True),
        FormColumn("project_id", ("ID", "Project ID", "项目编号"), needed=True),
        FormColumn("project_name", ("Name", "Project Name", "项目名称")),
        FormColumn("project_type", ("Project Type", "项目类型")),
        FormColumn("methodology", ("Methodology", "方法学")),
        FormColumn("market", ("Country/Area", "Country", "国家"), needed=True),
        FormColumn("beneficiary", ("Retirement Beneficiary", "Account Holder", "受益方")),
        FormColumn("status", ("Status", "状态")),
        FormColumn("retired_on", ("Retirement/Cancellation Date", "Retirement Date", "注销日期")),
        FormColumn("retirement_id", ("Retirement Details", "Retirement ID", "注销凭证号")),
        FormColumn("acquired_on", ("Transfer Date", "取得日期")),
        FormColumn("counterparty", ("Seller", "交易对手")),
        FormColumn("price_cny", ("Unit Price", "单价")),
        FormColumn("currency", ("Currency", "币种")),
        FormColumn("removal", ("Removal", "清除或避免")),
        FormColumn("adjusted", ("Corresponding Adjustment", "相应调整")),
        FormColumn("exclusive", ("Exclusive", "排他声明")),
    ),
    serial=SerialForm((r"^(?P<prefix>\d+-)(?P<first>\d+)-(?P<last>\d+)(?P<suffix>-[A-Z].*)$",)),
    reference="VCU serial number format (Verra; help.cloverly.com/knowledge/registry-serial-number-ranges); columns as mapped by carbonplan offsets-db",
    status="secondary",
    note=Text("列名据公开数据库的映射; 编号格式据公开说明。", "Headings as mapped by a public database; serials as publicly described."),
    days="dmy",
    check=check,
)  # fmt: skip
