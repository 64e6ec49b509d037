"""Declared footprints (供应商碳足迹): what suppliers declared for their products, as booked from PACT or AAS files.

SUPPLIER_FOOTPRINTS holds one row for each footprint, with the whole of it in the terms of PACT 3.0 (`payload`) and what was
lost on the way (`losses`); the file itself is evidence. `kgco2e_for` says what an amount of the product comes to, or why not.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime

import polars as pl

from zerofactory import units
from zerofactory.accounting.product_rules import Rating
from zerofactory.errors import NotFound, Problem, Text
from zerofactory.tables import Column, TableSchema

BOUNDARIES = ("cradle_to_gate", "gate_to_gate", "cradle_to_grave")


def _text(name: str, zh: str, en: str, *, nullable: bool = False, choices: tuple[str, ...] = ()) -> Column:
    return Column(name, "text", Text(zh, en), nullable=nullable, choices=choices)


def _number(name: str, zh: str, en: str, unit: str | None = None, *, nullable: bool = True) -> Column:
    return Column(name, "number", Text(zh, en), unit=unit, nullable=nullable)


SUPPLIER_FOOTPRINTS = TableSchema(
    "supplier_footprints",
    Text("供应商产品碳足迹", "suppliers' product footprints"),
    (
        _text("footprint_id", "编号", "id"),
        _text("format", "格式", "format"),
        _text("company_name", "供应商", "supplier"),
        _text("product_name", "产品", "product"),
        _text("product_ids", "产品编号(JSON)", "product ids (JSON)"),
        _text("status", "状态", "status", choices=("Active", "Deprecated")),
        _text("boundary", "边界", "boundary", choices=BOUNDARIES),
        _text("unit", "声明单位", "declared unit"),
        _number("amount", "声明数量", "declared amount", nullable=False),
        _number("mass_kg", "质量", "mass", "kg"),
        _number("kgco2e", "碳足迹(不含生物吸收)", "footprint without biogenic uptake", "kgCO2e", nullable=False),
        _number("land_use_kgco2e", "其中土地利用变化", "land-use change in it", "kgCO2e"),
        _number("biogenic_kgco2e", "其中生物源非CO2", "biogenic other than CO2 in it", "kgCO2e"),
        _number("aviation_kgco2e", "其中航空", "aviation in it", "kgCO2e"),
        _number("uptake_kgco2e", "生物吸收(另列)", "biogenic uptake (apart)", "kgCO2e"),
        Column("reference_from", "moment", Text("数据期起", "reference period from")),
        Column("reference_to", "moment", Text("数据期止", "reference period to")),
        Column("valid_from", "moment", Text("有效期起", "valid from")),
        Column("valid_to", "moment", Text("有效期止", "valid to")),
        _number("primary_fraction", "初级数据占比", "primary-data share"),
        _number("technological", "技术代表性评分", "technological rating"),
        _number("geographical", "地理代表性评分", "geographical rating"),
        _number("temporal", "时间代表性评分", "temporal rating"),
        _text("preceding", "取代的编号(JSON)", "footprints it replaces (JSON)"),
        _text("file_name", "文件名", "file name"),
        _text("evidence", "凭证SHA-256", "SHA-256 of the file"),
        _text("payload", "PACT 3.0 内容(JSON)", "content as PACT 3.0 (JSON)"),
        _text("losses", "转换中的损失(JSON)", "lost in conversion (JSON)"),
        _text("known_at", "知悉时间", "known at"),
    ),
    ("footprint_id",),
)


@dataclass(frozen=True, slots=True)
class DeclaredFootprint:
    """One row of SUPPLIER_FOOTPRINTS. ``kgco2e`` and its parts are per ``amount`` of ``unit``."""

    footprint_id: str
    format: str
    company_name: str
    product_name: str
    product_ids: str
    status: str
    boundary: str
    unit: str
    amount: float
    kgco2e: float
    reference_from: datetime
    reference_to: datetime
    valid_from: datetime
    valid_to: datetime
    mass_kg: float | None = None
    land_use_kgco2e: float | None = None
    biogenic_kgco2e: float | None = None
    aviation_kgco2e: float | None = None
    uptake_kgco2e: float | None = None
    primary_fraction: float | None = None
    technological: float | None = None
    geographical: float | None = None
    temporal: float | None = None
    preceding: str = "[]"
    file_name: str = ""
    evidence: str = ""
    payload: str = "{}"
    losses: str = "[]"
    known_at: str = ""

    @property
    def rating(self) -> Rating | None:
        """The supplier's data quality ratings, None when they were not given in full."""
        if self.technological is None or self.geographical is None or self.temporal is None:
            return None
        return Rating(self.technological, self.geographical, self.temporal)


def rows(declared: list[DeclaredFootprint]) -> pl.DataFrame:
    """Return footprints as a frame of SUPPLIER_FOOTPRINTS."""
    return SUPPLIER_FOOTPRINTS.frame(
        [{name: getattr(one, name) for name in SUPPLIER_FOOTPRINTS.names} for one in declared]
    )


def declared_of(frame: pl.DataFrame) -> list[DeclaredFootprint]:
    """Return the footprints of a frame of SUPPLIER_FOOTPRINTS; further columns are left aside."""
    known = {field.name for field in fields(DeclaredFootprint)}
    return [DeclaredFootprint(**{k: v for k, v in row.items() if k in known}) for row in frame.to_dicts()]


def faults_of(declared: DeclaredFootprint, on: datetime) -> list[Problem]:
    """Return why a declared footprint may not be used on a day: expired, not yet measured, replaced, or another boundary."""
    name = f"{declared.product_name} ({declared.footprint_id})"
    problems = []
    if declared.status == "Deprecated":
        problems.append(
            _fault(
                "deprecated",
                Text(f"供应商碳足迹“{name}”已被取代。", f"The supplier's footprint '{name}' is deprecated."),
                Text("请导入最新版。", "Import the newest one."),
            )
        )
    if declared.boundary != "cradle_to_gate":
        problems.append(
            _fault(
                "boundary",
                Text(
                    f"供应商碳足迹“{name}”的边界是 {declared.boundary}。",
                    f"The supplier's footprint '{name}' has the boundary {declared.boundary}.",
                ),
                Text(
                    "外购件只用摇篮到大门; 请向供应商索取。",
                    "A bought part needs cradle to gate; ask the supplier for it.",
                ),
            )
        )
    if declared.valid_to <= on:
        problems.append(
            _fault(
                "expired",
                Text(
                    f"供应商碳足迹“{name}”已于 {declared.valid_to:%Y-%m-%d} 过期, 使用日期为 {on:%Y-%m-%d}。",
                    f"The supplier's footprint '{name}' expired on {declared.valid_to:%Y-%m-%d}; it is used on {on:%Y-%m-%d}.",
                ),
                Text(
                    "请向供应商索取该期间的碳足迹, 或用 --used-on 写明更早的使用日期。",
                    "Ask the supplier for the footprint of this time, or name an earlier day of use with --used-on.",
                ),
            )
        )
    if declared.reference_from > on:
        problems.append(
            _fault(
                "not_yet",
                Text(
                    f"供应商碳足迹“{name}”的数据期自 {declared.reference_from:%Y-%m-%d} 起, 晚于使用日期。",
                    f"The reference period of the supplier's footprint '{name}' starts on {declared.reference_from:%Y-%m-%d}, after its use.",
                ),
                Text("请核对期间。", "Check the period."),
            )
        )
    return problems


def amounts_of(declared: DeclaredFootprint, quantity: float, unit: str) -> float:
    """Return how many declared units a quantity is.

    Raises
    ------
    WrongUnit
        The units measure different things; nothing is converted by a mass or density that was not asked for.
    """
    try:
        return units.convert(quantity, unit, declared.unit) / declared.amount
    except (units.WrongDimension, NotFound):
        raise WrongUnit(declared, unit) from None


class WrongUnit(Exception):
    """A part and its supplier's footprint are counted in units of different kinds; ``problem`` says so."""

    def __init__(self, declared: DeclaredFootprint, unit: str) -> None:
        mass = f", {declared.mass_kg:g} kg" if declared.mass_kg else ""
        self.problem = _fault(
            "wrong_unit",
            Text(
                f"供应商碳足迹“{declared.product_name}”按 {declared.amount:g} {declared.unit}{mass} 声明, 清单用量单位是“{unit}”。",
                f"The supplier's footprint '{declared.product_name}' is declared per {declared.amount:g} {declared.unit}{mass}; the bill counts in '{unit}'.",
            ),
            Text(f"请在物料清单里改用 {declared.unit}。", f"Count it in {declared.unit} in the bill of materials."),
        )
        super().__init__(self.problem.sentence("en"))


def _fault(code: str, message: Text, hint: Text) -> Problem:
    return Problem(f"footprint.{code}", message, hint)
