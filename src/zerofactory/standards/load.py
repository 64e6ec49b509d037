"""Read and check the rule books of the package that say how to count (those that say how to judge: `criteria`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any, cast

import yaml

from zerofactory.errors import NotFound, Text, ZeroFactoryError
from zerofactory.standards.model import Category, Citation, Regime, Requirement, Standard

_KEYS = {
    "title", "publisher", "edition", "status", "citations", "groups", "categories", "gases", "default_gwp_set",
    "default_regime", "regimes", "net_purchased", "requirements", "instrument_criteria", "notes",
}  # fmt: skip
_JUDGING = {"effective", "proposal", "successor", "dimensions", "criteria", "indicators", "scoring", "grades"}
_STATUSES = {"in_force", "trial", "withdrawn"}
_CITATION_STATUSES = {"verified", "secondary", "placeholder"}
_REGIMES = {"location", "market_annual"}


@lru_cache(maxsize=1)
def standards() -> dict[str, Standard]:
    """Return every rule book of the package that counts emissions, by id.

    Examples
    --------
    >>> list(standards())
    ['cn_machinery_2015', 'gb_t_24067_2024', 'ghg_protocol_corporate', 'iso_14064_1_2018', 'iso_14067_2018']
    """
    return {name: _book(name) for name in _names()}


@lru_cache(maxsize=1)
def _names() -> tuple[str, ...]:
    folder = files("zerofactory.standards") / "books"
    named = ((entry.name.removesuffix(".yaml"), entry) for entry in folder.iterdir() if entry.name.endswith(".yaml"))
    return tuple(sorted(name for name, entry in named if _counts(entry.read_text(encoding="utf-8"))))


def _counts(content: str) -> bool:
    """Whether the text of a rule book has categories of emissions."""
    return re.search(r"^categories:", content, re.MULTILINE) is not None


@lru_cache(maxsize=32)
def _book(name: str) -> Standard:
    return read(name, (files("zerofactory.standards") / "books" / f"{name}.yaml").read_text(encoding="utf-8"))


def standard(standard_id: str) -> Standard:
    """Return one rule book; raise `NotFound` with the choices otherwise.

    Examples
    --------
    >>> standard("iso_14064_1_2018").category("2.1").scope
    2
    """
    if standard_id not in _names():
        raise NotFound(Text("标准", "standard"), standard_id, _names())
    return _book(standard_id)


def read(name: str, content: str) -> Standard:
    """Return a rule book from its YAML text.

    Raises
    ------
    ZeroFactoryError
        An unknown key, a missing one, or an inconsistency; the packaged books are a part of the code.
    """
    data = cast(dict[str, Any], yaml.load(content, Loader=_loader()))  # noqa: S506 (a safe loader, in C where there is one)
    given = set(data) - _JUDGING
    if given != _KEYS:
        raise ZeroFactoryError(f"{name}.yaml: keys missing or unknown: {sorted(given ^ _KEYS)}")
    book = Standard(
        id=name,
        title=_text(data["title"]),
        publisher=_text(data["publisher"]),
        edition=str(data["edition"]),
        status=data["status"],
        citations=tuple(
            Citation(str(row["document"]), str(row.get("clause", "")), row["status"], _text(row.get("note")))
            for row in data["citations"]
        ),
        categories=tuple(_category(row) for row in data["categories"]),
        groups=tuple((str(row["id"]), _text(row)) for row in data["groups"]),
        gases="kyoto" if data["gases"] == "kyoto" else tuple(data["gases"]),
        default_gwp_set=data["default_gwp_set"],
        default_regime=data["default_regime"],
        regimes=cast("tuple[Regime, ...]", tuple(data["regimes"])),
        net_purchased=bool(data["net_purchased"]),
        requirements=tuple(_requirement(row) for row in data["requirements"]),
        instrument_criteria=tuple(_requirement(row) for row in data["instrument_criteria"]),
        notes=tuple(_text(row) for row in data["notes"]),
    )
    _check(book)
    return book


def _loader() -> Any:
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _text(pair: Mapping[str, Any] | None) -> Text:
    return Text(str(pair["zh"]), str(pair["en"])) if pair else Text("", "")


def _category(row: Mapping[str, Any]) -> Category:
    return Category(
        id=str(row["id"]),
        title=_text(row),
        scope=row["scope"],
        in_total=bool(row["in_total"]),
        group=str(row["group"]),
        note=_text(row.get("note")),
    )


def _requirement(row: Mapping[str, Any]) -> Requirement:
    return Requirement(str(row["id"]), str(row["clause"]), _text(row), bool(row.get("mandatory", True)))


def _check(book: Standard) -> None:
    """Raise when a book contradicts itself."""
    faults = [
        text
        for wrong, text in (
            (book.status not in _STATUSES, f"status {book.status}"),
            (any(row.status not in _CITATION_STATUSES for row in book.citations), "a citation's status"),
            (not set(book.regimes) <= _REGIMES, f"regimes {book.regimes}"),
            (book.default_regime not in book.regimes, f"default regime {book.default_regime}"),
            (len({row.id for row in book.categories}) != len(book.categories), "repeated categories"),
            (not {row.group for row in book.categories} <= {group for group, _ in book.groups}, "a category's group"),
            (len({row.id for row in book.requirements}) != len(book.requirements), "repeated requirements"),
        )
        if wrong
    ]
    if faults:
        raise ZeroFactoryError(f"{book.id}.yaml: {'; '.join(faults)}")
