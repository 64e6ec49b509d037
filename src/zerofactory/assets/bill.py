"""The electricity bill of a month, from readings: energy by band, basic charge, power factor, surplus; integers of fen.

    energy        Σ over bands  Wh(band) · price(band)
    basic charge  by maximum    highest mean of a metering interval · price; 10 % less from 260 kWh/kVA·month on
                  by contract   contract value, beyond 105 % of it the excess twice
                  by capacity   rating of the transformers · price
    power factor  (energy without government funds + basic charge) · adjustment
    surplus       − exported Wh · export price

Each line is rounded once, half up, to the fen; the total is the sum of the lines. The parts of the all-in price (purchase,
losses, operation, transmission, funds) are shown beside it and add up to the energy charge to the fen.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

import numpy as np

from zerofactory.assets.grid import Floats, Grid, Integers
from zerofactory.assets.tariff import (
    BAND_TITLES,
    BANDS,
    PART_TITLES,
    PARTS,
    MonthTariff,
    Tariff,
    band_shares,
    hot_days_matter,
    month_tariff,
    tariff_problems,
)
from zerofactory.errors import FaultyData, Misuse, Problem, Text, errors_of

DemandBasis = Literal["maximum", "contract", "capacity"]
DEMAND_BASES = ("maximum", "contract", "capacity")
DEMAND_MINUTES = 15
_FEN = Decimal(100)


@dataclass(frozen=True, slots=True)
class Terms:
    """What the plant agreed with the grid company.

    ``green_premium_cny_per_kwh`` is paid on green power settled in the month beside the tariff (绿电环境价值).
    """

    demand_basis: DemandBasis = "maximum"
    transformer_kva: float | None = None
    contract_demand_kw: float | None = None
    power_factor_standard: Decimal | None = None
    green_premium_cny_per_kwh: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Metered:
    """What the settlement meters counted in each interval of a month, in whole Wh (varh).

    ``power_factor`` as stated on the bill serves where reactive energy is not read.
    """

    import_wh: Integers
    export_wh: Integers | None = None
    reactive_varh: Integers | None = None
    power_factor: Decimal | None = None
    green_wh: int = 0
    market_cny_per_kwh: Floats | None = None
    ambient_celsius: Floats | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a bill. ``amount_fen`` is what is charged; ``quantity`` in ``unit`` at ``price``."""

    code: str
    title: Text
    quantity: Decimal
    unit: str
    price: Decimal
    price_unit: str
    amount_fen: int
    note: Text | None = None


@dataclass(frozen=True, slots=True)
class Bill:
    """The bill of a month. ``parts_fen`` split the energy charge; ``problems`` are warnings."""

    month: str
    tariff_id: str
    priced_by: str
    status: str
    lines: tuple[Line, ...]
    parts_fen: Mapping[str, int]
    peak_kw: float
    peak_at_slot: int
    problems: tuple[Problem, ...] = field(default=())

    @property
    def total_fen(self) -> int:
        """The sum of the lines."""
        return sum(line.amount_fen for line in self.lines)

    @property
    def energy_fen(self) -> int:
        """The energy charge."""
        return sum(line.amount_fen for line in self.lines if line.code.startswith("energy"))


@lru_cache(maxsize=1)
def national_rules() -> Mapping[str, Any]:
    """Return the rules that hold nationwide, from their data file."""
    return tomllib.loads((files("zerofactory.assets") / "rules" / "national.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def _power_factors() -> Mapping[str, Mapping[Decimal, Decimal]]:
    tables: dict[str, dict[Decimal, Decimal]] = {}
    with (files("zerofactory.assets") / "rules" / "power_factor.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            tables.setdefault(row["standard"], {})[Decimal(row["power_factor"])] = Decimal(row["adjustment_fraction"])
    return tables


def power_factor_adjustment(standard: Decimal, power_factor: Decimal) -> Decimal:
    """Return the share added to (or taken off) the bill at a power factor, rounded to 0.01 as the table is.

    References
    ----------
    (83)水电财字第215号 功率因数调整电费办法, 附表一至三.

    Examples
    --------
    >>> power_factor_adjustment(Decimal("0.90"), Decimal("0.85")), power_factor_adjustment(Decimal("0.90"), Decimal("0.96"))
    (Decimal('0.0250'), Decimal('-0.0075'))
    >>> power_factor_adjustment(Decimal("0.90"), Decimal("0.60"))
    Decimal('0.2500')
    """
    tables = _power_factors()
    table = tables.get(f"{standard:.2f}")
    if table is None:
        raise Misuse(f"standard power factor {standard}: one of {', '.join(tables)}")
    rounded = power_factor.quantize(Decimal("0.01"), ROUND_HALF_UP)
    lowest = min(table)
    if rounded >= lowest:
        return table[min(rounded, max(table))]
    beyond = (lowest - rounded) * 100
    return table[lowest] + beyond * Decimal(str(national_rules()["power_factor"]["below_table_per_hundredth_fraction"]))


def bill(tariff: Tariff, terms: Terms, grid: Grid, metered: Metered) -> Bill:
    """Return the bill of one month.

    Raises
    ------
    FaultyData
        The month cannot be priced, or the terms lack what the tariff asks for; every reason at once.
    Misuse
        The grid is not one month, or a series has another length.
    """
    if len(grid.months) != 1 or len(metered.import_wh) != grid.length:
        raise Misuse("a bill is of one month, with one value an interval")
    found, _ = month_tariff(tariff, grid.months[0])
    problems = [*tariff_problems(tariff, grid), *term_problems(terms, found)]
    if found is None or errors_of(problems):
        raise FaultyData(problems)
    by_band, mixed = energy_by_band(tariff, grid, metered)
    energy = _market_lines(found, metered) if metered.market_cny_per_kwh is not None else _band_lines(found, by_band)
    energy_fen = sum(line.amount_fen for line in energy)
    parts = _parts_fen(found, int(metered.import_wh.sum()), energy_fen)
    slot = int(np.argmax(metered.import_wh)) if grid.length else 0
    peak_kw = float(metered.import_wh[slot]) / grid.step_hours / 1000.0
    basic = basic_lines(found, terms, peak_kw, int(metered.import_wh.sum()))
    lines = [*energy, *basic]
    lines += _power_factor_lines(
        terms, metered, energy_fen - parts.get("government_funds", 0) + sum(one.amount_fen for one in basic)
    )
    lines += _other_lines(tariff, terms, metered)
    if metered.ambient_celsius is None and hot_days_matter(tariff, found):
        problems.append(_hot_days_rest(found.month))
    if mixed:
        problems.append(_mixed(mixed))
    if basic and grid.step_minutes > DEMAND_MINUTES and terms.demand_basis != "capacity":
        problems.append(_coarse(grid))
    return Bill(
        grid.months[0], tariff.id, found.row.month, found.status, tuple(lines), parts, peak_kw, slot, tuple(problems)
    )


def energy_by_band(tariff: Tariff, grid: Grid, metered: Metered) -> tuple[Mapping[str, int], int]:
    """Return the imported Wh of each band, exact in sum, and how many intervals have a border inside them.

    Such an interval is shared over its bands by minutes.
    """
    shares = band_shares(tariff, grid, metered.ambient_celsius)
    energy = metered.import_wh
    mixed = np.zeros(grid.length, dtype=bool)
    for share in shares.values():
        mixed |= (share > 0) & (share < 1)
    totals = {band: int(energy[share == 1.0].sum()) for band, share in shares.items()}
    left = int(energy[mixed].sum())
    present = [band for band in BANDS if (shares[band][mixed] > 0).any()]
    for place, band in enumerate(present):
        part = left if place == len(present) - 1 else round(float((energy[mixed] * shares[band][mixed]).sum()))
        totals[band] += part
        left -= part
    used = {band: total for band, total in totals.items() if total or (shares[band] > 0).any()}
    return used, int(mixed.sum())


def fen(quantity_wh: int, price_cny_per_kwh: Decimal) -> int:
    """Return what an energy costs, rounded once, half up (away from zero), to the fen.

    Examples
    --------
    >>> fen(1_000_000, Decimal("0.604413"))
    60441
    >>> fen(-1_000, Decimal("0.005"))
    -1
    """
    return to_fen(Decimal(quantity_wh) / 1000 * price_cny_per_kwh)


def to_fen(amount_cny: Decimal) -> int:
    """Return an amount in whole fen, half up (away from zero)."""
    return int((amount_cny * _FEN).quantize(Decimal(1), ROUND_HALF_UP))


def _band_lines(found: MonthTariff, by_band: Mapping[str, int]) -> list[Line]:
    return [
        Line(f"energy.{band}", BAND_TITLES[band], Decimal(wh) / 1000, "kWh", found.prices[band], "CNY/kWh", fen(wh, found.prices[band]))
        for band, wh in by_band.items()
    ]  # fmt: skip


def _market_lines(found: MonthTariff, metered: Metered) -> list[Line]:
    """Return the energy charge of a user who buys at the market: the market series, and the rest of the price."""
    assert metered.market_cny_per_kwh is not None  # noqa: S101  # narrowing
    total = int(metered.import_wh.sum())
    cost = sum(
        (
            Decimal(int(wh)) / 1000 * Decimal(repr(float(price)))
            for wh, price in zip(metered.import_wh, metered.market_cny_per_kwh, strict=True)
        ),
        Decimal(0),
    )
    mean = cost / (Decimal(total) / 1000) if total else Decimal(0)
    rest = sum((value for part, value in found.row.parts.items() if part != "purchase"), Decimal(0))
    return [
        Line("energy.market", Text("市场化电能量", "energy at market prices"), Decimal(total) / 1000, "kWh", mean.quantize(Decimal("0.000001")), "CNY/kWh", to_fen(cost)),
        Line("energy.regulated", Text("输配、运行、线损与基金", "transmission, operation, losses, funds"), Decimal(total) / 1000, "kWh", rest, "CNY/kWh", fen(total, rest)),
    ]  # fmt: skip


def _parts_fen(found: MonthTariff, total_wh: int, energy_fen: int) -> Mapping[str, int]:
    """Return the parts of the energy charge; what the ratios move up and down is ``time_of_use``, so that they add up."""
    parts = {part: fen(total_wh, found.row.parts[part]) for part in PARTS if part in found.row.parts}
    return {**parts, "time_of_use": energy_fen - sum(parts.values())}


def basic_lines(found: MonthTariff, terms: Terms, peak_kw: float, total_wh: int) -> list[Line]:
    """Return the basic charge (基本电费) of a month under a two-part tariff, none under another.

    References
    ----------
    发改价格〔2023〕526号 (demand, capacity, 10 % less by load); 发改办价格〔2016〕1583号 (contract demand and its excess).
    """
    demand, capacity = found.row.demand_cny_per_kw_month, found.row.capacity_cny_per_kva_month
    if demand is None or capacity is None:
        return []
    if terms.demand_basis == "capacity":
        rated = Decimal(str(terms.transformer_kva))
        title = Text("基本电费(容量)", "basic charge by capacity")
        return [Line("basic.capacity", title, rated, "kVA", capacity, "CNY/kVA", to_fen(rated * capacity))]
    rules = national_rules()["demand"]
    price, note = demand, None
    if (
        terms.transformer_kva
        and Decimal(total_wh) / 1000 >= Decimal(str(terms.transformer_kva)) * rules["load_discount_from_kwh_per_kva"]
    ):
        price = demand * (1 - Decimal(str(rules["load_discount_fraction"])))
        note = Text(
            f"负荷率优惠 90 %: {rules['load_discount_source']}", f"90 % by load: {rules['load_discount_source']}"
        )
    peak = Decimal(str(round(peak_kw, 4)))
    if terms.demand_basis == "maximum":
        return [
            Line(
                "basic.maximum",
                Text("基本电费(最大需量)", "basic charge by maximum demand"),
                peak,
                "kW",
                price,
                "CNY/kW",
                to_fen(peak * price),
                note,
            )
        ]
    contract = Decimal(str(terms.contract_demand_kw))
    lines = [
        Line(
            "basic.contract",
            Text("基本电费(合同需量)", "basic charge by contract demand"),
            contract,
            "kW",
            price,
            "CNY/kW",
            to_fen(contract * price),
            note,
        )
    ]
    excess = peak - contract * Decimal(str(rules["contract_tolerance_fraction"]))
    if excess > 0:
        double = price * rules["contract_excess_factor"]
        title = Text("超合同需量 105 % 部分", "demand beyond 105 % of the contract")
        lines.append(Line("basic.excess", title, excess, "kW", double, "CNY/kW", to_fen(excess * double)))
    return lines


def _power_factor_lines(terms: Terms, metered: Metered, base_fen: int) -> list[Line]:
    measured = _measured(metered)
    if terms.power_factor_standard is None or measured is None:
        return []
    share = power_factor_adjustment(terms.power_factor_standard, measured)
    title = Text("力率调整电费", "power factor adjustment")
    note = Text(
        f"标准 {terms.power_factor_standard}, 实际 {measured}",
        f"standard {terms.power_factor_standard}, measured {measured}",
    )
    amount = Decimal(base_fen) / _FEN
    return [Line("power_factor", title, amount, "CNY", share, "fraction", to_fen(amount * share), note)]


def _measured(metered: Metered) -> Decimal | None:
    """Return the power factor of the month: P / √(P² + Q²) from the meters, else as stated; None where neither is known."""
    if metered.reactive_varh is None:
        return metered.power_factor
    active, reactive = float(metered.import_wh.sum()), float(metered.reactive_varh.sum())
    if active <= 0:
        return None
    return Decimal(repr(active / float(np.hypot(active, reactive)))).quantize(Decimal("0.01"), ROUND_HALF_UP)


def _other_lines(tariff: Tariff, terms: Terms, metered: Metered) -> list[Line]:
    """Return what is settled beside consumption: green power and surplus."""
    lines = []
    if metered.green_wh and terms.green_premium_cny_per_kwh is not None:
        price = terms.green_premium_cny_per_kwh
        title = Text("绿电环境价值", "green power premium")
        lines.append(
            Line(
                "green", title, Decimal(metered.green_wh) / 1000, "kWh", price, "CNY/kWh", fen(metered.green_wh, price)
            )
        )
    sold = 0 if metered.export_wh is None else int(metered.export_wh.sum())
    if sold and tariff.export_cny_per_kwh is not None:
        title = Text("上网电费(收入)", "surplus sold")
        lines.append(
            Line(
                "export",
                title,
                Decimal(sold) / 1000,
                "kWh",
                -tariff.export_cny_per_kwh,
                "CNY/kWh",
                fen(-sold, tariff.export_cny_per_kwh),
            )
        )
    return lines


def term_problems(terms: Terms, found: MonthTariff | None) -> list[Problem]:
    """Return what the terms lack that the basic charge of a month asks for."""
    if found is None or found.row.demand_cny_per_kw_month is None:
        return []
    wanted = {"maximum": None, "contract": "contract_demand_kw", "capacity": "transformer_kva"}[terms.demand_basis]
    if wanted is None or getattr(terms, wanted):
        return []
    return [
        Problem(
            "assets.tariff_terms",
            Text(
                f"按“{terms.demand_basis}”计基本电费需要 {wanted}。",
                f"A basic charge by {terms.demand_basis} needs {wanted}.",
            ),
            Text(f"请在 factory.toml 的 [tariff] 填写 {wanted}。", f"Give {wanted} under [tariff] in factory.toml."),
        )
    ]


def _hot_days_rest(month: str) -> Problem:
    return Problem(
        "assets.tariff_hot_days_rest",
        Text(
            f"{month} 的高温日尖峰规则未计入: 没有气温序列。",
            f"The rule of hot days is left out of {month}: no temperatures were given.",
        ),
        Text("若当月有高温日, 实际账单会更高。", "If there were hot days, the true bill is higher."),
        severity="warning",
    )


def _mixed(count: int) -> Problem:
    return Problem(
        "assets.tariff_border_inside",
        Text(
            f"{count} 个时段内有峰谷分界, 电量按分钟分摊。",
            f"{count} intervals have a border of bands inside; shared by minutes.",
        ),
        Text("用 15 或 30 分钟读数可避免。", "Readings of 15 or 30 minutes avoid it."),
        severity="warning",
    )


def _coarse(grid: Grid) -> Problem:
    return Problem(
        "assets.tariff_demand_coarse",
        Text(
            f"读数间隔 {grid.step_minutes} 分钟, 需量按 15 分钟结算, 结果偏低。",
            f"Readings of {grid.step_minutes} min; demand is settled by 15 min, so it is too low.",
        ),
        Text("请用 15 分钟读数。", "Use readings of 15 minutes."),
        severity="warning",
    )


def part_title(part: str) -> Text:
    """Return the title of a part of the energy charge."""
    return Text("分时浮动", "time-of-use shift") if part == "time_of_use" else PART_TITLES[part]
