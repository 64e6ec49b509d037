"""The table CUTS: which piece lies where on which coil, strip or sheet; and the masses a plan of cutting comes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from zerofactory.errors import Problem, Text
from zerofactory.tables import Column, TableSchema

KINDS = ("slit", "nest", "sheet")
USES = ("piece", "trim", "leftover", "scrap")

CUTS = TableSchema(
    name="cuts",
    title=Text("下料方案", "Cuts"),
    columns=(
        Column("cut_id", "text", Text("编号", "id")),
        Column("kind", "text", Text("方式", "kind of cutting"), choices=KINDS),
        Column("stock", "text", Text("卷料、条料或板料", "coil, strip or sheet")),
        Column("pattern", "text", Text("排样", "pattern")),
        Column("repeats", "integer", Text("重复次数", "times the pattern is cut"), minimum=1),
        Column("grade", "text", Text("牌号", "grade")),
        Column("thickness_mm", "number", Text("厚度", "thickness"), unit="mm", minimum=0.0),
        Column("use", "text", Text("用途", "use"), choices=USES),
        Column("part", "text", Text("零件或订单", "part or order")),
        Column("x_mm", "number", Text("沿轧制方向位置", "place along the rolling direction"), unit="mm"),
        Column("y_mm", "number", Text("沿宽度方向位置", "place across"), unit="mm"),
        Column("length_mm", "number", Text("沿轧制方向尺寸", "size along the rolling direction"), unit="mm", minimum=0.0),
        Column("width_mm", "number", Text("沿宽度方向尺寸", "size across"), unit="mm", minimum=0.0),
        Column("rotation_degrees", "number", Text("转角", "rotation"), unit="°"),
        Column("pieces", "integer", Text("每次件数", "pieces each time"), minimum=0),
        Column("mass_kg", "number", Text("每次质量", "mass each time"), unit="kg", minimum=0.0),
    ),
    key=("cut_id",),
)  # fmt: skip


def cut_rows(rows: Sequence[Mapping[str, object]]) -> list[dict[str, Any]]:
    """Return rows of CUTS numbered in their order."""
    return [{"cut_id": f"cut-{number:05d}", "rotation_degrees": 0.0, **row} for number, row in enumerate(rows, start=1)]


@dataclass(frozen=True, slots=True)
class Masses:
    """Where the metal of a plan goes, in kg.

    ``put_in_kg`` is what leaves the store for good (leftovers that go back are not in it); ``scrap_kg`` is by (grade, kind of
    scrap): trim, offcut, skeleton, overrun. ``put_in_kg`` = ``good_kg`` + all scrap.
    """

    put_in_kg: float
    good_kg: float
    leftover_kg: float
    scrap_kg: Mapping[tuple[str, str], float] = field(default_factory=dict)

    @property
    def utilisation_fraction(self) -> float:
        """Mass in good pieces ÷ mass put in."""
        return self.good_kg / self.put_in_kg if self.put_in_kg else 0.0

    @property
    def all_scrap_kg(self) -> float:
        """Scrap of all grades and kinds."""
        return sum(self.scrap_kg.values())

    def by_grade(self) -> dict[str, float]:
        """Return scrap by grade."""
        found: dict[str, float] = {}
        for (grade, _), mass_kg in sorted(self.scrap_kg.items()):
            found[grade] = found.get(grade, 0.0) + mass_kg
        return found

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "put_in_kg": self.put_in_kg, "good_kg": self.good_kg, "leftover_kg": self.leftover_kg,
            "utilisation_fraction": self.utilisation_fraction,
            "scrap": [{"grade": grade, "kind": kind, "mass_kg": mass} for (grade, kind), mass in sorted(self.scrap_kg.items())],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bound:
    """What is known of the best possible: the value reached, a value no plan can beat, and how it was shown."""

    value: float
    bound: float
    unit: Text
    method: Text

    @property
    def gap_fraction(self) -> float:
        """(value − bound) ÷ value, never negative."""
        return max(0.0, self.value - self.bound) / abs(self.value) if self.value else 0.0

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "value": self.value, "bound": self.bound, "gap_fraction": self.gap_fraction,
            "unit": {"zh": self.unit.zh, "en": self.unit.en}, "method": {"zh": self.method.zh, "en": self.method.en},
        }  # fmt: skip


def fault(code: str, message: Text, hint: Text, row: int | None = None, column: str | None = None) -> Problem:
    """Return a problem of this room."""
    return Problem(f"material.{code}", message, hint, row=row, column=column)
