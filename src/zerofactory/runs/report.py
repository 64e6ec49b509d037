"""Write a report of a closed period as PDF or workbook."""

from __future__ import annotations

from pathlib import Path

from zerofactory.errors import FaultyData, Language, NotFound, Problem, Text
from zerofactory.periods import Period
from zerofactory.reporting.form import form_of
from zerofactory.reporting.render import render_pdf, render_png
from zerofactory.reporting.spreadsheet import render_xlsx
from zerofactory.runs.context import Context
from zerofactory.runs.statement import fill
from zerofactory.standards.load import standard
from zerofactory.store.files import write_bytes_whole


def run(
    context: Context, period: Period, form: str, out: Path, regime: str | None = None, language: Language = "zh"
) -> None:
    """Write the report; raise `NotFound` for an unknown form or regime, `FaultyData` for another file type and as `fill` does."""
    chosen = form_of(form)
    regimes = standard(chosen.standard).regimes
    if regime is not None and regime not in regimes:
        raise NotFound(Text("电力口径", "claim regime"), regime, regimes)
    suffix = out.suffix.lower()
    if suffix not in (".pdf", ".xlsx"):
        raise FaultyData(
            [
                Problem(
                    code="report.unknown_type",
                    message=Text(f"不能写“{suffix}”文件。", f"Cannot write '{suffix}' files."),
                    hint=Text("请用 .pdf 或 .xlsx。", "Use .pdf or .xlsx."),
                    file=out.name,
                )
            ]
        )
    statement = fill(context, period, chosen.standard, regime)
    content = render_pdf(statement, language, form) if suffix == ".pdf" else render_xlsx(statement, language, form)
    write_bytes_whole(out, content)


def preview(context: Context, period: Period, form: str, language: Language = "zh") -> list[bytes]:
    """Return the pages of the report as PNG; raises as `run`."""
    return render_png(fill(context, period, form_of(form).standard), language, form)
