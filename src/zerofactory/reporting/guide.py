"""The implementation guide (实施指南): the plant's own action plan as a PDF, stage by stage, task by task, measure by measure.

Filled by a run from the plan, the roadmap and the tasks of the book; the template only lays it out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from importlib.resources import files

import typst

from zerofactory.errors import Language, Text
from zerofactory.reporting.fonts import FAMILY, typesetting_fonts


@dataclass(frozen=True, slots=True)
class GuideTable:
    """A table: header, rows of cells, and which columns are numbers (set to the right). ``widths`` are shares of the line."""

    header: tuple[Text, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...]
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class GuideSection:
    """A section: heading, paragraphs, tables, and pictures by name."""

    title: Text
    paragraphs: tuple[Text, ...] = ()
    tables: tuple[GuideTable, ...] = ()
    pictures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Guide:
    """Everything the guide says."""

    title: Text
    plant: Text
    organisation: Text
    fictional: bool
    issued_on: date
    plan_id: str
    code_version: str
    sections: tuple[GuideSection, ...]
    pictures: Mapping[str, str]


def render_guide(guide: Guide, language: Language = "zh") -> bytes:
    """Return the guide as PDF; the same guide gives the same bytes."""
    inputs = {f"picture-{name}": drawing for name, drawing in guide.pictures.items()}
    inputs["data"] = json.dumps(_data(guide, language), ensure_ascii=False)
    return typst.compile(
        (files("zerofactory.reporting") / "guide.typ").read_bytes(),
        sys_inputs=inputs,
        font_paths=typesetting_fonts(),
        ignore_system_fonts=True,
        timestamp=datetime.combine(guide.issued_on, time(), UTC),
    )


def _data(guide: Guide, language: Language) -> dict[str, object]:
    return {
        "language": language,
        "font": FAMILY,
        "title": guide.title.in_language(language),
        "beside": guide.title.en if language == "zh" else "",
        "plant": guide.plant.in_language(language),
        "organisation": guide.organisation.in_language(language),
        "fictional": guide.fictional,
        "issued_on": guide.issued_on.isoformat(),
        "plan": guide.plan_id,
        "code_version": guide.code_version,
        "sections": [_section(section, language) for section in guide.sections],
    }


def _section(section: GuideSection, language: Language) -> dict[str, object]:
    return {
        "title": section.title.in_language(language),
        "paragraphs": [text.in_language(language) for text in section.paragraphs],
        "tables": [_table(table, language) for table in section.tables],
        "pictures": list(section.pictures),
    }


def _table(table: GuideTable, language: Language) -> dict[str, object]:
    return {
        "header": [text.in_language(language) for text in table.header],
        "rows": [list(row) for row in table.rows],
        "widths": list(table.widths),
        "numbers": list(table.numbers),
    }


def lines_of(texts: Sequence[tuple[Text, Text]]) -> tuple[Text, ...]:
    """Return labelled sentences, ``label: text``.

    Examples
    --------
    >>> lines_of([(Text("承诺", "Commitment"), Text("减排。", "Reduce."))])[0].en
    'Commitment: Reduce.'
    """
    return tuple(Text(f"{label.zh}：{text.zh}", f"{label.en}: {text.en}") for label, text in texts)
