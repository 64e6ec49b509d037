"""From the files of material planning to problems: rows become coils, orders, parts and charges; every fault comes at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from zerofactory import units
from zerofactory.errors import FaultyData, NotFound, Problem, Text, refuse
from zerofactory.factors.model import FactorBook
from zerofactory.optimisation.material.mix import Charge, Limit, MixProblem
from zerofactory.optimisation.material.outline import read_outline
from zerofactory.optimisation.material.progressive import LAYOUTS, StripRules
from zerofactory.optimisation.material.sheet_problem import Rectangle, Sheet, SheetProblem
from zerofactory.optimisation.material.slit_problem import Coil, Order, SlitProblem, SlitRules
from zerofactory.optimisation.material.strip import Part
from zerofactory.runs import material_table as table
from zerofactory.runs.material_file import Given
from zerofactory.runs.material_table import Field, Row, inside, number

T = TypeVar("T")
INF = float("inf")
GAUGE = (Field("grade", "牌号"), number("thickness", "厚度", "mm"))
ORDERS = (
    Field("id", "订单"), *GAUGE, Field("accepts", "可代用牌号", None, False, ""), number("width", "宽度", "mm"),
    Field("mass", "质量", "kg", False), Field("pieces", "件数", "1", False), number("under", "下差", "fraction", 0.0),
    number("over", "上差", "fraction", 0.0),
)  # fmt: skip
COILS = (
    Field("id", "卷号"), *GAUGE, number("width", "宽度", "mm"), number("mass", "质量", "kg"), Field("count", "数量", "1", False, 1),
    Field("price_cny_per_kg", "单价_元每千克", "1.0", False, 0.0), Field("trimmed", "已切边", None, False, ""),
)  # fmt: skip
RECTANGLES = (
    Field("id", "订单"), *GAUGE, number("length", "长度", "mm"), number("width", "宽度", "mm"), Field("pieces", "件数", "1"),
    Field("may_turn", "可旋转", None, False, "no"),
)  # fmt: skip
SHEETS = (
    Field("id", "板料"), *GAUGE, number("length", "长度", "mm"), number("width", "宽度", "mm"), Field("count", "数量", "1"),
    Field("price_cny_per_kg", "单价_元每千克", "1.0", False, 0.0),
)  # fmt: skip
PARTS = (
    Field("id", "零件"), Field("file", "图形文件"), *GAUGE, Field("pieces", "件数", "1"), Field("mode", "方式"),
    Field("turns", "允许转角", None, False, "0;180"), Field("layouts", "排法", None, False, ""), Field("pair", "配对零件", None, False, ""),
    number("widest", "最大料宽", "mm", 3000.0), number("strip_width", "条料宽", "mm", 0.0), Field("per_strip", "每段件数", "1", False, 0),
    number("baseline_pitch", "现行步距", "mm", 0.0), number("baseline_width", "现行料宽", "mm", 0.0), Field("baseline_up", "现行每步件数", "1", False, 1),
)  # fmt: skip
CHARGES = (
    Field("id", "炉料"), Field("zh", "中文名"), Field("en", "英文名"), Field("price_cny_per_kg", "单价_元每千克", "1.0"),
    Field("footprint_kgco2e_per_kg", "足迹_每千克", "1.0", False), Field("footprint_source", "足迹来源", None, False, ""),
    Field("factor", "因子", None, False, ""), number("recycled", "再生比例", "fraction"), number("yield", "收得率", "fraction", 1.0),
    Field("available", "可用量", "kg", False), number("least", "最少投料", "kg", 0.0), number("baseline", "现行投料", "kg", 0.0),
    Field("source", "排放源", None, False, ""), Field("route", "工艺路线", None, False, ""),
)  # fmt: skip
LIMITS = (Field("element", "元素"), number("least", "下限", "fraction", 0.0), number("most", "上限", "fraction", 1.0))
MODES = ("progressive", "transfer", "strip")
YES = {"yes": True, "是": True, "no": False, "否": False, "": False}
TURNS = re.compile(r"^\s*(-?[0-9.]+(?:\s*;\s*-?[0-9.]+)*)\s*(?:±\s*([0-9.]+))?\s*$")


@dataclass(frozen=True, slots=True)
class BlankRow:
    """One row of the table of parts: the part and how it is to be laid."""

    part: Part
    grade: str
    thickness_mm: float
    mode: str
    rules: StripRules
    layouts: tuple[str, ...]
    pair: str
    strip_width_mm: float
    per_strip: int
    baseline_area_mm2: float


def gathered(*readers: Callable[[], T]) -> list[T]:
    """Return what every reader gives; raise `FaultyData` with the faults of all of them."""
    found: list[T] = []
    problems: list[Problem] = []
    for reader in readers:
        try:
            found.append(reader())
        except FaultyData as fault:
            problems += fault.problems
    refuse(problems)
    return found


def placed(problems: list[Problem], names: dict[str, str], fallback: str) -> list[Problem]:
    """Return problems with their file: the table whose rows the word in the message's code means, or the fallback."""
    return [one.at(file=names.get(one.column or "", fallback)) for one in problems]


def slit(given: Given) -> SlitProblem:
    """Return the slitting problem of slit.toml."""
    form, folder = given.form, given.folder
    orders, coils = gathered(
        lambda: table.read(folder, form.orders, ORDERS), lambda: table.read(folder, form.coils, COILS)
    )
    rules = form.rules
    kept = frozenset(row["id"] for row in coils if YES.get(str(row["trimmed"]).lower(), False))
    problem = SlitProblem(
        tuple(Coil(r["id"], r["grade"], r["thickness_mm"], r["width_mm"], r["mass_kg"], r["count"], r["price_cny_per_kg"], r["row"]) for r in coils),
        tuple(_order(r) for r in orders),
        SlitRules(rules.edge_trim_mm, rules.knives, rules.keep_width_mm, rules.keep_value_fraction, rules.parts, kept),
    )  # fmt: skip
    both = [_one_amount(r).at(file=form.orders) for r in orders if (r["mass_kg"] is None) == (r["pieces"] is None)]
    refuse([*both, *_located(problem.check(), {one.id for one in problem.coils}, (form.coils, form.orders), given)])
    return problem


def _order(r: Row) -> Order:
    grades = (r["grade"], *filter(None, (one.strip() for one in str(r["accepts"]).split(";"))))
    return Order(
        r["id"], grades, r["thickness_mm"], r["width_mm"], r["mass_kg"], r["pieces"], r["under_fraction"], r["over_fraction"], r["row"]
    )  # fmt: skip


def _located(problems: list[Problem], stock: set[str], files: tuple[str, str], given: Given) -> list[Problem]:
    """Return problems with the file their row is of: the store's when it speaks of something in the store, else the orders'."""
    found = []
    for one in problems:
        if one.row is None:
            found.append(one.at(file=given.name))
            continue
        in_store = any(f"“{name}”的" in one.message.zh for name in stock) or one.message.en.startswith(
            ("The coil", "The sheet")
        )
        found.append(one.at(file=files[0] if in_store else files[1]))
    return found


def _one_amount(row: Row) -> Problem:
    message = Text(
        f"“{row['id']}”应填质量或件数其中之一。", f"'{row['id']}' must give either a mass or a number of pieces."
    )
    return Problem("material.one_amount", message, Text("只填 mass_kg 或 pieces。", "Fill in mass_kg or pieces."), row=row["row"], column="mass_kg")  # fmt: skip


def sheets(given: Given) -> list[SheetProblem]:
    """Return the problems of sheet.toml, one for each grade and gauge."""
    form, folder = given.form, given.folder
    orders, stock = gathered(
        lambda: table.read(folder, form.orders, RECTANGLES), lambda: table.read(folder, form.sheets, SHEETS)
    )
    wrong = [_not_yes(r, "may_turn").at(file=form.orders) for r in orders if str(r["may_turn"]).lower() not in YES]
    refuse(wrong)
    asked = tuple(
        Rectangle(r["id"], r["grade"], r["thickness_mm"], r["length_mm"], r["width_mm"], r["pieces"], YES[str(r["may_turn"]).lower()], r["row"])
        for r in orders
    )  # fmt: skip
    there = tuple(
        Sheet(r["id"], r["grade"], r["thickness_mm"], r["length_mm"], r["width_mm"], r["count"], r["price_cny_per_kg"], r["row"])
        for r in stock
    )  # fmt: skip
    rules = form.rules
    by_count = len({(one.length_mm, one.width_mm) for one in there}) == 1

    def problem(sheets_of: tuple[Sheet, ...], orders_of: tuple[Rectangle, ...]) -> SheetProblem:
        return SheetProblem(sheets_of, orders_of, rules.stages, rules.kerf_mm, rules.trim_mm, by_count)

    whole = problem(there, asked)
    refuse(_located(whole.check(), {one.id for one in there}, (form.sheets, form.orders), given))
    groups = sorted({(one.grade, one.thickness_mm) for one in asked})
    found = [
        problem(
            tuple(one for one in there if (one.grade, one.thickness_mm) == group),
            tuple(one for one in asked if (one.grade, one.thickness_mm) == group),
        )
        for group in groups
    ]
    refuse([fault.at(file=form.orders) for one in found for fault in one.check()])
    return found


def _not_yes(row: Row, column: str) -> Problem:
    message = Text(f"“{row[column]}”不是“是”或“否”。", f"'{row[column]}' is neither yes nor no.")
    return Problem("material.yes_or_no", message, Text("请写 yes 或 no。", "Write yes or no."), row=row["row"], column=column)  # fmt: skip


def blanks(given: Given) -> list[BlankRow]:
    """Return the parts of nest.toml, their outlines read and every fault of table and drawings told together."""
    form, folder = given.form, given.folder
    rows = table.read(folder, form.parts, PARTS)
    problems: list[Problem] = []
    found: list[BlankRow] = []
    names = [r["id"] for r in rows]
    for r in rows:
        faults = [one.at(file=form.parts, row=r["row"]) for one in _blank_faults(r, names)]
        try:
            outline = read_outline(inside(folder, r["file"]).read_bytes(), r["file"])
        except FaultyData as fault:
            problems += [*faults, *fault.problems]
            continue
        problems += faults
        if not faults:
            found.append(_blank(r, outline, form.rules))
    problems += [one.at(file=form.parts) for row in found for one in _too_wide(row, form.rules)]
    refuse(problems)
    return found


def _blank(r: Row, outline: Any, rules: Any) -> BlankRow:
    turns, tolerance = _turns(r["turns"])
    layouts = tuple(one.strip() for one in str(r["layouts"] or "").split(";") if one.strip())
    area = r["baseline_pitch_mm"] * r["baseline_width_mm"] / max(1, r["baseline_up"])
    return BlankRow(
        Part(r["id"], outline, r["pieces"], turns, r["row"]), r["grade"], r["thickness_mm"], r["mode"],
        StripRules(rules.bridge_mm, rules.margin_mm, r["widest_mm"], turns, tolerance), layouts, str(r["pair"] or ""),
        r["strip_width_mm"], r["per_strip"], area,
    )  # fmt: skip


def _turns(text: str) -> tuple[tuple[float, ...] | None, float]:
    """Return the turns a part may take: ``free``, or angles in degrees with a tolerance, ``0;180±10``.

    Examples
    --------
    >>> _turns("0;180±10"), _turns("free")
    (((0.0, 180.0), 10.0), (None, 0.0))
    """
    if text.strip() in ("free", "任意"):
        return None, 0.0
    found = TURNS.match(text)
    if found is None:
        raise ValueError(text)
    return tuple(float(one) for one in found.group(1).split(";")), float(found.group(2) or 0.0)


def _blank_faults(r: Row, names: list[str]) -> list[Problem]:
    """Return the faults of one row of the table of parts."""
    layouts = [
        one for one in (part.strip() for part in str(r["layouts"] or "").split(";")) if one and one not in LAYOUTS
    ]
    ways, near = ", ".join(MODES), ", ".join(names[:12])
    positive = Text("请填写正整数。", "Give a positive whole number.")
    strip_is_whole = r["strip_width_mm"] > 0 and 0 < r["per_strip"] <= 200
    asked: list[tuple[bool, str, str, Text, Text]] = [
        (names.count(r["id"]) > 1, "repeated", "id", Text(f"零件“{r['id']}”出现不止一次。", f"Part '{r['id']}' comes more than once."), Text("请合并或改名。", "Merge them or rename.")),
        (r["mode"] not in MODES, "mode", "mode", Text(f"没有方式“{r['mode']}”。", f"There is no mode '{r['mode']}'."), Text(f"可选: {ways}。", f"Choose one of: {ways}.")),
        (not _are_turns(r["turns"]), "turns", "turns", Text(f"“{r['turns']}”不是转角。", f"'{r['turns']}' is no list of turns."), Text("请写 free、0;180 或 0;180±10(度)。", "Write free, 0;180 or 0;180±10 (degrees).")),
        (bool(layouts), "layout", "layouts", Text(f"没有排法“{', '.join(layouts)}”。", f"There is no layout '{', '.join(layouts)}'."), Text(f"可选: {', '.join(LAYOUTS)}。", f"Choose among: {', '.join(LAYOUTS)}.")),
        (bool(r["pair"]) and r["pair"] not in names, "pair", "pair", Text(f"没有零件“{r['pair']}”。", f"There is no part '{r['pair']}'."), Text(f"可选: {near}。", f"Choose one of: {near}.")),
        (r["pieces"] <= 0, "not_positive", "pieces", Text(f"件数 {r['pieces']} 应大于 0。", f"The number of pieces, {r['pieces']}, must be above 0."), positive),
        (not 0 < r["thickness_mm"] <= 30, "thickness_unit", "thickness_mm", Text(f"厚度 {r['thickness_mm']:g} mm 不像卷料。", f"A gauge of {r['thickness_mm']:g} mm is no coil's."), Text("请核对单位。", "Check the unit.")),
        (r["mode"] == "strip" and not strip_is_whole, "strip", "strip_width_mm", Text("混排要写条料宽和每段件数(1 到 200)。", "A mixed strip needs its width and the pieces on one length (1 to 200)."), Text("请填写 strip_width_mm 和 per_strip。", "Fill in strip_width_mm and per_strip.")),
    ]  # fmt: skip
    return [
        Problem(f"material.{code}", said, hint, column=column) for wrong, code, column, said, hint in asked if wrong
    ]


def _are_turns(text: str) -> bool:
    try:
        _turns(text)
    except ValueError:
        return False
    return True


def _too_wide(row: BlankRow, rules: Any) -> list[Problem]:
    """Return the fault of a blank that no turn allowed brings inside the widest strip."""
    import math

    from shapely.affinity import rotate

    widest = row.strip_width_mm if row.mode == "strip" else row.rules.widest_mm
    room = widest - 2 * rules.margin_mm
    turns = row.part.turns_degrees if row.part.turns_degrees is not None else tuple(float(k) for k in range(0, 180, 2))
    spread = row.rules.tolerance_degrees
    turns = tuple(turn + k for turn in turns for k in {-spread, 0.0, spread})
    boxes = [rotate(row.part.outline, turn).bounds for turn in turns]
    least = min((b[3] - b[1] for b in boxes), default=math.inf)
    if least <= room + 1e-6:
        return []
    message = Text(
        f"零件“{row.part.id}”在允许的转角下至少宽 {least:.1f} mm, 料宽 {widest:g} mm 减边距只剩 {room:g} mm。",
        f"Part '{row.part.id}' is at least {least:.1f} mm wide in the turns allowed; a strip of {widest:g} mm less its margins has {room:g} mm.",
    )
    hint = Text(
        "请用更宽的卷料, 放宽转角, 或核对图形的单位。",
        "Use a wider coil, allow more turns, or check the unit of the drawing.",
    )
    return [Problem("material.wider_than_coil", message, hint, row=row.part.row, column="widest_mm")]


def mix(given: Given, book: FactorBook) -> tuple[MixProblem, list[Row]]:
    """Return the problem of mix.toml and the rows of its charges (for booking)."""
    form, folder = given.form, given.folder
    charges, limits = gathered(
        lambda: table.read(folder, form.charges, CHARGES, more="fraction"),
        lambda: table.read(folder, form.limits, LIMITS),
    )
    problems = [one.at(file=form.charges, row=r["row"]) for r in charges for one in _footprint_faults(r, book)]
    refuse(problems)
    rules = form.rules
    problem = MixProblem(
        rules.melt_kg, tuple(_charge(r, book) for r in charges),
        tuple(Limit(r["element"], r["least_fraction"], r["most_fraction"], r["row"]) for r in limits),
        rules.least_recycled_fraction, INF if rules.cap_kgco2e_per_kg is None else rules.cap_kgco2e_per_kg,
        rules.carbon_price_cny_per_t, rules.objective,
    )  # fmt: skip
    in_limits = ("material.limit", "material.no_content")
    found = []
    for one in problem.check():
        of_limits = one.code in in_limits or one.message.en.startswith("The element")
        table_of = form.limits if of_limits else form.charges
        found.append(one.at(file=given.name if one.row is None else table_of))
    refuse(found)
    return problem, charges


def _charge(r: Row, book: FactorBook) -> Charge:
    footprint = r["footprint_kgco2e_per_kg"] if not r["factor"] else kilograms_per_kilogram(book, r["factor"])
    available = INF if r["available_kg"] is None else r["available_kg"]
    return Charge(
        r["id"], Text(r["zh"], r["en"]), r["price_cny_per_kg"], footprint, r["recycled_fraction"], r["more"], r["yield_fraction"],
        available, r["least_kg"], r["baseline_kg"], r["row"],
    )  # fmt: skip


def _footprint_faults(r: Row, book: FactorBook) -> list[Problem]:
    if r["factor"]:
        try:
            kilograms_per_kilogram(book, r["factor"])
        except (NotFound, units.WrongDimension) as fault:
            return [fault.as_problem().at(column="factor")]
        return []
    if r["footprint_kgco2e_per_kg"] is None or not r["footprint_source"]:
        message = Text(f"“{r['id']}”的足迹没有因子, 也没有数值和来源。", f"The footprint of '{r['id']}' has neither a factor nor a value with its source.")  # fmt: skip
        hint = Text("请填 factor(见 zf factor find), 或 footprint_kgco2e_per_kg 和 footprint_source。", "Give factor (see zf factor find), or footprint_kgco2e_per_kg and footprint_source.")  # fmt: skip
        return [Problem("material.no_footprint", message, hint, column="factor")]
    return []


def kilograms_per_kilogram(book: FactorBook, factor_id: str) -> float:
    """Return a factor in kg of gas a kg of material; raise `NotFound` with near ids, or `WrongDimension`."""
    factor = book.factor(factor_id)
    unit = units.parse_factor_unit(factor.unit)
    if unit.denominator is None:
        raise NotFound(Text("每质量因子", "factor per mass"), factor_id, ())
    return factor.value * units.ratio(unit.numerator.symbol, "kg") / units.ratio(unit.denominator.symbol, "kg")
