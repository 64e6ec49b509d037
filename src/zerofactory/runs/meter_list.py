"""Meters from a list: a CSV or XLSX of meters, headed in Chinese or English, put into the plant file with every fault at its row.

A meter whose id is in the plant already is changed in the columns the list has; others are added. Nothing is taken away.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import polars as pl

from zerofactory.connectors.tabular import read_table
from zerofactory.errors import FaultyData, Language, Problem, Text, errors_of
from zerofactory.runs import plant as plants
from zerofactory.runs.context import Context
from zerofactory.site.edit import with_entries
from zerofactory.site.load import plant as load_plant
from zerofactory.site.model import Plant
from zerofactory.store.workspace import PLANT_FILE

_PLACE = re.compile(r"meters\[(\d+)\](?:\.(\w+))?")
_DEFAULTS: Mapping[str, str] = {"kind": "register"}


@dataclass(frozen=True, slots=True)
class Heading:
    """One column of the list: its key in the plant file, its titles, its type, other spellings."""

    name: str
    title: Text
    type: str
    spellings: frozenset[str]


@dataclass(frozen=True, slots=True)
class Imported:
    """What a list of meters came to."""

    rows: int
    added: tuple[str, ...]
    changed: tuple[str, ...]
    written: bool
    warnings: tuple[Problem, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        warnings = [problem.as_json() for problem in self.warnings]
        return {"rows": self.rows, "added": list(self.added), "changed": list(self.changed), "written": self.written, "problems": warnings}  # fmt: skip


@lru_cache(maxsize=1)
def headings() -> tuple[Heading, ...]:
    """Return the columns of the list in order."""
    return tuple(
        Heading(
            row["name"], Text(row["zh"], row["en"]), row["type"],
            frozenset(_folded(word) for word in (row["name"], row["zh"], row["en"], *row["aliases"].split("|")) if word),
        )
        for row in _rows("meter_list.csv")
    )  # fmt: skip


def run(context: Context, path: Path, dry_run: bool = False) -> Imported:
    """Put the meters of a list into the plant file.

    Raises
    ------
    FaultyData
        With every fault of the list, each at its row and column; nothing has been written.
    """
    table = read_table(path)
    found, problems = _entries(table, context.workspace.plant, path.name)
    given = plants.entries(context, "meters")
    names = [one.get("id") for one in given]
    merged = {str(one.get("id")): one for one in given}
    for entry in found:
        merged[entry["id"]] = {**merged.get(entry["id"], _DEFAULTS), **entry}
    wanted = [_in_order(entry) for entry in merged.values()]
    problems += _checked(context, wanted, found, path.name) if found and not _of_header(problems) else []
    if errors_of(problems):
        raise FaultyData(_once(problems))
    if not dry_run and wanted != given:
        plants.save_list(context, "meters", wanted)
    added = tuple(entry["id"] for entry in found if entry["id"] not in names)
    after = {entry["id"]: entry for entry in wanted}
    changed = tuple(str(one.get("id")) for one in given if after[str(one.get("id"))] != one)
    return Imported(len(found), added, changed, not dry_run, tuple(_once(problems)))


def as_csv(context: Context, language: Language = "zh") -> bytes:
    """Return the plant's meters as a list that `run` reads again; a plant without meters gives the header alone."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow([heading.title.in_language(language) for heading in headings()])
    for entry in plants.entries(context, "meters"):
        writer.writerow([_cell(entry, heading, language) for heading in headings()])
    return b"\xef\xbb\xbf" + stream.getvalue().encode()


def _cell(entry: Mapping[str, Any], heading: Heading, language: Language) -> str:
    value = entry.get(heading.name)
    if heading.name in ("name", "name_en"):
        name = entry.get("name", "")
        both = name if isinstance(name, dict) else {"zh": name, "en": name}
        return _harmless(str(both["zh" if heading.name == "name" else "en"]))
    for group, word, title in _words():
        if group in (heading.name, heading.type) and word == str(value).lower():
            return title.in_language(language)
    return "" if value is None else _harmless(f"{value}")


def _harmless(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula; a number stays one."""
    try:
        float(text)
    except ValueError:
        return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
    return text


def _entries(table: pl.DataFrame, plant: Plant, file: str) -> tuple[list[dict[str, Any]], list[Problem]]:
    """Return the meters of the list and what is wrong with its header and cells; ``row`` of a fault is the line a person sees."""
    problems: list[Problem] = []
    columns: dict[str, Heading] = {}
    for name in table.columns:
        heading = next((one for one in headings() if _folded(name) in one.spellings), None)
        if heading is None or heading in columns.values():
            listed = Text(", ".join(h.title.zh for h in headings()), ", ".join(h.title.en for h in headings()))
            message = Text(f"不认识或重复的列“{name}”。", f"Column '{name}' is unknown or comes twice.")
            hint = Text(f"可用的列: {listed.zh}。", f"Columns there are: {listed.en}.")
            problems.append(Problem("meters.column", message, hint, file, 1, name))
        else:
            columns[name] = heading
    if "id" not in {heading.name for heading in columns.values()}:
        message = Text("没有“编号”列。", "There is no column 'id'.")
        problems.append(Problem("meters.no_id", message, Text("请加上这一列。", "Add it."), file, 1))
        return [], problems
    found, seen = [], dict[str, int]()
    for number, row in enumerate(table.iter_rows(named=True), start=2):
        entry, faults = _entry({columns[name]: cell for name, cell in row.items() if name in columns}, plant)
        problems += [fault.at(file=file, row=number) for fault in faults]
        name = entry.get("id", "")
        if not name:
            message = Text("没有编号。", "There is no id.")
            problems.append(
                Problem("meters.no_id", message, Text("请填写编号。", "Give it an id."), file, number, "编号")
            )
        elif name in seen:
            message = Text(f"编号“{name}”在第 {seen[name]} 行已有。", f"Id '{name}' is in row {seen[name]} already.")
            problems.append(
                Problem("meters.twice", message, Text("请只留一行。", "Keep one row."), file, number, "编号")
            )
        else:
            seen[name] = number
            found.append({**entry, "row": number})
    return found, problems


def _entry(cells: Mapping[Heading, Any], plant: Plant) -> tuple[dict[str, Any], list[Problem]]:
    entry: dict[str, Any] = {}
    problems: list[Problem] = []
    for heading, cell in cells.items():
        text = "" if cell is None else str(cell).strip().removeprefix("'")
        if not text:
            continue
        try:
            entry[heading.name] = _value(heading, text, plant)
        except ValueError:
            message = Text(f"“{heading.title.zh}”不能是“{text}”。", f"'{heading.title.en}' cannot be '{text}'.")
            problems.append(Problem("meters.value", message, _choices(heading, plant), column=heading.title.zh))
    english = entry.pop("name_en", None)
    if "name" in entry or english:
        zh = entry.get("name", english)
        entry["name"] = {"zh": zh, "en": english} if english and english != zh else zh
    return entry, problems


def _value(heading: Heading, text: str, plant: Plant) -> Any:
    """Return a cell as the plant file has it; raise `ValueError` when it is none."""
    if heading.type == "number":
        number = float(text.replace(",", ""))
        if not abs(number) < float("inf"):
            raise ValueError
        return int(number) if number.is_integer() and "." not in text else number
    if heading.type == "whole":
        return int(text.removesuffix(".0"))
    if heading.type == "flag":
        return _known("flag", text) == "true"
    if heading.name == "kind":
        return _known("kind", text)
    if heading.name == "carrier":
        return next((name for name, title in carriers().items() if _folded(text) in map(_folded, (name, title.zh, title.en))), text)  # fmt: skip
    if heading.name == "shop":
        for shop in plant.shops:
            if _folded(text) in map(_folded, (shop.id, shop.name.zh, shop.name.en)):
                return shop.id
        raise ValueError
    return text


def _known(group: str, text: str) -> str:
    for listed, value, title, others in _word_rows():
        if listed == group and _folded(text) in map(_folded, (value, title.zh, title.en, *others)):
            return value
    raise ValueError


def _choices(heading: Heading, plant: Plant) -> Text:
    if heading.name == "shop":
        listed = ", ".join(f"{shop.name.zh}({shop.id})" for shop in plant.shops)
        return Text(f"可选: {listed}。", f"Choose one of: {', '.join(shop.id for shop in plant.shops)}.")
    group = "flag" if heading.type == "flag" else heading.name
    words = [title for listed, _, title in _words() if listed == group]
    if words:
        return Text(f"可选: {', '.join(w.zh for w in words)}。", f"Choose one of: {', '.join(w.en for w in words)}.")
    return Text("请填数字。", "Give a number.")


def _checked(context: Context, wanted: list[dict[str, Any]], found: list[dict[str, Any]], file: str) -> list[Problem]:
    """Return the faults of the plant as it would be, those of a listed meter at its row of the list."""
    rows = {entry["id"]: entry.pop("row") for entry in found}
    for entry in wanted:
        entry.pop("row", None)
    _, problems = load_plant(with_entries(context.workspace.plant_text, "meters", wanted), PLANT_FILE)
    told = []
    for problem in problems:
        match = _PLACE.match(problem.column or "")
        name = wanted[int(match.group(1))].get("id") if match else None
        if match is None or name not in rows:
            told.append(problem)
            continue
        heading = next((one for one in headings() if one.name == match.group(2)), None)
        told.append(replace(problem, file=file, row=rows[name], column=heading.title.zh if heading else match.group(2)))
    return told


def _of_header(problems: list[Problem]) -> bool:
    """Return whether the header has faults: what is in the rows cannot be told from it then."""
    return any(problem.row == 1 for problem in problems)


def _in_order(entry: Mapping[str, Any]) -> dict[str, Any]:
    order = ["id", *(heading.name for heading in headings() if heading.name != "id")]
    return {name: entry[name] for name in (*order, *(n for n in entry if n not in order)) if name in entry}


def _once(problems: list[Problem]) -> list[Problem]:
    return sorted(dict.fromkeys(problems), key=lambda problem: problem.row or 0)


@lru_cache(maxsize=1)
def carriers() -> Mapping[str, Text]:
    """Return the energy carriers that meters name most, by id; others may be written."""
    with (files("zerofactory.monitoring") / "carriers.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    return {row["carrier"]: Text(row["zh"], row["en"]) for row in rows if row["carrier"] not in ("documents", "total")}


def _words() -> list[tuple[str, str, Text]]:
    return [(group, value, title) for group, value, title, _ in _word_rows()]


@lru_cache(maxsize=1)
def _word_rows() -> tuple[tuple[str, str, Text, tuple[str, ...]], ...]:
    return tuple((row["list"], row["value"], Text(row["zh"], row["en"]), tuple(row["aliases"].split("|"))) for row in _rows("meter_words.csv"))  # fmt: skip


def _rows(name: str) -> list[dict[str, str]]:
    with (files("zerofactory.runs") / name).open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def _folded(text: str) -> str:
    return re.sub(r"[\s_\-]+", "", text).casefold()


def kind_titles() -> Mapping[str, Text]:
    """Return the kinds of meter with their titles."""
    return {value: title for group, value, title in _words() if group == "kind"}
