"""Import forms as workbooks: what a plant fills in, with drop-down lists, an example and a sheet that explains it.

The first sheet is the form and holds nothing but its header, so an untouched form imports nothing. The example stands on
a sheet of its own. Columns are data (``templates/*.toml``); headers are exactly those the import reads.
"""

from __future__ import annotations

import io
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from importlib.resources import files
from types import MappingProxyType

from xlsxwriter import Workbook
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from zerofactory import tables, units
from zerofactory.errors import Language, Misuse, Text

FORM, EXAMPLE, HELP, CHOICES = (
    Text("填写", "Form"),
    Text("示例", "Example"),
    Text("说明", "Help"),
    Text("选项", "Choices"),
)
ROWS_WITH_LISTS = 5000
MAX_LIST_CHARACTERS = 255
FIRST_LONG_LIST = 200
FIRST_CHOICE_ROW = 2
FIXED_DATE = datetime.combine(date(2020, 1, 1), time())  # not the clock, so that bytes repeat
Row = tuple[str | float | date | None, ...]


@dataclass(frozen=True, slots=True)
class SourceChoice:
    """A source that can be filled in: id and name in the plant, and what its kind asks of the form.

    ``dimensions`` name the kinds of unit allowed (see the unit table), ``items`` the known items (none: any), ``balance``
    the signed columns that may replace the quantity, ``details`` further columns, ``item_names`` what items are called.
    """

    id: str
    name: Text
    kind: Text
    dimensions: tuple[str, ...]
    items: tuple[str, ...] = ()
    item_required: bool = False
    balance: tuple[tuple[str, int], ...] = ()
    details: tuple[tables.Column, ...] = ()
    item_names: Mapping[str, Text] = field(default_factory=dict)

    @property
    def unit_symbols(self) -> tuple[str, ...]:
        """The units allowed, in the order of the unit table."""
        return tuple(symbol for dimension in self.dimensions for symbol in units.symbols_of(dimension))


@dataclass(frozen=True, slots=True)
class MeterChoice:
    """A meter that can be read: id, name, kind (register, interval, gauge) and unit of its readings."""

    id: str
    name: Text
    kind: str
    unit: str


@dataclass(frozen=True, slots=True)
class FormColumn:
    """One column of an import form: header as the import reads it, explanation, and a list where there is one."""

    key: str
    header: str
    explanation: Text
    required: bool = False
    width: float = 14
    choices: tuple[str, ...] = ()
    only_for: tuple[str, ...] = field(default=())


def activities_workbook(
    sources: Sequence[SourceChoice],
    year: int,
    language: Language = "zh",
    headings: Mapping[str, Text] = MappingProxyType({}),
) -> bytes:
    """Return the document form for the sources of a plant.

    ``year`` dates the example. Balance and detail columns carry their own name, or the heading given for it.
    """
    columns = [*_columns("activities", language), *_extra_columns(sources, language, headings)]
    example = [_document(columns, source, year) for source in _telling(sources)]
    lists = _Lists(
        tuple((source.id, source.name, source.kind, source.unit_symbols, source.items) for source in sources),
        {item: name for source in sources for item, name in source.item_names.items()},
    )
    return _workbook(columns, example, lists, language)


def readings_workbook(meters: Sequence[MeterChoice], year: int, language: Language = "zh") -> bytes:
    """Return the form of meter readings for the meters of a plant. ``year`` dates the example."""
    columns = _columns("readings", language)
    example: list[Row] = [
        (meter.id, f"{year}-01-01 00:{15 * quarter:02d}", 120.5 + quarter, meter.unit, "measured")
        for meter in meters[:1]
        for quarter in range(3)
    ]
    dimensions = tuple((meter.id, meter.name, Text(meter.kind, meter.kind), (meter.unit,), ()) for meter in meters)
    return _workbook(columns, example, _Lists(dimensions), language)


@dataclass(frozen=True, slots=True)
class _Lists:
    """What can be chosen: id, name, kind, units and items of each source or meter."""

    rows: tuple[tuple[str, Text, Text, tuple[str, ...], tuple[str, ...]], ...]
    item_names: Mapping[str, Text] = field(default_factory=dict)

    @property
    def most_units(self) -> int:
        return max((len(row[3]) for row in self.rows), default=0)


def _columns(name: str, language: Language) -> list[FormColumn]:
    plan = tomllib.loads((files("zerofactory.reporting") / "templates" / f"{name}.toml").read_text(encoding="utf-8"))
    return [
        FormColumn(
            row["key"],
            Text(**row["header"]).in_language(language),
            Text(**row["explanation"]),
            row["required"],
            row["width"],
            tuple(row.get("choices", ())),
        )
        for row in plan["columns"]
    ]


def _extra_columns(
    sources: Sequence[SourceChoice], language: Language, headings: Mapping[str, Text]
) -> list[FormColumn]:
    """Balance and detail columns of all sources, each once, with the sources it is for."""
    made: dict[str, FormColumn] = {}
    for source in sources:
        for name, sign in source.balance:
            how = Text("加" if sign > 0 else "减", "added" if sign > 0 else "subtracted")
            title = headings.get(name, Text(name, name))
            explanation = Text(
                f"{title.zh}：库存平衡，数量 = 各列加减之和，此列为{how.zh}。",
                f"{title.en}: stock balance; quantity is the signed sum of these columns, this one is {how.en}.",
            )
            _offer(made, FormColumn(name, _heading(name, headings, language), explanation), source.id)
        for column in source.details:
            unit = f" [{column.unit}]" if column.unit else ""
            explanation = Text(f"{column.title.zh}{unit}", f"{column.title.en}{unit}")
            offered = FormColumn(column.name, _heading(column.name, headings, language), explanation)
            _offer(made, replace(offered, choices=column.choices, required=not column.nullable), source.id)
    return list(made.values())


def _heading(name: str, headings: Mapping[str, Text], language: Language) -> str:
    return headings[name].in_language(language) if name in headings else name


def _offer(made: dict[str, FormColumn], column: FormColumn, source: str) -> None:
    """Add a column, or widen the one of the same name that another source brought."""
    known = made.setdefault(column.key, column)
    choices = tuple(dict.fromkeys((*known.choices, *column.choices)))
    made[column.key] = replace(known, choices=choices, only_for=(*known.only_for, source))


def _telling(sources: Sequence[SourceChoice]) -> list[SourceChoice]:
    """The sources an example shows: the first without a balance and the first with one."""
    plain = [source for source in sources if not source.balance][:1]
    return plain + [source for source in sources if source.balance][:1]


def _document(columns: Sequence[FormColumn], source: SourceChoice, year: int) -> Row:
    if not source.unit_symbols:
        raise Misuse(f"source {source.id} allows no unit")
    filled: dict[str, str | float | date] = {
        "source": source.id,
        "start": date(year, 1, 1),
        "end": date(year, 1, 31),
        "unit": source.unit_symbols[0],
        "tier": "invoiced",
        "document": f"{year}-0001",
    }
    if source.items:
        filled["item"] = source.items[0]
    if source.balance:
        filled |= {name: 100.0 if sign > 0 else 10.0 for name, sign in source.balance}
        filled["document"] = f"{year}-0002"
    else:
        filled["quantity"] = 1000.0
    for column in source.details:
        if not column.nullable:
            filled[column.name] = column.choices[0] if column.choices else 1.0
    return tuple(filled.get(column.key) for column in columns)


def _workbook(columns: Sequence[FormColumn], example: Sequence[Row], lists: _Lists, language: Language) -> bytes:
    stream = io.BytesIO()
    settings = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with Workbook(stream, settings) as book:
        book.set_properties({"created": FIXED_DATE})
        named = [book.add_worksheet(_sheet(title, language)) for title in (FORM, EXAMPLE, HELP, CHOICES)]
        form, shown, explained, chosen = named
        _header(book, form, columns)
        _validate(form, columns, lists)
        _header(book, shown, columns)
        _example(book, shown, example, len(columns))
        _explain(book, explained, columns, lists)
        _offer_choices(book, chosen, lists, language)
        _offer_long_lists(book, chosen, [column for column in columns if _is_long(column)])
    return stream.getvalue()


def _sheet(title: Text, language: Language) -> str:
    return f"{title.zh} {title.en}" if language == "zh" else title.en


def _header(book: Workbook, sheet: Worksheet, columns: Sequence[FormColumn]) -> None:
    """Write the header with a comment each; required columns are dark, dates and times have their format."""
    dark = book.add_format({"bold": True, "font_color": "#FFFFFF", "bg_color": "#0F5257"})
    light = book.add_format({"bold": True, "font_color": "#0F5257", "bg_color": "#D5EBE1"})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    instant = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    kinds = {"start": day, "end": day, "time": instant}
    for place, column in enumerate(columns):
        sheet.set_column(place, place, column.width, kinds.get(column.key))
        sheet.write_string(0, place, column.header, dark if column.required and not column.only_for else light)
        comment = f"{column.explanation.zh}\n{column.explanation.en}"
        sheet.write_comment(0, place, comment, {"x_scale": 2.2, "y_scale": 1.2, "author": "zerofactory"})
    sheet.freeze_panes(1, 1)


def _validate(sheet: Worksheet, columns: Sequence[FormColumn], lists: _Lists) -> None:
    """Attach the drop-down lists; units and items follow the source or meter chosen in the row."""
    row = "MATCH($A2,choice_ids,0)"
    follows = {
        "unit": f"=OFFSET(first_unit,{row}-1,0,1,INDEX(unit_counts,{row}))",
        "item": f"=OFFSET(first_item,{row}-1,0,1,INDEX(item_counts,{row}))",
    }
    for place, column in enumerate(columns):
        rule: dict[str, object] = {"ignore_blank": True}
        if column.key in ("source", "meter") and lists.rows:
            rule |= {"validate": "list", "source": "=choice_ids"}
        elif column.key in follows and lists.rows:
            free = "information" if column.key == "item" else "warning"
            rule |= {"validate": "list", "source": follows[column.key], "error_type": free}
        elif column.choices:
            named = f"=choices_{column.key}" if _is_long(column) else list(column.choices)
            rule |= {"validate": "list", "source": named}
        elif column.key in ("start", "end"):
            rule |= {"validate": "date", "criteria": ">=", "value": date(1990, 1, 1)}
        elif column.key == "quantity":
            rule |= {"validate": "decimal", "criteria": ">=", "value": 0}
        else:
            continue
        sheet.data_validation(1, place, ROWS_WITH_LISTS, place, rule)


def _example(book: Workbook, sheet: Worksheet, rows: Sequence[Row], width: int) -> None:
    grey = book.add_format({"italic": True, "font_color": "#5B6B73"})
    day = book.add_format({"italic": True, "font_color": "#5B6B73", "num_format": "yyyy-mm-dd"})
    for index, row in enumerate(rows, start=1):
        for place, value in enumerate(row):
            if isinstance(value, date):
                sheet.write_datetime(index, place, value, day)
            elif isinstance(value, str):
                sheet.write_string(index, place, value, grey)
            elif value is not None:
                sheet.write_number(index, place, value, grey)
    remark = "本页是示例，不会被导入。 This sheet is an example; it is not imported."
    sheet.write_string(len(rows) + 2, 0, remark, grey)


def _explain(book: Workbook, sheet: Worksheet, columns: Sequence[FormColumn], lists: _Lists) -> None:
    """Explain every column in Chinese and English, then the units that may be used, then the items by name."""
    head = book.add_format({"bold": True, "font_color": "#FFFFFF", "bg_color": "#0F5257"})
    body = book.add_format({"text_wrap": True, "valign": "top", "bottom": 4, "bottom_color": "#DFE5E8"})
    rows: list[tuple[str, ...]] = [
        ("列 Column", "必填 Required", "说明", "Explanation", "可选值 Allowed", "适用排放源 For")
    ]
    for column in columns:
        required = "是 yes" if column.required else "否 no"
        allowed, only = ", ".join(column.choices), ", ".join(column.only_for)
        rows.append((column.header, required, column.explanation.zh, column.explanation.en, allowed, only))
    symbols = dict.fromkeys(symbol for row in lists.rows for symbol in row[3])
    first_unit_row = len(rows) + 1
    rows += [(), ("单位 Unit", "", "名称", "Name", "同类单位 Same kind", "")]
    for symbol in symbols:
        unit = units.parse(symbol)
        rows.append((symbol, "", unit.title.zh, unit.title.en, ", ".join(units.symbols_of(unit.dimension)), ""))
    first_item_row = len(rows) + 1 if lists.item_names else 0
    if lists.item_names:
        rows += [(), ("品种 Item", "", "名称", "Name", "", "")]
        rows += [(item, "", name.zh, name.en, "", "") for item, name in sorted(lists.item_names.items())]
    for index, row in enumerate(rows):
        for place, text in enumerate(row):
            sheet.write_string(index, place, text, head if index in (0, first_unit_row, first_item_row) else body)
    for place, width in enumerate((20, 13, 46, 46, 40, 34)):
        sheet.set_column(place, place, width)
    sheet.freeze_panes(1, 1)


def _offer_choices(book: Workbook, sheet: Worksheet, lists: _Lists, language: Language) -> None:
    """Write what the lists offer and name the ranges they are read from."""
    head = book.add_format({"bold": True, "font_color": "#FFFFFF", "bg_color": "#0F5257"})
    first_item = 6 + lists.most_units
    titles = ("编号 Id", "名称 Name", "种类 Kind", "Name", "单位数 Units", "品种数 Items", "单位 Unit …")
    for place, title in enumerate(titles):
        sheet.write_string(0, place, title, head)
    sheet.write_string(0, first_item, "品种 Item …", head)
    for index, (identifier, name, kind, symbols, items) in enumerate(lists.rows, start=1):
        for place, text in enumerate((identifier, name.zh, kind.in_language(language), name.en)):
            sheet.write_string(index, place, text)
        sheet.write_number(index, 4, max(len(symbols), 1))
        sheet.write_number(index, 5, max(len(items), 1))
        for place, text in enumerate(symbols):
            sheet.write_string(index, 6 + place, text)
        for place, text in enumerate(items):
            sheet.write_string(index, first_item + place, text)
    last = max(len(lists.rows), 1) + 1
    name = sheet.get_name()
    for label, column in (("choice_ids", "A"), ("unit_counts", "E"), ("item_counts", "F")):
        book.define_name(label, f"='{name}'!${column}${FIRST_CHOICE_ROW}:${column}${last}")
    book.define_name("first_unit", f"='{name}'!$G${FIRST_CHOICE_ROW}")
    book.define_name("first_item", f"='{name}'!${xl_col_to_name(first_item)}${FIRST_CHOICE_ROW}")
    sheet.set_column(0, 3, 24)
    sheet.freeze_panes(1, 1)


def _is_long(column: FormColumn) -> bool:
    """Tell whether the choices are too long to stand in the rule itself: a workbook allows 255 characters there."""
    return len(",".join(column.choices)) > MAX_LIST_CHARACTERS


def _offer_long_lists(book: Workbook, sheet: Worksheet, columns: Sequence[FormColumn]) -> None:
    """Write each long list down a column far to the right, and name its range ``choices_<key>``."""
    for place, column in enumerate(columns, start=FIRST_LONG_LIST):
        for index, choice in enumerate(column.choices, start=1):
            sheet.write_string(index, place, choice)
        letter = xl_col_to_name(place)
        last = FIRST_CHOICE_ROW + len(column.choices) - 1
        book.define_name(
            f"choices_{column.key}", f"='{sheet.get_name()}'!${letter}${FIRST_CHOICE_ROW}:${letter}${last}"
        )
