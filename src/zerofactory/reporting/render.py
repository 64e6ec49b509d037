"""Render a statement as a PDF: the form's template set by typst, with the packaged typeface, without network or clock."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time

import typst

from zerofactory.errors import Language, Text
from zerofactory.reporting import charts
from zerofactory.reporting.fonts import FAMILY, typesetting_fonts
from zerofactory.reporting.form import Form, answers, form_of
from zerofactory.reporting.sections import summary, tables
from zerofactory.reporting.statement import Statement, verify_sums
from zerofactory.reporting.table import FACT_COLUMNS, Table, sentence_case, shown

PNG_FRAME = """#set page(width: auto, height: auto, margin: 8pt, fill: white)
#set text(font: "{family}")
#image(bytes(sys.inputs.chart), format: "svg")
"""


def render_pdf(statement: Statement, language: Language = "zh", form: str = "iso_14064") -> bytes:
    """Return the report as PDF. The same statement gives the same bytes.

    Parameters
    ----------
    statement : Statement
        What the report says; its tables must add up to its total.
    language : {'zh', 'en'}
        ``zh`` sets English beside the headings, ``en`` is English alone.
    form : str
        A form under ``forms``.

    Raises
    ------
    Misuse
        A table of the statement differs from its total.
    NotFound
        There is no form of that name.
    """
    chosen, inputs = _inputs(statement, language, form)
    moment = datetime.combine(statement.issued_on, time(), UTC)
    return typst.compile(
        chosen.template,
        sys_inputs=inputs,
        font_paths=typesetting_fonts(),
        ignore_system_fonts=True,
        timestamp=moment,
    )


def render_png(
    statement: Statement, language: Language = "zh", form: str = "iso_14064", pixels_per_inch: float = 100.0
) -> list[bytes]:
    """Return the pages of the report as PNG, to be looked at before it is downloaded; raises as `render_pdf`."""
    chosen, inputs = _inputs(statement, language, form)
    made = typst.compile(
        chosen.template,
        sys_inputs=inputs,
        format="png",
        ppi=pixels_per_inch,
        font_paths=typesetting_fonts(),
        ignore_system_fonts=True,
    )
    return made if isinstance(made, list) else [made]


def _inputs(statement: Statement, language: Language, form: str) -> tuple[Form, dict[str, str]]:
    """Return the form and what its template is given; raise `Misuse` when a table differs from its total."""
    verify_sums(statement)
    chosen = form_of(form)
    drawings = charts.draw(statement, language)
    inputs = {f"chart-{name}": drawing for name, drawing in drawings.items()}
    inputs["data"] = json.dumps(_data(statement, chosen, language, sorted(drawings)), ensure_ascii=False)
    return chosen, inputs


def chart_png(svg: str, pixels_per_inch: float = 144.0) -> bytes:
    """Return one chart as PNG on white, its text set in the packaged typeface."""
    return typst.compile(
        PNG_FRAME.format(family=FAMILY).encode(),
        sys_inputs={"chart": svg},
        format="png",
        ppi=pixels_per_inch,
        font_paths=typesetting_fonts(),
        ignore_system_fonts=True,
    )


def _data(statement: Statement, form: Form, language: Language, drawn: list[str]) -> dict[str, object]:
    """Return everything the template shows as strings; the template only lays it out."""

    def say(text: Text) -> str:
        return text.in_language(language)

    def title(text: Text) -> str:
        return sentence_case(text) if language == "en" else text.zh

    facts, period = statement.organisation, statement.period
    return {
        "language": language,
        "font": FAMILY,
        "fictional": statement.fictional,
        "verified": statement.verification is not None,
        "sealed": bool(statement.production.seals),
        "title": {"main": say(form.title), "beside": form.title.en if language == "zh" else ""},
        "plant": {"main": say(facts.plant), "beside": facts.plant.en if language == "zh" else ""},
        "organisation": say(facts.name),
        "period": period.label,
        "days": f"{period.first_day.isoformat()} – {period.last_day.isoformat()}",
        "standard": say(statement.standard.title),
        "issued_on": statement.issued_on.isoformat(),
        "book": statement.production.book_head_hash,
        "sections": {section.id: _heading(section.number, section.title, language) for section in form.sections},
        "tables": {key: _table(table, language, statement.time_zone) for key, table in tables(statement).items()},
        "key_figures": [
            {
                "label": title(figure.label),
                "value": figure.value,
                "unit": say(figure.unit),
                "remark": say(figure.remark),
            }
            for figure in summary.key_figures(statement)
        ],
        "sentences": [say(sentence) for sentence in summary.sentences(statement)],
        "charts": drawn,
        "colours": charts.colours(statement),
        "answers": [
            {
                "letter": answer.requirement.letter,
                "text": say(answer.requirement.text),
                "sections": list(answer.requirement.sections),
                "provided": answer.provided,
                "remark": say(answer.remark),
            }
            for answer in answers(form, statement)
        ],
    }


def _heading(number: str, title: Text, language: Language) -> dict[str, str]:
    return {"number": number, "main": title.in_language(language), "beside": title.en if language == "zh" else ""}


def _table(table: Table, language: Language, time_zone: str) -> dict[str, object]:
    """Return a table as strings; a column that says nothing in any row is left out of the page."""
    kept = [place for place, _ in enumerate(table.columns) if any(row[place] != "" for row in table.rows)]
    columns = [table.columns[place] for place in kept]
    return {
        "facts": table.columns == FACT_COLUMNS,
        "columns": [
            {
                "title": column.title.in_language(language),
                "figure": column.is_figure,
                "code": column.kind == "code",
                "width": column.width,
            }
            for column in columns
        ],
        "rows": [
            [shown(row[place], column.kind, language, time_zone) for place, column in zip(kept, columns, strict=True)]
            for row in table.rows
        ],
        "strong": sorted(table.strong),
        "note": table.note.in_language(language) if table.note else "",
    }
