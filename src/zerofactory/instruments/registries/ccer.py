"""CCER (国家核证自愿减排量): export of an account of the national voluntary emission reduction registry."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.instruments.registry import FormColumn, Registry
from zerofactory.instruments.serial import SerialForm

REGISTRY = Registry(
    id="ccer",
    title=Text("全国温室气体自愿减排注册登记系统", "national registry of voluntary emission reductions"),
    kind="ccer",
    columns=(
        FormColumn("serial_first", ("起始编号", "起始编码", "first serial"), needed=True),
        FormColumn("serial_last", ("终止编号", "终止编码", "last serial")),
        FormColumn("amount", ("数量", "数量(tCO2e)", "减排量", "减排量(tCO2e)", "quantity"), needed=True),
        FormColumn("vintage_start", ("减排量产生起始日期", "减排起始", "产生时间起", "vintage start"), needed=True),
        FormColumn("vintage_end", ("减排量产生截止日期", "减排结束", "产生时间止", "vintage end"), needed=True),
        FormColumn("project_id", ("项目编号", "项目登记编号", "project id"), needed=True),
        FormColumn("project_name", ("项目名称", "project name")),
        FormColumn("project_type", ("项目类型", "所属领域", "project type")),
        FormColumn("methodology", ("方法学", "methodology")),
        FormColumn("registered_on", ("项目登记日期", "登记日期", "registered on")),
        FormColumn("beneficiary", ("账户名称", "持有方", "account holder")),
        FormColumn("status", ("状态", "status")),
        FormColumn("acquired_on", ("取得日期", "交易日期", "acquired on")),
        FormColumn("counterparty", ("交易对手", "卖方", "seller")),
        FormColumn("price_cny", ("单价(元)", "单价", "单价(元/吨)", "unit price")),
        FormColumn("currency", ("币种", "currency")),
        FormColumn("removal", ("清除或避免", "是否清除类", "removal")),
        FormColumn("exclusive", ("排他声明", "未核发绿证声明", "exclusive")),
        FormColumn("ets_covered", ("是否纳入配额管理", "来自纳入配额管理的单位", "ets covered")),
        FormColumn("adjusted", ("相应调整", "corresponding adjustment")),
        FormColumn("retired_on", ("注销日期", "retired on")),
        FormColumn("retirement_id", ("注销凭证号", "注销编号", "retirement id")),
    ),
    serial=SerialForm(),
    reference="生态环境部《温室气体自愿减排交易管理办法(试行)》(2023-10-19); 登记规则(试行)",
    status="placeholder",
    note=Text("列名与编号形式为假定, 尚未与真实导出对照。", "Headings and serials are assumed, not yet compared with a real export."),
    market="CN",
)  # fmt: skip
