"""A quality.toml for the small plant, with figures that can be added up by hand."""

from __future__ import annotations

from pathlib import Path

SOURCES = """
[[sources]]
id = "replaced-sheet"
kind = "purchased_goods"
name = { zh = "报废补料", en = "sheet replaced" }
shop = "paint"
item = "steel_galvanised"

[[sources]]
id = "sheet-scrap"
kind = "metal_scrap"
name = { zh = "边角料", en = "sheet scrap" }
shop = "paint"
item = "steel"
detail = { scrap_fate = "recovered" }
"""


def figure(value: float, unit: str, low: float | None = None, high: float | None = None) -> str:
    bounds = "" if low is None else f", low = {low}, high = {high}"
    return f'{{ value = {value}{bounds}, unit = "{unit}", source = "by hand", status = "placeholder" }}'


QUALITY = f"""
title = {{ zh = "小厂质量损失", en = "losses of the small plant" }}

[prices]
electricity = {figure(0.5, "CNY/kWh")}
natural_gas = {figure(4, "CNY/Nm3")}
labour = {figure(60, "CNY/h", 50, 80)}

[[materials]]
id = "sheet"
name = {{ zh = "钢板", en = "sheet" }}
item = "steel_galvanised"
recovery = {figure(0.9, "fraction")}
price = {figure(5, "CNY/kg", 4, 6)}
scrap_price = {figure(2, "CNY/kg")}

[[parts]]
id = "panel"
name = {{ zh = "面板", en = "panel" }}
shop = "paint"
per_vehicle = 2
steps = [
  {{ station = "press", added = [{{ material = "sheet", mass = {figure(6, "kg")}, share_kept = {figure(0.6, "fraction")} }}], electricity = {figure(2, "kWh")} }},
  {{ station = "booth", electricity = {figure(1, "kWh")}, natural_gas = {figure(0.5, "Nm3")} }},
]
false_reject = {{ recheck = {figure(3, "min")}, scrapped = {figure(0.1, "fraction")} }}

[[parts.stages]]
id = "fit"
name = {{ zh = "装配时", en = "when fitted" }}
part = "panel"
caught = {figure(0.5, "fraction")}
scrapped = {figure(1, "fraction")}
handling = {figure(100, "CNY")}

[[reworks]]
id = "sand"
name = {{ zh = "打磨", en = "sanding" }}
shop = "paint"
minutes = {figure(12, "min")}
electricity = {figure(1, "kWh")}
"""
DEFECTS = """日期,车间,工位,零件,缺陷,原因,处置,件数
2025-03-03,paint,press,panel,split,die,报废,8
2025-03-05,paint,booth,面板,sag,paint,报废,2
2025-03-08,paint,booth,panel,dirt,,返工,20
2025-03-31,paint,booth,panel,ok,,合格,970
2025-04-01,paint,press,panel,split,die,报废,5
"""


def furnish(folder: Path, sources: str = "", quality: str = QUALITY) -> Path:
    """Write quality.toml, sources and a table of defects into a workspace; return the table."""
    plant = folder / "factory.toml"
    plant.write_text(plant.read_text(encoding="utf-8") + sources, encoding="utf-8")
    (folder / "quality.toml").write_text(quality, encoding="utf-8")
    table = folder / "defects.csv"
    table.write_text(DEFECTS, encoding="utf-8")
    return table
