"""Write the import form of this plant: its own sources, meters, items and units as drop-down lists."""

from __future__ import annotations

from pathlib import Path

from zerofactory.accounting.item import item_title
from zerofactory.accounting.source import sources
from zerofactory.errors import FaultyData, Language, NotFound, Problem, Text
from zerofactory.metering.heading import form_columns
from zerofactory.reporting.template_workbook import MeterChoice, SourceChoice, activities_workbook, readings_workbook
from zerofactory.runs.context import Context
from zerofactory.store.files import write_bytes_whole

FORMS = ("activities", "readings")


def run(context: Context, form: str, out: Path, language: Language = "zh") -> None:
    """Write the form for activities or readings; raise `NotFound` for another form, `FaultyData` for another file type."""
    if form not in FORMS:
        raise NotFound(Text("表格", "form"), form, FORMS)
    if out.suffix.lower() != ".xlsx":
        raise FaultyData(
            [
                Problem(
                    code="template.unknown_type",
                    message=Text(f"不能写“{out.suffix}”文件。", f"Cannot write '{out.suffix}' files."),
                    hint=Text("请用 .xlsx。", "Use .xlsx."),
                    file=out.name,
                )
            ]
        )
    content = _activities(context, language) if form == "activities" else _readings(context, language)
    write_bytes_whole(out, content)


def _activities(context: Context, language: Language) -> bytes:
    """Return the document form with every source of the plant that takes documents."""
    kinds = sources()
    chosen = [
        SourceChoice(
            use.id,
            use.name,
            kind.title,
            kind.units,
            kind.items,
            kind.item_required,
            kind.balance,
            kind.details,
            {item: item_title(item) for item in kind.items},
        )
        for use in context.workspace.plant.sources
        if not use.meters and (kind := kinds.get(use.kind)) is not None
    ]
    headings = {column.name: column.title for column in form_columns(kinds.values())}
    return activities_workbook(chosen, context.now.year, language, headings)


def _readings(context: Context, language: Language) -> bytes:
    """Return the form for meters read by hand."""
    meters = [MeterChoice(m.id, m.name, m.kind, m.unit) for m in context.workspace.plant.meters if m.kind != "virtual"]
    return readings_workbook(meters, context.now.year, language)
