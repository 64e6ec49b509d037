"""What a person may ask of a plant's energy, in words: the names under which a conflict speaks of it."""

from __future__ import annotations

from collections.abc import Mapping

from zerofactory.assets.block import CARRIERS
from zerofactory.errors import Text

WISH_TITLES: Mapping[str, tuple[Text, str]] = {
    "carbon_cap": (Text("碳排放不超过", "emissions of at most"), "tCO2e"),
    "annual_matched": (Text("全年匹配的清洁电力占比不低于", "clean electricity matched over the year of at least"), ""),
    "hourly_matched": (Text("逐时段匹配的清洁电力占比不低于", "clean electricity matched in every interval of at least"), ""),
    "non_fossil": (Text("非化石电力占比不低于", "non-fossil electricity of at least"), ""),
    "physical": (Text("物理认定(自发自用与直连)占比不低于", "physical share (own and direct line) of at least"), ""),
    "budget": (Text("投资不超过", "investment of at most"), "CNY"),
    "roof_area": (Text("光伏占用屋顶不超过", "roof area for PV of at most"), "m2"),
    "grid_limit": (Text("电网受电功率不超过", "power from the grid of at most"), "kW"),
}  # fmt: skip


def load_title(carrier: str) -> Text:
    """Return the wish that a carrier's load be met; its bound is the share that is met."""
    title = CARRIERS[carrier][1]
    return Text(f"满足全部{title.zh}负荷", f"all of the load of {title.en} met")
