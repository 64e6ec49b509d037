"""What is inside the inventory, on which consolidation approach, and what is left out and why."""

from __future__ import annotations

from collections.abc import Mapping

from zerofactory.errors import Text
from zerofactory.site.model import Plant

APPROACHES: Mapping[str, Text] = {
    "operational_control": Text("运营控制", "operational control"),
    "financial_control": Text("财务控制", "financial control"),
    "equity_share": Text("股权比例", "equity share"),
}


def consolidated_fraction(plant: Plant) -> float:
    """Return the part of the plant's emissions its organisation reports.

    All of it under either control approach, the equity share otherwise: E = Σ share_i × E_i
    (GHG Protocol Corporate Standard, chapter 3; ISO 14064-1:2018, 5.1).
    """
    organisation = plant.organisation
    return organisation.equity_share_fraction if organisation.consolidation == "equity_share" else 1.0


def described(plant: Plant) -> tuple[Text, ...]:
    """Return the boundary as sentences: approach, description, systems, shops, each exclusion with its reason."""
    organisation, boundary = plant.organisation, plant.boundary
    approach = APPROACHES[organisation.consolidation]
    sentences = [Text(f"合并方法: {approach.zh}。", f"Consolidation approach: {approach.en}.")]
    sentences += [text for text in (boundary.description, boundary.systems) if text is not None]
    if plant.shops:
        zh = "、".join(shop.name.zh for shop in plant.shops)
        sentences.append(Text(f"包括车间: {zh}。", f"Shops: {', '.join(shop.name.en for shop in plant.shops)}."))
    for left_out in boundary.exclusions:
        what, reason = left_out.what, left_out.reason
        sentences.append(Text(f"排除: {what.zh}, 理由: {reason.zh}。", f"Excluded: {what.en}, because: {reason.en}."))
    return tuple(sentences)
