"""Green electricity certificates (绿证): export of an account of the national issuing and trading system.

The code of a certificate has 32 signs: 17 of the project on file, then month of generation, number, class of electricity and
class of trade (15 digits; widths within them assumed 6 + 7 + 1 + 1). Other codes are read by their last run of digits.
"""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.instruments import cell
from zerofactory.instruments.registry import Cells, FormColumn, Registry
from zerofactory.instruments.serial import SerialForm


def kind_of(cells: Cells) -> str:
    """Return ``green_power`` for certificates that came with a contract of electricity, else ``gec``."""
    way = cells.get("way", "")
    bundled = "绿电" in way or "bundled" in way.casefold() or ("bundled" in cells and cells["bundled"] in cell.YES)
    return "green_power" if bundled else "gec"


REGISTRY = Registry(
    id="gec",
    title=Text("国家绿证核发交易系统", "national GEC issuing and trading system"),
    kind="gec",
    columns=(
        FormColumn("serial_first", ("起始编号", "绿证编码起", "绿证编号", "绿证编码", "first serial"), needed=True),
        FormColumn("serial_last", ("终止编号", "绿证编码止", "截止编号", "last serial")),
        FormColumn("amount", ("绿证数量", "数量", "数量(个)", "绿证数量(个)", "quantity"), needed=True),
        FormColumn("vintage", ("电量生产月份", "电量生产年月", "生产年月", "month of generation"), needed=True),
        FormColumn("project_id", ("建档立卡编码", "项目编码", "项目编号", "project id"), needed=True),
        FormColumn("project_name", ("项目名称", "project name")),
        FormColumn("project_type", ("能源类型", "项目类型", "技术类型", "technology")),
        FormColumn("market", ("国家", "省份", "country")),
        FormColumn("beneficiary", ("账户名称", "持有方", "受益方", "购买方", "account holder")),
        FormColumn("tradable", ("交易属性", "是否可交易", "tradable")),
        FormColumn("self_use", ("是否自发自用", "自发自用", "self use")),
        FormColumn("way", ("交易方式", "交易类型", "way of trade")),
        FormColumn("bundled", ("证电合一", "bundled")),
        FormColumn("settled_mwh", ("结算电量(MWh)", "结算电量", "settled MWh")),
        FormColumn("status", ("状态", "绿证状态", "status")),
        FormColumn("acquired_on", ("交易日期", "取得日期", "acquired on")),
        FormColumn("counterparty", ("出售方", "发电企业", "seller")),
        FormColumn("price_cny", ("单价(元/个)", "单价", "单价(元)", "unit price")),
        FormColumn("currency", ("币种", "currency")),
        FormColumn("retired_on", ("核销日期", "注销日期", "retired on")),
        FormColumn("retirement_id", ("核销凭证号", "注销凭证号", "retirement id")),
        FormColumn("exclusive", ("排他声明", "exclusive")),
        FormColumn("hour_profile", ("逐时发电表计", "hourly meter")),
    ),
    serial=SerialForm((r"^(?P<prefix>[0-9A-Z]{17}20\d{4})(?P<number>\d{7})(?P<suffix>\d{2})$",)),
    reference="国家能源局《可再生能源绿色电力证书核发和交易规则》(2024-09-05); 编码 32 位的含义见易碳家 2025-03-26",
    status="placeholder",
    note=Text("列名按公开规则假定, 尚未与账户的真实导出对照。", "Headings assumed from the public rule, not yet compared with a real export."),
    market="CN",
    kind_of=kind_of,
)  # fmt: skip
