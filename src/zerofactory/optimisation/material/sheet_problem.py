"""Sheets in the store, rectangles ordered, and how the shear may cut them; every fault named before anything is solved."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from zerofactory.errors import Problem, Text
from zerofactory.optimisation.material.cuts import fault
from zerofactory.optimisation.material.slit_problem import repeated, thick

GRID_PER_MM = 1  # a shear's stop is set to a millimetre; a finer size is rounded up, a sheet down
LARGEST_MM, SMALLEST_MM = 20_000.0, 1.0
MOST_PIECES = 1_000_000


@dataclass(frozen=True, slots=True)
class Sheet:
    """Sheets of one size: ``length_mm`` lies along the rolling direction."""

    id: str
    grade: str
    thickness_mm: float
    length_mm: float
    width_mm: float
    count: int
    price_cny_per_kg: float = 0.0
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Rectangle:
    """Pieces wanted: ``length_mm`` along the rolling direction; ``may_turn`` by 90°."""

    id: str
    grade: str
    thickness_mm: float
    length_mm: float
    width_mm: float
    pieces: int
    may_turn: bool = False
    row: int | None = None


@dataclass(frozen=True, slots=True)
class SheetProblem:
    """One grade and gauge. ``stages``: 2 or 3; ``kerf_mm`` is lost at each cut; ``count_sheets`` counts sheets instead of kg."""

    sheets: tuple[Sheet, ...]
    orders: tuple[Rectangle, ...]
    stages: int = 3
    kerf_mm: float = 0.0
    trim_mm: float = 0.0
    count_sheets: bool = True

    def size(self, sheet: Sheet) -> tuple[int, int]:
        """Return usable length and width on the grid; one kerf longer, since the last piece in a row needs none after it."""
        extra = self.kerf_mm - 2 * self.trim_mm
        return (
            math.floor((sheet.length_mm + extra) * GRID_PER_MM + 1e-6),
            math.floor((sheet.width_mm + extra) * GRID_PER_MM + 1e-6),
        )

    def piece(self, order: Rectangle, turned: bool) -> tuple[int, int]:
        """Return the length and width a piece takes on the grid, its kerf included."""
        sides = (order.width_mm, order.length_mm) if turned else (order.length_mm, order.width_mm)
        length, width = (math.ceil((side + self.kerf_mm) * GRID_PER_MM - 1e-6) for side in sides)
        return length, width

    def ways(self, order: Rectangle) -> tuple[bool, ...]:
        """Return the ways a piece may lie: not turned, turned."""
        return (False, True) if order.may_turn and order.length_mm != order.width_mm else (False,)

    def cost(self, sheet: Sheet) -> float:
        """Return what a sheet counts for: one, or its area (the mass of one gauge is in proportion)."""
        return 1.0 if self.count_sheets else sheet.length_mm * sheet.width_mm / 1e6

    def cells(self, sheet: Sheet) -> float:
        """Return the size of one pricing."""
        length, width = self.size(sheet)
        sorts = sum(len(self.ways(one)) for one in self.orders)
        return (
            float(sorts) * sorts * (length if self.stages == 2 else 1.0)
            + float(sorts) * length * (width if self.stages == 3 else 1) / 100
        )

    def area_bound(self) -> float:
        """Return the least by area alone: what the pieces cover at the best ratio of cost to area."""
        area = sum(one.length_mm * one.width_mm * one.pieces for one in self.orders)
        return min((self.cost(one) * area / (one.length_mm * one.width_mm) for one in self.sheets), default=0.0)

    def check(self) -> list[Problem]:
        """Return every fault."""
        found = list(self._sizes())
        if not self.orders:
            found.append(fault("no_orders", Text("没有订单。", "There are no orders."), Text("请至少写一行订单。", "Write at least one order.")))  # fmt: skip
        if self.stages not in (2, 3):
            found.append(fault("stages", Text(f"剪切段数 {self.stages} 不是 2 或 3。", f"{self.stages} stages: only 2 or 3 are known."), Text("请写 2 或 3。", "Write 2 or 3."), column="stages"))  # fmt: skip
        if sum(one.pieces for one in self.orders) > MOST_PIECES:
            said = Text(f"订单合计超过 {MOST_PIECES:,} 件。", f"The orders add up to more than {MOST_PIECES:,} pieces.")
            found.append(fault("too_many", said, Text("请分批。", "Split them into lots."), column="pieces"))
        return found or [*self._fits(), *self._stock()]

    def _sizes(self) -> Iterator[Problem]:
        yield from repeated([(one.id, one.row) for one in self.sheets], Text("板料", "sheet"))
        yield from repeated([(one.id, one.row) for one in self.orders], Text("订单", "order"))
        both: tuple[Sheet | Rectangle, ...] = (*self.sheets, *self.orders)
        for one in both:
            for column in ("length_mm", "width_mm"):
                value = getattr(one, column)
                if not SMALLEST_MM <= value <= LARGEST_MM:
                    yield fault("size_unit", Text(f"“{one.id}”的 {column} = {value:g} 不在 {SMALLEST_MM:g} 到 {LARGEST_MM:g} mm 之间。", f"{column} of '{one.id}' is {value:g}, not between {SMALLEST_MM:g} and {LARGEST_MM:g} mm."), Text("请核对单位: 列名写成 width_m 即按米读。", "Check the unit: a column named width_m is read as metres."), one.row, column)  # fmt: skip
            number = one.count if isinstance(one, Sheet) else one.pieces
            if number <= 0:
                yield fault("not_positive", Text(f"“{one.id}”的数量 {number} 应大于 0。", f"The number of '{one.id}', {number}, must be above 0."), Text("请填写正整数。", "Give a positive whole number."), one.row, "count" if isinstance(one, Sheet) else "pieces")  # fmt: skip
            if not 0 < one.thickness_mm <= 100:
                yield thick(one.id, one.thickness_mm, one.row)

    def _fits(self) -> Iterator[Problem]:
        for order in self.orders:
            sizes = [self.size(sheet) for sheet in self.sheets if sheet.grade == order.grade and sheet.thickness_mm == order.thickness_mm]  # fmt: skip
            if not sizes:
                have = ", ".join(sorted({f"{one.grade} {one.thickness_mm:g} mm" for one in self.sheets}))
                yield fault("no_such_sheet", Text(f"订单“{order.id}”要 {order.grade} {order.thickness_mm:g} mm, 库中没有。", f"Order '{order.id}' wants {order.grade} {order.thickness_mm:g} mm; the store has none."), Text(f"库中有: {have}。", f"In the store: {have}."), order.row, "grade")  # fmt: skip
                continue
            lies = [self.piece(order, turned) for turned in self.ways(order)]
            if not any(length <= x and width <= y for length, width in lies for x, y in sizes):
                turn = "" if order.may_turn else "(不可旋转)"
                yield fault("larger_than_sheet", Text(f"订单“{order.id}” {order.length_mm:g} × {order.width_mm:g} mm{turn} 放不进任何板料。", f"Order '{order.id}', {order.length_mm:g} × {order.width_mm:g} mm{'' if order.may_turn else ' (not to be turned)'}, fits no sheet."), Text("请核对尺寸与单位, 或允许旋转, 或备更大的板料。", "Check size and unit, allow turning, or stock a larger sheet."), order.row, "length_mm")  # fmt: skip

    def _stock(self) -> Iterator[Problem]:
        need = sum(one.length_mm * one.width_mm * one.pieces for one in self.orders) / 1e6
        there = sum(one.length_mm * one.width_mm * one.count for one in self.sheets) / 1e6
        if need > there:
            yield fault("above_stock", Text(f"订单面积 {need:,.1f} m2, 库存板料只有 {there:,.1f} m2。", f"The orders cover {need:,.1f} m2; the sheets in the store {there:,.1f} m2."), Text("请增加板料或减少订单。", "Add sheets or order less."), column="pieces")  # fmt: skip
