"""Render a statement as a workbook: the same tables as the pages, with real numbers, for whoever computes further.

Text is always written as text: a name that begins with ``=``, ``+``, ``-`` or ``@`` never becomes a formula. The same
statement gives the same bytes.
"""

from __future__ import annotations

import io
from datetime import date, datetime
from math import ceil
from zoneinfo import ZoneInfo

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from zerofactory.errors import Language, Text
from zerofactory.reporting.figures import GRAMS_PER_TONNE
from zerofactory.reporting.form import Form, answers, form_of
from zerofactory.reporting.sections import summary, tables
from zerofactory.reporting.statement import Statement, verify_sums
from zerofactory.reporting.table import Column, Kind, Table, Value, shown_text

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
SHEETS: dict[str, tuple[Text, tuple[str, ...]]] = {
    "summary": (
        Text("汇总", "Summary"),
        ("key_figures", "organisation", "organisational_boundary", "reporting_boundary", "base_year", "verification"),
    ),
    "categories": (Text("类别", "Categories"), ("categories", "indirect", "electricity")),
    "gases": (Text("气体", "Gases"), ("gases", "apart", "removals")),
    "shops": (Text("车间", "Shops"), ("shops",)),
    "sources": (Text("排放源", "Sources"), ("sources", "classes")),
    "months": (Text("月份", "Months"), ("months",)),
    "intensity": (Text("强度与能耗", "Intensity"), ("intensity", "energy")),
    "methods": (Text("方法", "Methods"), ("methods", "method_changes")),
    "activities": (Text("活动数据", "Activities"), ("activities",)),
    "factors": (Text("因子", "Factors"), ("factors",)),
    "applied_factors": (Text("因子与理由", "Factors as applied"), ("applied_factors",)),
    "factor_notes": (Text("因子来源与说明", "Sources and notes"), ("factor_sources",)),
    "factor_reasons": (Text("选用理由", "Reasons"), ("factor_reasons",)),
    "gwp": (Text("全球变暖潜势", "GWP"), ("gwp",)),
    "quality": (Text("数据质量", "Data quality"), ("quality", "uncertainty", "remarks", "closures", "gaps")),
    "exclusions": (Text("排除项", "Exclusions"), ("exclusions",)),
    "checklist": (Text("对照表", "Checklist"), ("checklist",)),
    "seal": (Text("封账", "Seal"), ("production", "seals", "factor_sets")),
}
NUMBER_FORMATS: dict[Kind, str] = {
    "tonnes": "#,##0",
    "share": "0.0%",
    "half_width": '"± "0.0%',
    "number": "General",
    "quantity": "#,##0.###",
    "count": "#,##0",
    "decimal": "#,##0.0",
    "moment": "yyyy-mm-dd hh:mm",
}
TEXT_FORMAT = "@"
FIRST_TABLE_ROW = 3
LINE_POINTS = 15.0


def render_xlsx(statement: Statement, language: Language = "zh", form: str = "iso_14064") -> bytes:
    """Return the report as a workbook with one sheet per subject; see `render_pdf` for the parameters and errors."""
    verify_sums(statement)
    chosen = form_of(form)
    stream = io.BytesIO()
    settings = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with Workbook(stream, settings) as book:
        facts = statement.organisation
        book.set_properties(
            {
                "title": f"{chosen.title.in_language(language)} {statement.period.label}",
                "company": facts.name.in_language(language),
                "created": datetime.combine(statement.issued_on, datetime.min.time()),
            }
        )
        styles = Styles(book)
        made = tables(statement)
        made["key_figures"] = key_figures(statement)
        made["checklist"] = checklist(statement, chosen, language)
        for name, (title, keys) in SHEETS.items():
            sheet = book.add_worksheet(sheet_name(name, language))
            _title(sheet, styles, statement, (title, language))
            _fill(sheet, styles, [made[key] for key in keys], (language, statement.time_zone))
    return stream.getvalue()


def sheet_name(key: str, language: Language) -> str:
    """Return the name of a worksheet: Chinese with English beside it, or English alone."""
    title = SHEETS[key][0]
    return f"{title.zh} {title.en}" if language == "zh" else title.en


def key_figures(statement: Statement) -> Table:
    """Return the key figures as a table, the exact total in grams below."""
    columns = (
        Column(Text("指标", "Figure"), width=28),
        Column(Text("数值", "Value"), "number", 18),
        Column(Text("单位", "Unit"), "unit", 16),
        Column(Text("说明", "Remark"), width=30),
    )
    rows: list[tuple[Value, ...]] = []
    for figure in summary.key_figures(statement):
        amount = figure.amount / GRAMS_PER_TONNE if figure.kind == "tonnes" else figure.amount
        amount = amount * 100 if figure.kind == "share" else amount
        rows.append(
            (figure.label, round(amount, 3) if amount >= 1 else float(f"{amount:.4g}"), figure.unit, figure.remark)
        )
    rows.append((Text("排放总量（精确）", "Total, exact"), f"{statement.total_gco2e}", "gCO₂e", ""))
    return Table("key_figures", Text("关键数字", "Key figures"), columns, tuple(rows))


def checklist(statement: Statement, form: Form, language: Language) -> Table:
    """Return requirements a-t with the sections and worksheets that answer them."""
    columns = (
        Column(Text("条", "Item"), width=6),
        Column(Text("要求", "Requirement"), width=52),
        Column(Text("报告章节", "Section of the report"), width=40),
        Column(Text("工作表", "Worksheet"), width=28),
        Column(Text("状态", "Status"), width=40),
    )
    rows = []
    for answer in answers(form, statement):
        places = [form.section(identifier) for identifier in answer.requirement.sections]
        listed = "; ".join(f"{place.number} {place.title.in_language(language)}" for place in places)
        sheets = "; ".join(dict.fromkeys(sheet_name(place.sheet, language) for place in places))
        rows.append((answer.requirement.letter, answer.requirement.text, listed, sheets, answer.remark))
    return Table("checklist", Text("ISO 14064-1 报告要求对照", "ISO 14064-1 checklist"), columns, tuple(rows))


class Styles:
    """The formats of one workbook, made once each."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._made: dict[tuple[str, bool, bool], Format] = {}
        self.title = book.add_format({"bold": True, "font_size": 15, "font_color": "#0F5257"})
        self.subtitle = book.add_format({"font_color": "#5B6B73"})
        self.fictional = book.add_format({"bold": True, "font_color": "#B3261E"})
        self.caption = book.add_format({"bold": True, "font_size": 12, "font_color": "#22343C"})
        self.head = book.add_format(
            {
                "bold": True,
                "font_color": "#FFFFFF",
                "bg_color": "#0F5257",
                "text_wrap": True,
                "valign": "vcenter",
                "indent": 1,
            }
        )
        self.head_of_figures = book.add_format(
            {
                "bold": True,
                "font_color": "#FFFFFF",
                "bg_color": "#0F5257",
                "text_wrap": True,
                "valign": "vcenter",
                "align": "right",
            }
        )
        self.note = book.add_format({"italic": True, "font_color": "#5B6B73"})

    def cell(self, number_format: str, *, strong: bool, quoted: bool = False) -> Format:
        """Return the format of a body cell; ``quoted`` marks text that looks like a formula."""
        key = (number_format, strong, quoted)
        if key not in self._made:
            made = self._book.add_format({"bottom": 4, "bottom_color": "#DFE5E8", "valign": "top", "bold": strong})
            made.set_num_format(number_format)
            if number_format == TEXT_FORMAT:
                made.set_text_wrap()
                made.set_align("left")
                made.set_indent(1)
            if strong:
                made.set_bg_color("#F1F6F5")
            if quoted:
                made.set_quote_prefix()
            self._made[key] = made
        return self._made[key]


def _title(sheet: Worksheet, styles: Styles, statement: Statement, titled: tuple[Text, Language]) -> None:
    title, language = titled
    sheet.hide_gridlines(2)
    sheet.write_string(0, 0, title.zh + "  " + title.en if language == "zh" else title.en, styles.title)
    facts = f"{statement.organisation.plant.in_language(language)} · {statement.period.label} · {statement.standard.title.in_language(language)}"
    sheet.write_string(1, 0, facts, styles.subtitle)
    if statement.fictional:
        sheet.write_string(2, 0, "虚构示例 Fictional example", styles.fictional)


def _fill(sheet: Worksheet, styles: Styles, made: list[Table], shown: tuple[Language, str]) -> None:
    """Write tables below each other; the header of the first one stays in view."""
    row = FIRST_TABLE_ROW
    widths: dict[int, float] = {}
    for table in made:
        if len(made) > 1:
            sheet.write_string(row, 0, table.title.in_language(shown[0]), styles.caption)
            row += 1
        if table is made[0]:
            sheet.freeze_panes(row + 1, 1)
        row = _write(sheet, styles, table, row, shown) + 1
        for place, column in enumerate(table.columns):
            widths[place] = max(widths.get(place, 0.0), column.width + 2)
    for place, width in widths.items():
        sheet.set_column(place, place, width)
    if len(made) == 1:
        sheet.repeat_rows(FIRST_TABLE_ROW)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


def _write(sheet: Worksheet, styles: Styles, table: Table, row: int, shown: tuple[Language, str]) -> int:
    """Write one table from ``row`` on and return the row after it."""
    language, time_zone = shown
    for place, column in enumerate(table.columns):
        style = styles.head_of_figures if column.is_figure else styles.head
        sheet.write_string(row, place, column.title.in_language(language), style)
    for index, values in enumerate(table.rows):
        lines = 1
        for place, (value, column) in enumerate(zip(values, table.columns, strict=True)):
            plain = shown_text(value, column.kind, language) if isinstance(value, Text) else value
            lines = max(lines, _lines(plain, column.width))
            _cell(
                sheet,
                (row + 1 + index, place),
                _localised(plain, time_zone),
                (styles, column.kind, index in table.strong),
            )
        if lines > 1:
            sheet.set_row(row + 1 + index, LINE_POINTS * lines)
    end = row + 1 + len(table.rows)
    if table.note is not None:
        sheet.write_string(end, 0, table.note.in_language(language), styles.note)
        end += 1
    return end


def _lines(value: Value, width: float) -> int:
    """How many lines a text takes in a column; a Chinese character is as wide as two letters."""
    if not isinstance(value, str):
        return 1
    letters = sum(2 if letter >= "\u2e80" else 1 for letter in value)
    return max(1, ceil(letters / width))


def _localised(
    value: str | int | float | date | datetime | None, time_zone: str
) -> str | int | float | datetime | None:
    if isinstance(value, datetime):
        return value.astimezone(ZoneInfo(time_zone)).replace(tzinfo=None)
    return value.isoformat() if isinstance(value, date) else value


def _cell(
    sheet: Worksheet, at: tuple[int, int], value: str | int | float | datetime | None, style: tuple[Styles, Kind, bool]
) -> None:
    """Write one cell by the type of its value: text as text, grams as tonnes."""
    styles, kind, strong = style
    number_format = NUMBER_FORMATS.get(kind, "General")
    if value is None:
        sheet.write_blank(*at, None, styles.cell("General", strong=strong))
    elif isinstance(value, str):
        quoted = value.startswith(FORMULA_STARTS)
        sheet.write_string(*at, value, styles.cell(TEXT_FORMAT, strong=strong, quoted=quoted))
    elif isinstance(value, datetime):
        sheet.write_datetime(*at, value, styles.cell(number_format, strong=strong))
    else:
        amount = value / GRAMS_PER_TONNE if kind == "tonnes" else value
        if kind == "quantity" and amount == int(amount):
            number_format = NUMBER_FORMATS["count"]
        sheet.write_number(*at, amount, styles.cell(number_format, strong=strong))
