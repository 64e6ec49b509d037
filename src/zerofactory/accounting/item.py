"""Items by name: what an activity is of, in both languages — a fuel or gas, a line of a catalogue, or a name of its own.

``item_names.csv`` names the items that neither a factor nor a catalogue names.
"""

from __future__ import annotations

import csv
import re
from functools import lru_cache
from importlib.resources import files

from zerofactory.accounting.catalogue import catalogue
from zerofactory.errors import Text
from zerofactory.factors.resolve import canonical
from zerofactory.factors.resolve import item_title as factor_item_title

CATALOGUES = ("goods", "capital_goods", "carriage", "travel", "waste_routes")
ROUTE = re.compile(r"\s*[(（].*[)）]$")


@lru_cache(maxsize=1)
def _named() -> dict[str, Text]:
    found: dict[str, Text] = {}
    for name in CATALOGUES:
        for entry in catalogue(name):
            plain = Text(ROUTE.sub("", entry.title.zh), ROUTE.sub("", entry.title.en)) if entry.route else entry.title
            found.setdefault(entry.item, plain)
    with (files("zerofactory.accounting") / "item_names.csv").open(encoding="utf-8") as stream:
        found |= {row["item"]: Text(row["zh"], row["en"]) for row in csv.DictReader(stream)}
    return found


def item_title(item: str) -> Text:
    """Return the name of an item; one that nobody named is named by its id.

    Examples
    --------
    >>> [item_title(item).zh for item in ("natural_gas", "steel", "mixed_gas", "co2", "R410A")]
    ['天然气', '钢材', '混合保护气', '二氧化碳', 'R410A']
    """
    named = factor_item_title(item)
    if named.zh != item:
        return named
    return _named().get(item) or factor_item_title(canonical(item))
