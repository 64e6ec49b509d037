"""Small portfolios whose best plan can be found by trying everything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from zerofactory.errors import Text
from zerofactory.planning.measure import Cover, Measure, MeasureClass, Reference
from zerofactory.planning.portfolio import CoverOption, Link, Option, Portfolio
from zerofactory.planning.stream import Stream


@dataclass(frozen=True)
class Toy:
    """One measure of a toy: what it saves of which end use, what it adds elsewhere, money, times."""

    id: str
    saves: tuple[tuple[str, float], ...] = ()
    adds_kwh: float = 0.0
    fixed_kwh: float = 0.0
    capex: float = 0.0
    opex: float = 0.0
    life: int = 30
    lead: int = 0
    kind: MeasureClass = "efficiency"
    excludes: tuple[str, ...] = ()
    earliest: int | None = None


GAS = Stream("gas", "stationary_combustion", "paint", "natural_gas", "Nm3", "{}", "metered")
POWER = Stream("power", "purchased_electricity", "paint", "electricity", "kWh", "{}", "metered")
GREEN = Stream("green", "green_power_contract", "paint", "electricity", "MWh", '{"instrument_kind":"gec"}', "estimated")
GRAMS = {"gas": 2_000.0, "power": 500.0, "green": -500_000.0}
USES = {"oven": (0, 600_000.0), "boiler": (0, 400_000.0), "fans": (1, 800_000.0)}
BASE = np.array([1_000_000.0, 2_000_000.0, 0.0])


def measure_of(toy: Toy) -> Measure:
    """Return a measure record for a toy."""
    return Measure(
        id=toy.id, title=Text(toy.id, toy.id), description=Text("", ""), kind=toy.kind, life_years=toy.life,
        best_before=date(2030, 1, 1), references=(Reference("saving", "test", "verified"),), lead_years=toy.lead,
        excludes=toy.excludes,
    )  # fmt: skip


def portfolio_of(
    toys: Sequence[Toy], years: Sequence[int] = (2026, 2027, 2028), contract: float | None = None,
    carbon: float = 0.0, rate: float = 0.0, gas_cny: float = 0.0, power_cny: float = 0.0,
) -> Portfolio:  # fmt: skip
    """Return a portfolio of toys: gas for an oven and a boiler, power for fans."""
    links: list[Link] = []
    columns = []
    for number, toy in enumerate(toys):
        for use, fraction in toy.saves:
            before = tuple(place for place, link in enumerate(links) if link.end_use == use)
            links.append(Link(number, use, fraction, before))
            stream, amount = USES[use]
            column = np.zeros(3)
            column[stream] -= fraction * amount
            column[1] += toy.adds_kwh * fraction * amount
            columns.append(column)
    options = tuple(Option(measure_of(toy), toy.capex, toy.opex, toy.earliest or years[0], years[-1]) for toy in toys)
    fixed = np.zeros((3, len(toys)))
    fixed[1] = [toy.fixed_kwh for toy in toys]
    grams = np.array([GRAMS["gas"], GRAMS["power"], GRAMS["green"]])
    flat = np.ones(len(years))
    accounts = {
        ("market_annual", 1, "1.1"): np.outer([grams[0], 0.0, 0.0], flat),
        ("market_annual", 2, "2.1"): np.outer([0.0, grams[1], grams[2]], flat),
        ("location", 1, "1.1"): np.outer([grams[0], 0.0, 0.0], flat),
        ("location", 2, "2.1"): np.outer([0.0, grams[1], 0.0], flat),
    }
    cover = Measure(
        id="gec", title=Text("绿证", "gec"), description=Text("", ""), kind="renewable", life_years=1,
        best_before=date(2030, 1, 1), references=(), cover=Cover("gec", 1.0, contract or 0.0),
    )  # fmt: skip
    covers = () if contract is None else (CoverOption(cover, 2, 1.0, contract, years[0]),)
    return Portfolio(
        base_year=years[0] - 1,
        years=tuple(years),
        streams=(GAS, POWER, GREEN),
        base=BASE.copy(),
        volume=flat,
        grows=np.array([True, True, False]),
        options=options,
        links=tuple(links),
        link_matrix=np.array(columns).T if columns else np.zeros((3, 0)),
        option_matrix=fixed,
        covers=covers,
        accounts=accounts,
        removals=np.zeros((3, len(years))),
        prices_cny=np.outer([gas_cny, power_cny, 0.0], flat),
        tce_per_unit=np.array([0.0013, 0.0001229, 0.0]),
        carbon_price_cny_per_t=carbon * flat,
        discount_fraction=rate,
        vehicles=1000.0,
    )
