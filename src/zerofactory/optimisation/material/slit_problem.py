"""Slitting: coils in the store, widths ordered, the slitter's rules; and every fault in them, named before anything is solved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from zerofactory.errors import Problem, Text
from zerofactory.optimisation.material.cuts import fault

GRID_PER_MM = 10  # slitter knives are set to a tenth of a millimetre; finer widths are rounded up
WIDEST_MM, NARROWEST_MM = 3000.0, 5.0  # beyond the widest strip mill and the narrowest slit strip: an error of unit
KG_PER_M3_TO_KG_PER_MM3 = 1e-9


@dataclass(frozen=True, slots=True)
class Coil:
    """Coils of one kind: ``count`` coils of ``mass_kg`` each. A leftover strip in the store is a coil as well."""

    id: str
    grade: str
    thickness_mm: float
    width_mm: float
    mass_kg: float
    count: int
    price_cny_per_kg: float = 0.0
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """Strips wanted: either ``mass_kg``, or ``pieces`` (strips of a whole coil's length; then mass is None).

    ``grades`` are those accepted, the ordered one first. The delivered amount may be short by ``under_fraction`` and over by
    ``over_fraction``.
    """

    id: str
    grades: tuple[str, ...]
    thickness_mm: float
    width_mm: float
    mass_kg: float | None
    pieces: int | None = None
    under_fraction: float = 0.0
    over_fraction: float = 0.0
    row: int | None = None

    @property
    def amount(self) -> float:
        """What is asked for, in kg or pieces."""
        return float(self.pieces or 0) if self.mass_kg is None else self.mass_kg

    def fits(self, coil: Coil) -> bool:
        """Whether a coil is of an accepted grade and of the gauge."""
        return coil.grade in self.grades and abs(coil.thickness_mm - self.thickness_mm) < 1e-9


@dataclass(frozen=True, slots=True)
class SlitRules:
    """How the slitter works.

    Parameters
    ----------
    edge_trim_mm : cut off on each side of a coil (a leftover in the store has been trimmed: name it in ``trimmed``).
    knives : cuts in one pass; n strips beside each other need n + 1.
    keep_width_mm : a rest at least this wide goes back to the store instead of to scrap; None keeps nothing.
    keep_value_fraction : what a kilogram kept is worth against one of a coil.
    parts : into how many equal lengths a coil may be cut first.
    """

    edge_trim_mm: float = 0.0
    knives: int = 10_000
    keep_width_mm: float | None = None
    keep_value_fraction: float = 0.0
    parts: int = 1
    trimmed: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class SlitProblem:
    """Coils, orders and rules. ``count_coils``: the objective is the number of coils instead of kilograms."""

    coils: tuple[Coil, ...]
    orders: tuple[Order, ...]
    rules: SlitRules = SlitRules()
    count_coils: bool = False

    def usable_mm(self, coil: Coil) -> float:
        """Return the width of a coil between its trimmed edges."""
        trim = 0.0 if coil.id in self.rules.trimmed else 2 * self.rules.edge_trim_mm
        return coil.width_mm - trim

    def lots(self) -> tuple[Coil, ...]:
        """Return the coils as they are slit: cut into their equal lengths."""
        parts = self.rules.parts
        return tuple(replace(one, mass_kg=one.mass_kg / parts, count=one.count * parts) for one in self.coils)

    def check(self) -> list[Problem]:
        """Return every fault; the ones that need numbers to be sound come only where they are."""
        found = [*_coil_faults(self.coils), *_order_faults(self.orders), *_rule_faults(self.rules)]
        if not self.orders:
            found.append(fault("no_orders", Text("没有订单。", "There are no orders."), Text("请至少写一行订单。", "Write at least one order.")))  # fmt: skip
        return found or [*self._fits(), *self._stock()]

    def _fits(self) -> Iterator[Problem]:
        for order in self.orders:
            coils = [coil for coil in self.coils if order.fits(coil)]
            if not coils:
                have = sorted({f"{coil.grade} {coil.thickness_mm:g} mm" for coil in self.coils})
                yield fault(
                    "no_such_coil",
                    Text(
                        f"订单“{order.id}”要 {'/'.join(order.grades)} {order.thickness_mm:g} mm, 库中没有。",
                        f"Order '{order.id}' wants {'/'.join(order.grades)} {order.thickness_mm:g} mm; the store has none.",
                    ),
                    Text(f"库中有: {', '.join(have)}。", f"In the store: {', '.join(have)}."),
                    order.row,
                    "grade",
                )
                continue
            widest = max(self.usable_mm(coil) for coil in coils)
            if order.width_mm > widest:
                yield fault(
                    "wider_than_coil",
                    Text(
                        f"订单“{order.id}”宽 {order.width_mm:g} mm, 最宽的可用卷料切边后 {widest:g} mm。",
                        f"Order '{order.id}' is {order.width_mm:g} mm wide; the widest coil has {widest:g} mm between its edges.",
                    ),
                    Text("请订更宽的卷料, 或核对宽度与单位。", "Order a wider coil, or check the width and its unit."),
                    order.row,
                    "width_mm",
                )

    def _stock(self) -> Iterator[Problem]:
        """Yield where the least amount wanted is more than all the coils that could give it (orders counted by mass)."""
        groups: dict[tuple[tuple[str, ...], float], list[Order]] = {}
        for order in self.orders:
            if order.mass_kg is not None:
                groups.setdefault((order.grades, order.thickness_mm), []).append(order)
        for (grades, gauge), orders in groups.items():
            least = sum((one.mass_kg or 0.0) * (1 - one.under_fraction) for one in orders)
            coils = [coil for coil in self.coils if orders[0].fits(coil)]
            there = sum(coil.mass_kg * coil.count * self.usable_mm(coil) / coil.width_mm for coil in coils)
            if coils and least > there:
                listed = ", ".join(one.id for one in orders[:12])
                yield fault(
                    "above_stock",
                    Text(
                        f"{'/'.join(grades)} {gauge:g} mm 的订单({listed})至少要 {least:,.0f} kg, 库存切边后只有 {there:,.0f} kg。",
                        f"Orders of {'/'.join(grades)} {gauge:g} mm ({listed}) want at least {least:,.0f} kg; the store has {there:,.0f} kg between the edges.",
                    ),
                    Text(f"请增加至少 {least - there:,.0f} kg 卷料, 或减少订单。", f"Add at least {least - there:,.0f} kg of coil, or order less."),
                    orders[0].row,
                    "mass_kg",
                )  # fmt: skip


def _bad(value: float) -> bool:
    return not 0 < value < float("inf")


def _coil_faults(coils: Sequence[Coil]) -> Iterator[Problem]:
    yield from repeated([(coil.id, coil.row) for coil in coils], Text("卷料", "coil"))
    for coil in coils:
        yield from _width_faults(coil.id, coil.width_mm, coil.row)
        yield from _positive(coil.id, (("mass_kg", coil.mass_kg), ("thickness_mm", coil.thickness_mm)), coil.row)
        if coil.count < 0:
            yield from _positive(coil.id, (("count", coil.count),), coil.row)
        if coil.thickness_mm > 30:
            yield thick(coil.id, coil.thickness_mm, coil.row)


def _order_faults(orders: Sequence[Order]) -> Iterator[Problem]:
    yield from repeated([(order.id, order.row) for order in orders], Text("订单", "order"))
    for order in orders:
        yield from _width_faults(order.id, order.width_mm, order.row)
        name = "pieces" if order.mass_kg is None else "mass_kg"
        yield from _positive(order.id, ((name, order.amount), ("thickness_mm", order.thickness_mm)), order.row)
        for name, share in (("under_fraction", order.under_fraction), ("over_fraction", order.over_fraction)):
            if not 0 <= share < 1:
                yield fault(
                    "tolerance",
                    Text(f"“{order.id}”的允差 {share:g} 不在 0 到 1 之间。", f"The tolerance {share:g} of '{order.id}' is not between 0 and 1."),
                    Text("允差写成比例: 5 % 写 0.05。", "Write tolerances as fractions: 5 % is 0.05."),
                    order.row,
                    name,
                )  # fmt: skip


def _rule_faults(rules: SlitRules) -> Iterator[Problem]:
    faulty = [
        ("edge_trim_mm", rules.edge_trim_mm, rules.edge_trim_mm >= 0), ("knives", rules.knives, rules.knives >= 2),
        ("keep_width_mm", rules.keep_width_mm, rules.keep_width_mm is None or rules.keep_width_mm > 0),
        ("keep_value_fraction", rules.keep_value_fraction, 0 <= rules.keep_value_fraction < 1), ("parts", rules.parts, rules.parts >= 1),
    ]  # fmt: skip
    for name, value, good in faulty:
        if not good:
            yield fault(
                "rule",
                Text(f"规则 {name} = {value} 不成立。", f"The rule {name} = {value} cannot be."),
                Text("edge_trim_mm ≥ 0, knives ≥ 2, keep_width_mm > 0, 0 ≤ keep_value_fraction < 1, parts ≥ 1。", "edge_trim_mm ≥ 0, knives ≥ 2, keep_width_mm > 0, 0 ≤ keep_value_fraction < 1, parts ≥ 1."),
                column=name,
            )  # fmt: skip


def _width_faults(name: str, width_mm: float, row: int | None) -> Iterator[Problem]:
    if not NARROWEST_MM <= width_mm <= WIDEST_MM:
        yield fault(
            "width_unit",
            Text(f"“{name}”的宽度 {width_mm:g} mm 不在 {NARROWEST_MM:g} 到 {WIDEST_MM:g} mm 之间。", f"The width of '{name}', {width_mm:g} mm, is not between {NARROWEST_MM:g} and {WIDEST_MM:g} mm."),
            Text("请核对单位: 列名写成 width_m 即按米读。", "Check the unit: a column named width_m is read as metres."),
            row,
            "width_mm",
        )  # fmt: skip


def thick(name: str, thickness_mm: float, row: int | None) -> Problem:
    """Return the fault of a gauge that no coil has."""
    return fault(
        "thickness_unit",
        Text(f"“{name}”的厚度 {thickness_mm:g} mm 不像卷料。", f"The gauge of '{name}', {thickness_mm:g} mm, is no coil's."),
        Text("请核对单位。", "Check the unit."),
        row,
        "thickness_mm",
    )  # fmt: skip


def _positive(name: str, values: Sequence[tuple[str, float]], row: int | None) -> Iterator[Problem]:
    for column, value in values:
        if _bad(value):
            yield fault(
                "not_positive",
                Text(f"“{name}”的 {column} = {value:g}, 应大于 0。", f"{column} of '{name}' is {value:g}; it must be above 0."),
                Text("请填写正数。", "Give a positive number."),
                row,
                column,
            )  # fmt: skip


def repeated(names: Sequence[tuple[str, int | None]], what: Text) -> Iterator[Problem]:
    """Yield a fault for every name that stands twice."""
    seen: set[str] = set()
    for name, row in names:
        if name in seen:
            yield fault(
                "repeated",
                Text(f"{what.zh}“{name}”出现不止一次。", f"The {what.en} '{name}' comes more than once."),
                Text("请合并或改名。", "Merge them or give another name."),
                row,
                "id",
            )
        seen.add(name)
