"""The meters of a plant as one reads a tree: incomers, then what hangs below them, then what is computed."""

from __future__ import annotations

from dataclasses import dataclass

from zerofactory.errors import Text
from zerofactory.runs.context import Context
from zerofactory.site.model import Meter
from zerofactory.site.tree import meter_tree


@dataclass(frozen=True, slots=True)
class TreeLine:
    """One meter at its depth; ``sources`` count it, ``children`` hang below it."""

    id: str
    name: Text
    depth: int
    carrier: str
    kind: str
    unit: str
    shop: str | None
    formula: str | None
    sources: tuple[str, ...]
    children: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        names = ("id", "depth", "carrier", "kind", "unit", "shop", "formula")
        lists = {"sources": list(self.sources), "children": list(self.children)}
        return {**{n: getattr(self, n) for n in names}, "name": {"zh": self.name.zh, "en": self.name.en}, **lists}


def lines(context: Context) -> list[TreeLine]:
    """Return every meter once, parents before children, in the order of the file."""
    plant = context.workspace.plant
    tree = meter_tree(plant)
    counted: dict[str, list[str]] = {}
    for source in plant.sources:
        for name in dict.fromkeys((*source.meters, *source.split)):
            counted.setdefault(name, []).append(source.id)
    found: list[TreeLine] = []

    def below(meter: Meter, depth: int) -> None:
        children = tree.children.get(meter.id, ())
        found.append(
            TreeLine(
                meter.id, meter.name, depth, meter.carrier, meter.kind, meter.unit, meter.shop, meter.formula,
                tuple(counted.get(meter.id, ())), children,
            )
        )  # fmt: skip
        for child in children:
            below(tree.meters[child], depth + 1)

    for root in tree.roots():
        below(tree.meters[root], 0)
    return found
