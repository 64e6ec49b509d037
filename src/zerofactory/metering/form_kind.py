"""The rows of a form that are of one kind of source: quantity or balance, unit, item and particulars."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

import numpy as np

from zerofactory import units
from zerofactory.errors import NotFound, Problem
from zerofactory.factors import vocabulary
from zerofactory.metering.activity_table import FormKind, canonical
from zerofactory.metering.cells import numbers, texts
from zerofactory.metering.heading import FORM_COLUMNS, title_of
from zerofactory.metering.sheet import Fault, Sheet
from zerofactory.site.model import Plant
from zerofactory.tables import Column

if TYPE_CHECKING:
    import polars as pl

_MICRO = 1_000_000
_MOST = 1e12
_COMMON = {column.name for column in FORM_COLUMNS} | {"row", "source_id", "kind", "shop", "first", "last", "tier_id"}
KEPT = (
    "row", "source_id", "kind", "shop", "first", "last", "tier_id",
    "item", "quantity", "unit", "detail", "identity", "document", "note",
)  # fmt: skip


def of_kind(sheet: Sheet, kind: FormKind, plant: Plant) -> tuple[pl.DataFrame, list[Problem]]:
    """Return the rows with item, quantity, unit, detail, identity, document and note (`KEPT`), and every fault in them."""
    import polars as pl

    quantity, balance_note, problems = _quantity(sheet, kind)
    unit, faults = _unit(sheet, kind)
    problems += faults
    item, faults = _item(sheet, kind, plant)
    problems += faults
    detail, faults = _detail(sheet, kind, plant)
    problems += [*faults, *_foreign(sheet, kind)]
    note = pl.DataFrame({"note": texts(sheet.frame["note"]), "balance": balance_note}).select(
        pl.concat_str("note", "balance", separator="; ", ignore_nulls=True).replace("", None)
    )
    frame = sheet.frame.drop("item", "quantity", "unit", "note", "document").with_columns(
        quantity.alias("quantity"),
        unit.alias("unit"),
        item.alias("item"),
        detail["detail"],
        detail["identity"],
        note["note"],
        texts(sheet.frame["document"]).alias("document"),
    )
    return frame.select(KEPT), problems


def _quantity(sheet: Sheet, kind: FormKind) -> tuple[pl.Series, pl.Series, list[Problem]]:
    """Return quantity and, where it is a balance, its terms as a note."""
    import polars as pl

    frame = sheet.frame
    signs = {name: sign for name, sign in kind.balance if name in frame.columns}
    problems: list[Problem] = []
    read: dict[str, pl.Series] = {}
    for name in ("quantity", *signs):
        read[name] = numbers(frame[name])
        unreadable = read[name].is_null() & texts(frame[name]).is_not_null()
        problems += sheet.tell(unreadable, name, _NOT_A_NUMBER)
        problems += sheet.tell(read[name] < 0.0, name, _NEGATIVE)
        problems += sheet.tell(read[name] > _MOST, name, _TOO_LARGE)
    given = texts(frame["quantity"]).is_not_null()
    if not signs:
        return read["quantity"], _nothing(sheet), problems + sheet.tell(given.not_(), "quantity", _NO_QUANTITY)
    balanced = reduce(or_, (texts(frame[name]).is_not_null() for name in signs))
    problems += sheet.tell(balanced & given, "quantity", _BOTH)
    problems += sheet.tell((balanced | given).not_(), "quantity", _NO_QUANTITY)
    parts = pl.DataFrame({"balanced": balanced, **read}).select("balanced", "quantity", _balance(signs), _terms(signs))
    problems += sheet.tell(balanced & (parts["balance"] < 0.0), next(iter(signs)), _NEGATIVE_BALANCE)
    chosen = parts.select(
        pl.when("balanced").then("balance").otherwise("quantity").alias("quantity"),
        pl.when("balanced").then("terms").alias("terms"),
    )
    return chosen["quantity"], chosen["terms"], problems


def _nothing(sheet: Sheet) -> pl.Series:
    import polars as pl

    return pl.Series([None], dtype=pl.String).new_from_index(0, len(sheet.frame))


def _balance(signs: Mapping[str, int]) -> pl.Expr:
    """Return Σ sign × column, summed in millionths so that 0.3 stays 0.3."""
    import polars as pl

    most = _MOST * _MICRO
    whole = [
        (pl.col(name).fill_null(0.0) * _MICRO).clip(-most, most).round().cast(pl.Int64) * sign
        for name, sign in signs.items()
    ]
    return pl.sum_horizontal(whole).map_batches(_of_millionths, return_dtype=pl.Float64).alias("balance")


def _of_millionths(whole: pl.Series) -> pl.Series:
    """Return whole / 1 000 000, correctly rounded (a division, never a product with a reciprocal)."""
    import polars as pl

    return pl.Series(whole.to_numpy() / np.float64(_MICRO))


def _terms(signs: Mapping[str, int]) -> pl.Expr:
    import polars as pl

    said = [
        pl.when(pl.col(name).is_not_null()).then(
            pl.format(f"{'+' if sign > 0 else '-'} {title_of(name).zh} {{}}", name)
        )
        for name, sign in signs.items()
    ]
    return pl.concat_str(said, separator=" ", ignore_nulls=True).str.strip_prefix("+ ").alias("terms")


def _unit(sheet: Sheet, kind: FormKind) -> tuple[pl.Series, list[Problem]]:
    """Return the symbol of each unit, and the faults of unknown units and of units of another dimension."""
    import polars as pl

    written = texts(sheet.frame["unit"])
    accepted = [symbol for dimension in kind.units for symbol in units.symbols_of(dimension)]
    listed = ", ".join(accepted)
    hint = (f"可用单位: {listed}。", f"Units: {listed}.")
    symbols: dict[str, str | None] = {}
    problems = sheet.tell(written.is_null(), "unit", Fault("no_unit", "没有单位。", "There is no unit.", *hint))
    for spelling in written.unique().drop_nulls().sort().to_list():
        try:
            unit = units.parse(spelling)
        except NotFound:
            problems += sheet.tell(
                written == spelling,
                "unit",
                Fault("unknown_unit", "没有单位“{value}”。", "There is no unit '{value}'.", *hint),
            )
            continue
        symbols[spelling] = unit.symbol
        if unit.dimension not in kind.units:
            wrong = Fault(
                "wrong_unit",
                f"单位“{{value}}”({unit.title.zh})不适用于该排放源。",
                f"Unit '{{value}}' ({unit.title.en}) does not fit this source.",
                *hint,
            )
            problems += sheet.tell(written == spelling, "unit", wrong)
    return written.replace_strict(list(symbols), list(symbols.values()), default=None, return_dtype=pl.String), problems


def _item(sheet: Sheet, kind: FormKind, plant: Plant) -> tuple[pl.Series, list[Problem]]:
    """Return the item of each row: as written, or the source's own."""
    import polars as pl

    own = {source.id: source.item for source in plant.sources if source.item}
    written = texts(sheet.frame["item"])
    spellings = written.unique().drop_nulls().to_list()
    names = {name: name if name in kind.items else vocabulary.canonical(name) for name in spellings}
    given = written.replace_strict(list(names), list(names.values()), default=None, return_dtype=pl.String)
    fixed = sheet.frame["source_id"].replace_strict(list(own), list(own.values()), default=None, return_dtype=pl.String)
    item = given.fill_null(fixed)
    listed = ", ".join(kind.items)
    hint = (f"可选: {listed}。", f"Choose one of: {listed}.") if listed else ("请写明品种。", "Name the item.")
    problems: list[Problem] = []
    if kind.items:
        strange = item.is_not_null() & item.is_in(list(kind.items)).not_()
        problems += sheet.tell(
            strange, "item", Fault("unknown_item", "没有品种“{value}”。", "There is no item '{value}'.", *hint)
        )
    differs = Fault(
        "item_differs",
        "品种“{value}”与该排放源设定的品种不同。",
        "Item '{value}' is not the item set for this source.",
        "请改正品种或换用另一个排放源。",
        "Mend the item or use another source.",
    )
    known = item.is_in(list(kind.items)) if kind.items else item.is_not_null()
    problems += sheet.tell(((given != fixed) & known).fill_null(False), "item", differs)
    if kind.item_required:
        problems += sheet.tell(item.is_null(), "item", Fault("no_item", "没有品种。", "There is no item.", *hint))
    return item, problems


def _detail(sheet: Sheet, kind: FormKind, plant: Plant) -> tuple[pl.DataFrame, list[Problem]]:
    """Return ``detail`` (canonical JSON of the source's particulars and the row's own) and ``identity`` (its texts)."""
    import polars as pl

    own = {source.id: dict(source.detail) for source in plant.sources}
    problems: list[Problem] = []
    given: dict[str, pl.Series] = {}
    for column in kind.details:
        if column.name in sheet.frame.columns:
            given[column.name], faults = _particular(sheet, column)
            problems += faults
        if not column.nullable:
            stated = [source_id for source_id, detail in own.items() if detail.get(column.name) not in (None, "")]
            empty = sheet.frame["source_id"].is_in(stated).not_()
            if column.name in given:
                empty &= texts(sheet.frame[column.name]).is_null()
            problems += sheet.tell(empty, column.name, _missing_detail(column))
    combos = pl.DataFrame({"source_id": sheet.frame["source_id"], **given})
    unique = combos.unique(maintain_order=True)
    merged = [
        own[row.pop("source_id")] | {name: value for name, value in row.items() if value is not None}
        for row in unique.iter_rows(named=True)
    ]
    known = unique.with_columns(
        pl.Series("detail", [canonical(entry) for entry in merged], dtype=pl.String),
        pl.Series("identity", [canonical(_texts_of(entry)) for entry in merged], dtype=pl.String),
    )
    joined = combos.join(known, on=combos.columns, how="left", nulls_equal=True, maintain_order="left")
    return joined.select("detail", "identity"), problems


def _particular(sheet: Sheet, column: Column) -> tuple[pl.Series, list[Problem]]:
    written = texts(sheet.frame[column.name])
    if column.dtype not in ("number", "integer"):
        if not column.choices:
            return written, []
        listed = ", ".join(column.choices)
        hint = (f"可选: {listed}。", f"Choose one of: {listed}.")
        strange = written.is_not_null() & written.is_in(list(column.choices)).not_()
        fault = Fault(
            "not_a_choice",
            f"“{column.title.zh}”不能是“{{value}}”。",
            f"'{column.title.en}' cannot be '{{value}}'.",
            *hint,
        )
        return written, sheet.tell(strange, column.name, fault)
    read = numbers(sheet.frame[column.name])
    problems = sheet.tell(read.is_null() & written.is_not_null(), column.name, _NOT_A_NUMBER)
    low = float("-inf") if column.minimum is None else column.minimum
    high = float("inf") if column.maximum is None else column.maximum
    bounds = f"{low:g} … {high:g}"
    fault = Fault(
        "out_of_range",
        f"“{{value}}”不在 {bounds} 之内。",
        f"'{{value}}' is not within {bounds}.",
        "请核对。",
        "Check it.",
    )
    return read, problems + sheet.tell((read < low) | (read > high), column.name, fault)


def _texts_of(detail: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in detail.items() if isinstance(value, str)}


def _missing_detail(column: Column) -> Fault:
    listed = ", ".join(column.choices)
    return Fault(
        "missing_detail",
        f"缺少“{column.title.zh}”。",
        f"'{column.title.en}' is missing.",
        f"请填写“{column.name}”列" + (f", 可选: {listed}。" if listed else "。"),
        f"Fill in the column '{column.name}'" + (f", one of: {listed}." if listed else "."),
    )


def _foreign(sheet: Sheet, kind: FormKind) -> list[Problem]:
    """Return a problem for every cell in a column that this kind of source does not take."""
    taken = {name for name, _ in kind.balance} | {column.name for column in kind.details} | _COMMON
    fault = Fault(
        "not_for_this_source",
        "该排放源没有这一列, 却填了“{value}”。",
        "This source does not take this column, yet it says '{value}'.",
        "请清空该单元格。",
        "Empty the cell.",
    )
    problems: list[Problem] = []
    for name in sheet.frame.columns:
        if name not in taken:
            problems += sheet.tell(texts(sheet.frame[name]).is_not_null(), name, fault)
    return problems


_NOT_A_NUMBER = Fault(
    "not_a_number", "“{value}”不是数。", "'{value}' is not a number.", "请只填数字。", "Write digits only."
)
_NEGATIVE = Fault(
    "negative",
    "“{value}”为负。",
    "'{value}' is negative.",
    "请填正数; 更正请用冲销。",
    "Write a positive number; correct by a reversal.",
)
_TOO_LARGE = Fault(
    "too_large", "“{value}”过大。", "'{value}' is too large.", "请核对数量与单位。", "Check quantity and unit."
)
_BOTH = Fault(
    "quantity_and_balance",
    "既填了数量, 又填了库存平衡。",
    "Both a quantity and a balance are given.",
    "请只填其中之一。",
    "Give one of them.",
)
_NO_QUANTITY = Fault(
    "no_quantity",
    "没有数量。",
    "There is no quantity.",
    "请填数量或库存平衡各列。",
    "Give a quantity or the columns of a balance.",
)
_NEGATIVE_BALANCE = Fault(
    "negative_balance",
    "库存平衡结果为负。",
    "The balance comes out negative.",
    "请核对期初、购入与期末。",
    "Check opening, purchased and closing.",
)
