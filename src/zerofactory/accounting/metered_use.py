"""Metered use by product (按产品计量的用量): the table `products/metered_use.csv`, where a shop knows what each product took."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite

import polars as pl

from zerofactory import units
from zerofactory.accounting.allocation import MeteredUse
from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.periods import Period
from zerofactory.tables import Column, TableSchema


def _text(name: str, zh: str, en: str, *, nullable: bool = False) -> Column:
    return Column(name, "text", Text(zh, en), nullable=nullable)


METERED_USE = TableSchema(
    "metered_use",
    Text("按产品计量的用量", "metered use by product"),
    (
        _text("product", "产品", "product"),
        _text("work_order", "工单", "work order", nullable=True),
        _text("shop", "车间", "shop"),
        _text("period", "月份", "month"),
        Column("quantity", "number", Text("用量", "quantity"), minimum=0.0),
        _text("unit", "单位", "unit"),
    ),
    key=("product", "work_order", "shop", "period"),
)


def read_metered_use(frame: pl.DataFrame, file: str) -> tuple[tuple[MeteredUse, ...], list[Problem]]:
    """Return the uses in a table of text columns with Chinese or English headers, in one unit for each shop, and every fault."""
    known = {title: c.name for c in METERED_USE.columns for title in (c.name, c.title.zh, c.title.en)}
    names = [known.get(column.strip(), "") for column in frame.columns]
    wanted = {column.name for column in METERED_USE.columns if not column.nullable}
    if "" in names or not wanted <= set(names):
        listed = ", ".join(column.title.zh for column in METERED_USE.columns)
        message = Text(f"表头应为: {listed}。", f"The columns are: {', '.join(METERED_USE.names)}.")
        return (), [Problem("metered_use.columns", message, Text("请改正表头。", "Mend the header."), file=file, row=1)]
    uses: list[MeteredUse] = []
    problems: list[Problem] = []
    units_of: dict[str, str] = {}
    for position, row in enumerate(frame.iter_rows()):
        cells = {name: "" if value is None else str(value).strip() for name, value in zip(names, row, strict=True)}
        try:
            use = _use(cells)
            common = units_of.setdefault(use.shop, cells["unit"])
            uses.append(replace(use, quantity=units.convert(use.quantity, cells["unit"], common)))
        except FaultyData as fault:
            problems += [problem.at(file=file, row=position + 2) for problem in fault.problems]
        except (units.WrongDimension, NotFound) as fault:
            problems.append(fault.as_problem().at(file=file, row=position + 2))
    return tuple(uses), problems


def _use(cells: dict[str, str]) -> MeteredUse:
    try:
        quantity = float(cells["quantity"].replace(",", ""))
    except ValueError:
        quantity = float("nan")
    if not isfinite(quantity) or quantity < 0:
        message = Text(
            f"用量“{cells['quantity']}”应为不小于 0 的数。",
            f"The use '{cells['quantity']}' should be a number not below 0.",
        )
        raise FaultyData([Problem("metered_use.quantity", message, Text("请改正。", "Mend it."))])
    period = Period.parse(cells["period"])
    if period.month is None:
        message = Text(f"“{cells['period']}”不是一个月。", f"'{cells['period']}' is not a month.")
        raise FaultyData([Problem("metered_use.month", message, Text("请写成 2025-03。", "Write it as 2025-03."))])
    return MeteredUse(cells["product"], cells["shop"], period.label, quantity, cells.get("work_order", ""))
