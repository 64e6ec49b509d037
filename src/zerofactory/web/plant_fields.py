"""The fields of each part of the plant file, as a manager reads them."""

from __future__ import annotations

from zerofactory.accounting.item import item_title
from zerofactory.accounting.source import sources
from zerofactory.errors import Text
from zerofactory.runs import first_run
from zerofactory.runs.meter_list import carriers, kind_titles
from zerofactory.site.model import SHOP_KINDS, Plant
from zerofactory.web.entry_form import Field
from zerofactory.web.visit import Visit

ID = Field("id", Text("编号", "Id"), help=Text("字母、数字、连字符", "letters, digits, hyphens"))
NAME = Field("name", Text("名称", "Name"), "both")
UNITS = ("kWh", "MWh", "kW", "Nm3", "万Nm3", "m3", "m3/h", "t", "kg", "L", "GJ")


def plant_fields(visit: Visit) -> list[Field]:
    """Return the fields of the head of the file."""
    places = {name: f"{visit.read(title)} ({name})" for name, title in first_run.provinces().items()}
    province = Text("省份决定电网因子", "the province decides the grid factor")
    return [
        Field("name", Text("工厂名称", "Name of the plant"), "both"),
        Field("id", Text("短编号", "Short id"), help=Text("如 jh-1", "such as jh-1")),
        Field("region", Text("省份", "Province or country"), "choice", places, province),
        Field("opened_on", Text("投产日期", "Opened on"), "date", help=Text("可不填", "may be left out"), more=True),
        Field("time_zone", Text("时区", "Time zone"), more=True),
    ]


def organisation_fields(visit: Visit) -> list[Field]:
    """Return the fields of the organisation."""
    approaches = {
        "operational_control": visit.say("运营控制", "operational control"),
        "financial_control": visit.say("财务控制", "financial control"),
        "equity_share": visit.say("股权比例", "equity share"),
    }
    return [
        Field("name", Text("公司名称", "Organisation"), "both"),
        Field("legal_entity", Text("法人", "Legal entity"), help=Text("绿电、绿证受益方须与它一致", "beneficiary of green power")),
        Field("credit_code", Text("统一社会信用代码", "Credit code")),
        Field("consolidation", Text("合并方法", "Consolidation"), "choice", approaches),
        Field("responsible", Text("负责部门", "Responsible"), more=True),
        Field("address", Text("地址", "Address"), more=True),
    ]  # fmt: skip


def fields_of(visit: Visit, part: str, plant: Plant) -> list[Field]:
    """Return the fields of an entry of one of the lists."""
    shops = {shop.id: f"{visit.read(shop.name)} ({shop.id})" for shop in plant.shops}
    shop = Field("shop", Text("车间", "Shop"), "choice", shops)
    match part:
        case "shops":
            kinds = {name: visit.read(title) for name, title in SHOP_KINDS.items()}
            return [NAME, ID, Field("kind", Text("类型", "Kind"), "choice", kinds)]
        case "products":
            unit = Field("unit", Text("单位", "Unit"), "choice", {"vehicle": visit.say("辆", "vehicle"), "kg": "kg", "kWh": "kWh"}, free=True)  # fmt: skip
            return [NAME, ID, unit, shop]
        case "meters":
            return _meter_fields(visit, plant, shop)
        case _:
            return _source_fields(visit, plant, shop)


def _meter_fields(visit: Visit, plant: Plant, shop: Field) -> list[Field]:
    kinds = {name: visit.read(title) for name, title in kind_titles().items()}
    carried = {name: visit.read(title) for name, title in carriers().items()}
    above = {meter.id: f"{meter.id} {visit.read(meter.name)}" for meter in plant.meters}
    return [
        NAME, ID,
        Field("carrier", Text("介质", "Carrier"), "choice", carried, free=True),
        Field("kind", Text("类型", "Kind"), "choice", kinds, Text("累计表: 数一直往上走", "register: counts up")),
        Field("unit", Text("单位", "Unit"), "choice", {unit: unit for unit in UNITS}, free=True),
        shop,
        Field("parent", Text("上级表", "Parent"), "choice", above, Text("分表挂在总表下面", "sub-meters hang under their main")),
        Field("multiplier", Text("倍率", "Multiplier"), "number", help=Text("电流互感器 × 电压互感器", "CT ratio × VT ratio")),
        Field("interval_minutes", Text("间隔(分钟)", "Interval (minutes)"), "whole", help=Text("手抄每天一次填 1440; 不填为 15", "1440 when read once a day; 15 if left out")),
        Field("minimum", Text("每间隔下限", "Minimum per interval"), "number", more=True),
        Field("maximum", Text("每间隔上限", "Maximum per interval"), "number", help=Text("用来认出错读与归零", "tells misreadings and roll-overs"), more=True),
        Field("rollover", Text("满度值", "Rolls over at"), "number", more=True),
        Field("accuracy_class", Text("精度等级", "Accuracy class"), help=Text("如 0.5S", "such as 0.5S"), more=True),
        Field("formula", Text("公式(虚拟表)", "Formula (virtual)"), help=Text("E-00 - E-1 - 2 * E-2, 减号两边留空格", "spaces around a minus sign"), more=True),
        Field("automatic", Text("自动采集", "Collected automatically"), "flag", more=True),
    ]  # fmt: skip


def _source_fields(visit: Visit, plant: Plant, shop: Field) -> list[Field]:
    kinds = {name: visit.read(kind.title) for name, kind in sources().items()}
    meters = {meter.id: f"{meter.id} {visit.read(meter.name)}" for meter in plant.meters}
    named = dict.fromkeys(item for kind in sources().values() for item in kind.items)
    items = {item: f"{visit.read(item_title(item))} ({item})" for item in named}
    return [
        NAME, ID,
        Field("kind", Text("种类", "Kind"), "choice", kinds),
        Field("item", Text("品种", "Item"), "choice", items, Text("燃料、气体、材料……", "fuel, gas, material …"), free=True),
        Field("meters", Text("由这些表计得出", "From these meters"), "many", meters, Text("不选则用凭证(发票、台账)", "none: from documents")),
        shop,
        Field("split", Text("按这些分表分摊到车间", "Shared out by these meters"), "many", meters, more=True),
        Field("unit", Text("入账单位", "Booked in"), help=Text("默认随表计", "the meters' own if left out"), more=True),
        Field("detail", Text("明细", "Particulars"), "pairs", help=Text("每行 名称 = 值, 如 use = road", "one name = value a line"), more=True),
    ]  # fmt: skip
