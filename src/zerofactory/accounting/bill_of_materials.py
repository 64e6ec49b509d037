"""Bill of materials (物料清单): what one product is made of, level by level, and where each part's footprint is from.

A row is a part under its parent (empty = the product itself) with the quantity in one parent. A part that has parts of its own
is an assembly; every other part names exactly one ground for its figure: a supplier's footprint, a material factor, another
product of the plant (``product:ID``), or that it was cut off, with the reason in the note.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite

import polars as pl

from zerofactory import units
from zerofactory.errors import NotFound, Problem, Text, errors_of
from zerofactory.tables import Column, TableSchema

OWN_PRODUCT = "product:"
_YES, _NO = ("是", "yes", "y", "true", "1"), ("否", "no", "n", "false", "0", "")
MAX_PATHS = 200_000


def _text(name: str, zh: str, en: str, *, nullable: bool = True) -> Column:
    return Column(name, "text", Text(zh, en), nullable=nullable)


BILL = TableSchema(
    "bill_of_materials",
    Text("物料清单", "bill of materials"),
    (
        _text("part", "零部件", "part", nullable=False),
        _text("name", "名称", "name"),
        _text("parent", "上级", "parent"),
        Column("quantity", "number", Text("数量", "quantity"), minimum=0.0),
        _text("unit", "单位", "unit", nullable=False),
        _text("supplier_footprint", "供应商碳足迹", "supplier footprint"),
        _text("item", "材料", "material"),
        _text("recycled_item", "再生材料", "recycled material"),
        Column(
            "recycled_fraction",
            "number",
            Text("再生比例", "recycled fraction"),
            nullable=True,
            minimum=0.0,
            maximum=1.0,
        ),
        _text("cut_off", "取舍", "cut off"),
        _text("note", "备注", "note"),
    ),
    key=("part", "parent"),
)


@dataclass(frozen=True, slots=True)
class Part:
    """One row. ``row`` is its line in the file."""

    row: int
    part: str
    name: str
    parent: str
    quantity: float
    unit: str
    supplier_footprint: str = ""
    item: str = ""
    recycled_item: str = ""
    recycled_fraction: float = 0.0
    cut_off: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Bill:
    """The parts of one product, in the order of the file."""

    product: str
    file: str
    parts: tuple[Part, ...]

    def own_products(self) -> tuple[str, ...]:
        """Return the other products of the plant that go into this one."""
        named = (part.supplier_footprint for part in self.parts)
        return tuple(dict.fromkeys(name.removeprefix(OWN_PRODUCT) for name in named if name.startswith(OWN_PRODUCT)))


@dataclass(frozen=True, slots=True)
class Need:
    """How much of one part a unit of the product holds, along one path of assemblies."""

    part: Part
    quantity: float
    path: tuple[str, ...]

    @property
    def mass_kg(self) -> float | None:
        """The mass, None for a part that is not counted by mass."""
        unit = units.parse(self.part.unit)
        return units.convert(self.quantity, self.part.unit, "kg") if unit.dimension == "mass" else None


def read_bill(frame: pl.DataFrame, product: str, file: str) -> tuple[Bill | None, list[Problem]]:
    """Return the bill in a table of text columns with Chinese or English headers, or None, and every fault.

    Faults: unknown or missing columns, empty part or unit, a quantity that is no number or negative, an unknown unit, a share
    outside 0–1, a repeated row, an unknown parent, a cycle (which is named), a part without exactly one ground for its
    figure, an assembly that also has a figure of its own.
    """
    headers, problems = _headers(frame.columns)
    if errors_of(problems):
        return None, [problem.at(file=file) for problem in problems]
    parts: list[Part] = []
    for position, row in enumerate(frame.iter_rows()):
        cells = {name: "" if value is None else str(value).strip() for name, value in zip(headers, row, strict=True)}
        if any(cells.values()):
            part, faults = _part(cells, position + 2)
            problems += faults
            parts += [part] if part is not None else []
    if not errors_of(problems):
        problems += check(Bill(product, file, tuple(parts)))
    located = [problem.at(file=file) for problem in problems]
    return (None if errors_of(located) else Bill(product, file, tuple(parts))), located


def _headers(columns: list[str]) -> tuple[list[str], list[Problem]]:
    known = {title: c.name for c in BILL.columns for title in (c.name, c.title.zh, c.title.en)}
    names = [known.get(column.strip(), known.get(column.strip().lower(), "")) for column in columns]
    listed = ", ".join(column.title.zh for column in BILL.columns)
    problems = [
        _fault(
            "unknown_column",
            Text(f"不认识“{column}”列。", f"Column '{column}' is unknown."),
            Text(f"可用的列: {listed}。", f"Columns: {', '.join(BILL.names)}."),
            row=1,
        )
        for column, name in zip(columns, names, strict=True)
        if not name
    ]
    problems += [
        _fault(
            "missing_column",
            Text(f"缺少“{column.title.zh}”列。", f"Column '{column.name}' is missing."),
            Text("请补上。", "Add it."),
            row=1,
        )
        for column in BILL.columns
        if not column.nullable and column.name not in names
    ]
    return names, problems


def _part(cells: Mapping[str, str], row: int) -> tuple[Part | None, list[Problem]]:
    problems: list[Problem] = []

    def tell(code: str, message: Text, hint: Text, column: str) -> None:
        problems.append(_fault(code, message, hint, row, BILL.column(column).title.zh))

    for name in ("part", "unit"):
        if not cells.get(name):
            tell("empty", Text("不能为空。", "Must not be empty."), Text("请填写。", "Fill it in."), name)
    numbers = {}
    for name in ("quantity", "recycled_fraction"):
        text = cells.get(name, "")
        value = 0.0 if not text and name == "recycled_fraction" else _number(text)
        if value is None:
            tell(
                "not_a_number",
                Text(f"“{text}”不是数。", f"'{text}' is not a number."),
                Text("请填写数字。", "Write a number."),
                name,
            )
        elif value < 0:
            tell(
                "negative",
                Text(f"数量或质量不能为负: {text}。", f"A quantity or mass must not be negative: {text}."),
                Text("请改正; 回收料请用再生比例。", "Mend it; for recycled input use the recycled fraction."),
                name,
            )
        elif name == "recycled_fraction" and value > 1:
            tell(
                "above_one",
                Text(f"再生比例 {text} 大于 1。", f"The recycled fraction {text} is above 1."),
                Text("25 % 请写 0.25。", "Write 25 % as 0.25."),
                name,
            )
        numbers[name] = value if value is not None else 0.0
    unit = cells.get("unit", "")
    try:
        unit = units.parse(unit).symbol if unit else unit
    except NotFound as error:
        problems.append(error.as_problem().at(row=row, column=BILL.column("unit").title.zh))
    cut = cells.get("cut_off", "").lower()
    if cut not in _YES and cut not in _NO:
        tell(
            "not_yes_no",
            Text(f"取舍应为 是 或 否, 不是“{cut}”。", f"Cut off should be yes or no, not '{cut}'."),
            Text("请改正。", "Mend it."),
            "cut_off",
        )
    if problems:
        return None, problems
    texts = {
        name: cells.get(name, "")
        for name in ("part", "name", "parent", "supplier_footprint", "item", "recycled_item", "note")
    }
    return Part(row=row, unit=unit, cut_off=cut in _YES, **texts, **numbers), []  # type: ignore[arg-type]


def _number(text: str) -> float | None:
    try:
        value = float(text.replace(",", ""))
    except ValueError:
        return None
    return value if isfinite(value) else None


def check(bill: Bill) -> list[Problem]:
    """Return every fault between the rows of a bill."""
    problems = []
    names = {part.part for part in bill.parts}
    assemblies = {part.parent for part in bill.parts if part.parent and part.parent != bill.product}
    seen: dict[tuple[str, str], int] = {}
    for part in bill.parts:
        if (part.part, part.parent) in seen:
            first = seen[part.part, part.parent]
            problems.append(
                _fault(
                    "repeated",
                    Text(f"“{part.part}”与第{first}行重复。", f"'{part.part}' repeats row {first}."),
                    Text("请合并数量。", "Join the quantities."),
                    part.row,
                )
            )
        seen.setdefault((part.part, part.parent), part.row)
        if part.parent not in names and part.parent not in ("", bill.product):
            problems.append(
                _fault(
                    "unknown_parent",
                    Text(f"上级“{part.parent}”不在清单里。", f"The parent '{part.parent}' is not in the bill."),
                    Text("请补上该行或改正。", "Add its row or mend it."),
                    part.row,
                )
            )
        problems += _ground(part, part.part in assemblies)
    below: dict[str, list[str]] = {part.part: [] for part in bill.parts}
    for part in bill.parts:
        below.setdefault(part.parent, []).append(part.part)
    problems += [_cycle(ring, bill) for ring in rings(below)]
    return problems


def _ground(part: Part, assembly: bool) -> list[Problem]:
    """Return what is wrong with where a part's figure is to come from."""
    given = [bool(part.supplier_footprint), bool(part.item), part.cut_off]
    if assembly and any(given):
        return [
            _fault(
                "counted_twice",
                Text(
                    f"“{part.part}”有下级又有自己的碳足迹, 会重复计算。",
                    f"'{part.part}' has parts below it and a figure of its own: it would count twice.",
                ),
                Text("请删去下级, 或删去本行的供应商碳足迹、材料、取舍。", "Remove its parts, or its own figure."),
                part.row,
            )
        ]
    if not assembly and sum(given) != 1:
        return [
            _fault(
                "no_ground",
                Text(
                    f"“{part.part}”须且只须填写供应商碳足迹、材料、取舍之一。",
                    f"'{part.part}' needs exactly one of supplier footprint, material, cut off.",
                ),
                Text(
                    "没有数据可写取舍=是并在备注说明理由。",
                    "Without data write cut off = yes and the reason in the note.",
                ),
                part.row,
            )
        ]
    if part.cut_off and not part.note:
        return [
            _fault(
                "cut_off_reason",
                Text(f"“{part.part}”取舍没有理由。", f"'{part.part}' is cut off without a reason."),
                Text("请在备注写明。", "State it in the note."),
                part.row,
            )
        ]
    if bool(part.recycled_fraction) != bool(part.recycled_item):
        return [
            _fault(
                "recycled",
                Text(
                    f"“{part.part}”的再生材料与再生比例要同时填写。",
                    f"'{part.part}' needs both the recycled material and the recycled fraction, or neither.",
                ),
                Text("请补全。", "Complete it."),
                part.row,
            )
        ]
    return []


def rings(below: Mapping[str, list[str]]) -> Iterator[tuple[str, ...]]:
    """Yield each cycle of a graph once, as the names along it, the first repeated at the end.

    Examples
    --------
    >>> list(rings({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]}))
    [('a', 'b', 'c', 'a')]
    """
    done: set[str] = set()
    for start in below:
        if start in done:
            continue
        path: list[str] = [start]
        stack = [iter(below[start])]
        while stack:
            follower = next(stack[-1], None)
            if follower is None:
                done.add(path.pop())
                stack.pop()
            elif follower in path:
                yield (*path[path.index(follower) :], follower)
            elif follower not in done and follower in below:
                path.append(follower)
                stack.append(iter(below[follower]))


def _cycle(ring: tuple[str, ...], bill: Bill) -> Problem:
    shown = " → ".join(ring)
    row = next(part.row for part in bill.parts if part.part == ring[0])
    return _fault(
        "cycle",
        Text(f"物料清单有环: {shown}。", f"The bill of materials has a cycle: {shown}."),
        Text("零部件不能含有自己; 请改正上级。", "A part cannot hold itself; mend a parent."),
        row,
    )


def needs(bill: Bill) -> list[Need]:
    """Return every part without parts of its own with its amount in one unit of the product, path by path.

    A part under several parents is counted under each. The bill must be free of faults (see `read_bill`).
    """
    below: dict[str, list[Part]] = {}
    for part in bill.parts:
        below.setdefault("" if part.parent == bill.product else part.parent, []).append(part)
    found: list[Need] = []
    stack = [Need(part, part.quantity, (part.part,)) for part in reversed(below.get("", []))]
    while stack:
        need = stack.pop()
        inner = below.get(need.part.part, [])
        if not inner:
            found.append(need)
        for part in reversed(inner):
            stack.append(Need(part, need.quantity * part.quantity, (*need.path, part.part)))
        if len(found) + len(stack) > MAX_PATHS:
            raise_too_deep(bill)
    return found


def raise_too_deep(bill: Bill) -> None:
    """Raise the problem of a bill that unfolds into too many paths."""
    from zerofactory.errors import FaultyData

    raise FaultyData(
        [
            _fault(
                "too_many_paths",
                Text(
                    f"{bill.product} 的物料清单展开超过 {MAX_PATHS} 条路径。",
                    f"The bill of {bill.product} unfolds into more than {MAX_PATHS} paths.",
                ),
                Text("请合并层级。", "Join levels."),
            )
        ]
    )


def _fault(code: str, message: Text, hint: Text, row: int | None = None, column: str | None = None) -> Problem:
    return Problem(f"bill.{code}", message, hint, row=row, column=column)
