"""A quality.toml for the small plant, with figures that can be added up by hand."""

from __future__ import annotations

from datetime import UTC, datetime
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


def verdicts() -> list[dict[str, object]]:
    """Return rows of the book: 51 panels passed by the model 'eye' (ten audited, one bad among them), twelve rejected (eight looked at)."""
    rows: list[dict[str, object]] = []

    def judged(number: int, score: float, said: str | None, *, audit: bool = False) -> None:
        row: dict[str, object] = {
            "defect_id": f"m{number}", "corrects": None, "inspected_at": datetime(2025, 3, 10, tzinfo=UTC), "part_code": f"P{number}", "product": "panel",
            "shop": "paint", "station": "press", "defect": "ok" if score <= 0.5 else "unnamed", "disposition": "accept" if score <= 0.5 else "recheck",
            "decided_by": "model", "model": "eye", "model_version": 1, "score": score, "threshold": 0.5, "quantity": 1, "audit": audit, "actor": "test",
        }  # fmt: skip
        rows.append(row)
        if said is not None:
            defect = "ok" if said == "accept" else "split"
            rows.append(
                {
                    **row,
                    "defect_id": f"i{number}",
                    "corrects": f"m{number}",
                    "disposition": said,
                    "defect": defect,
                    "decided_by": "inspector",
                }
            )

    for number in range(40):
        judged(number, 0.1 + number / 200, None)
    for number in range(40, 49):
        judged(number, 0.2 + (number - 40) / 50, "accept", audit=True)
    judged(49, 0.4, "scrap", audit=True)
    judged(50, 0.45, "scrap")  # looked at because the model was unsure: no sample of those passed
    for number in range(60, 66):
        judged(number, 0.8, "scrap")
    for number in range(66, 68):
        judged(number, 0.6, "accept")
    for number in range(68, 72):
        judged(number, 0.7, None)
    return rows
