"""The words of the factor tables: regions, roles and items, each with Chinese and English names."""

from __future__ import annotations

import csv
import difflib
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from zerofactory.errors import NotFound, Text

_SEPARATORS = re.compile(r"[\s\-_]+")


@dataclass(frozen=True, slots=True)
class Region:
    """A place of the tables: ``level`` is world, nation, region or province; ``parent`` the next wider place."""

    id: str
    level: str
    parent: str | None
    title: Text


@dataclass(frozen=True, slots=True)
class Role:
    """What a factor is for, and the rules of choosing it.

    ``place`` is how the region is matched: ``chain`` (the plant's own place, then wider ones), ``level`` (exactly the
    plant's grid level), ``nation`` or ``any``. ``ranked`` roles come from the plant's ``fuel_sets`` in order.
    ``pin_also`` are the other roles that a pin may put in its place; ``rule`` is printed with every choice.
    """

    id: str
    title: Text
    place: str
    ranked: bool
    pin_also: frozenset[str]
    rule: Text


@dataclass(frozen=True, slots=True)
class Item:
    """What a factor is of: its names, the fuel whose CH4 and N2O factors it shares, and the origin of its carbon."""

    id: str
    title: Text
    aliases: tuple[str, ...]
    trace_item: str
    origin: str


def _rows(name: str) -> list[dict[str, str]]:
    with (files("zerofactory.factors") / name).open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


@lru_cache(maxsize=1)
def regions() -> dict[str, Region]:
    """Return every region by id."""
    return {
        row["region"]: Region(row["region"], row["level"], row["parent"] or None, Text(row["zh"], row["en"]))
        for row in _rows("regions.csv")
    }


@lru_cache(maxsize=1)
def roles() -> dict[str, Role]:
    """Return every role by id."""
    return {
        row["role"]: Role(
            id=row["role"],
            title=Text(row["zh"], row["en"]),
            place=row["place"],
            ranked=row["ranked"] == "yes",
            pin_also=frozenset(row["pin_also"].split()),
            rule=Text(row["rule_zh"], row["rule_en"]),
        )
        for row in _rows("roles.csv")
    }


@lru_cache(maxsize=1)
def items() -> dict[str, Item]:
    """Return every named item by id (items of materials and transport are named by their factors alone)."""
    return {
        row["item"]: Item(
            id=row["item"],
            title=Text(row["zh"], row["en"]),
            aliases=tuple(filter(None, row["aliases"].split("|"))),
            trace_item=row["trace_item"] or row["item"],
            origin=row["origin"],
        )
        for row in _rows("items.csv")
    }


def region(name: str) -> Region:
    """Return the region of an id; raise `NotFound` with near ids otherwise.

    Examples
    --------
    >>> region("CN-上海").parent
    'CN-华东'
    """
    found = regions().get(name)
    if found is None:
        short = [entry.id for entry in regions().values() if name and name in (entry.title.zh, entry.title.en)]
        near = short or difflib.get_close_matches(name, list(regions()), n=5, cutoff=0.3)
        raise NotFound(Text("地区", "region"), name, near)
    return found


@lru_cache(maxsize=256)
def chain(name: str) -> tuple[str, ...]:
    """Return a region and every wider place around it, narrowest first.

    Examples
    --------
    >>> chain("CN-上海")
    ('CN-上海', 'CN-华东', 'CN', 'world')
    """
    places: list[str] = []
    current: str | None = name
    while current is not None:
        places.append(current)
        current = region(current).parent
    return tuple(places)


@lru_cache(maxsize=256)
def at_level(name: str, level: str) -> str | None:
    """Return the place of one level (province, region, nation) around a region, None when it has none.

    Examples
    --------
    >>> at_level("CN-上海", "region"), at_level("DE", "province")
    ('CN-华东', None)
    """
    return next((place for place in chain(name) if region(place).level == level), None)


def role(name: str) -> Role:
    """Return the role of an id; raise `NotFound` with near ids otherwise."""
    found = roles().get(name)
    if found is None:
        near = difflib.get_close_matches(name, list(roles()), n=6, cutoff=0.3)
        raise NotFound(Text("因子用途", "factor role"), name, near)
    return found


def _key(name: str) -> str:
    return _SEPARATORS.sub("", name).lower()


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    names: dict[str, str] = {}
    for item in items().values():
        for name in (item.id, item.title.zh, item.title.en, *item.aliases):
            names.setdefault(_key(name), item.id)
    return names


def canonical(name: str) -> str:
    """Return the item id that a spelling means; a spelling nobody listed is returned as it is.

    Examples
    --------
    >>> canonical("R-134a"), canonical("天然气"), canonical("R410A")
    ('HFC-134a', 'natural_gas', 'R410A')
    """
    cleaned = name.strip()
    return _names().get(_key(cleaned), cleaned)


def item_title(name: str) -> Text:
    """Return the names of an item; an item of the tables alone is named by its id."""
    known = items().get(name)
    return known.title if known else Text(name, name)


def trace_item(name: str) -> str:
    """Return the fuel whose CH4 and N2O factors a fuel shares where it has none of its own; itself otherwise.

    Examples
    --------
    >>> trace_item("lng"), trace_item("diesel")
    ('natural_gas', 'diesel')
    """
    known = items().get(name)
    return known.trace_item if known else name
