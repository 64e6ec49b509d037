"""Roadmap of 60 measures over 25 years, time to a proved gap of 0.1 %: the catalogue on the reference plant, and three made-up plants.

The made-up plants are harder on purpose: 18 end uses only, so that four or more measures share each, and dear ones among them.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

from zerofactory.errors import Text
from zerofactory.periods import Period
from zerofactory.planning import roadmap
from zerofactory.planning.commitment import read_plan
from zerofactory.planning.measure import Cover, Measure
from zerofactory.planning.portfolio import CoverOption, Link, Option, Portfolio
from zerofactory.planning.roadmap import Goal, Question
from zerofactory.planning.stream import Stream
from zerofactory.reference_plant.generate import plan_text
from zerofactory.runs import close, import_data, init
from zerofactory.runs.context import Context, open_context
from zerofactory.runs.plan_book import plan_book
from zerofactory.runs.plan_roadmap import More, pathways_of
from zerofactory.runs.plan_roadmap import question_of as question_of_book

MEASURES, YEARS, USES = 60, tuple(range(2026, 2051)), 18
SEEDS = (1, 2, 3)


def portfolio_of(seed: int) -> Portfolio:
    """Return a plant of 18 end uses of gas and power and 60 measures; a third act on two end uses, as in the catalogue."""
    draw = np.random.Generator(np.random.PCG64(seed))
    gas = Stream("gas", "stationary_combustion", "paint", "natural_gas", "Nm3", "{}", "metered")
    power = Stream("power", "purchased_electricity", "paint", "electricity", "kWh", "{}", "metered")
    green = Stream(
        "green", "green_power_contract", "paint", "electricity", "MWh", '{"instrument_kind":"gec"}', "estimated"
    )
    of_gas = np.arange(USES) < USES // 3
    amounts = np.where(of_gas, draw.uniform(5e5, 4e6, USES), draw.uniform(5e6, 3e7, USES))
    options, links, columns = [], [], []
    for number in range(MEASURES):
        kind = "electrification" if number % 5 == 4 else "efficiency"
        measure = Measure(
            f"m{number:02d}", Text(f"m{number}", f"m{number}"), Text("", ""), kind, int(draw.integers(8, 25)), date(2030, 1, 1), (),
            lead_years=int(draw.integers(0, 3)),
        )  # fmt: skip
        saved_cny = 0.0
        second = [int(draw.integers(0, USES))] if draw.random() < 0.35 else []
        for use in dict.fromkeys([number % USES, *second]):
            fraction = float(draw.uniform(0.05, 0.35)) if kind == "efficiency" else float(draw.uniform(0.4, 0.9))
            before = tuple(place for place, link in enumerate(links) if link.end_use == str(use))
            links.append(Link(number, str(use), fraction, before))
            column = np.zeros(3)
            column[0 if of_gas[use] else 1] -= fraction * amounts[use]
            if kind == "electrification" and of_gas[use]:
                column[1] += fraction * amounts[use] * 3.0
            columns.append(column)
            saved_cny += fraction * amounts[use] * (3.8 if of_gas[use] else 0.68)
        capex = saved_cny * float(draw.uniform(1.0, 14.0))
        options.append(Option(measure, capex, 0.01 * capex, YEARS[0] + measure.lead_years, YEARS[-1]))
    falling = np.linspace(1.0, 0.3, len(YEARS))
    flat = np.ones(len(YEARS))
    gec = Measure(
        "gec", Text("gec", "gec"), Text("", ""), "renewable", 1, date(2030, 1, 1), (), cover=Cover("gec", 0.5, 30.0)
    )
    base = np.array([amounts[of_gas].sum(), amounts[~of_gas].sum(), 0.0])
    return Portfolio(
        base_year=2025, years=YEARS, streams=(gas, power, green), base=base, volume=flat, grows=np.array([True, True, False]),
        options=tuple(options), links=tuple(links), link_matrix=np.array(columns).T, option_matrix=np.zeros((3, MEASURES)),
        covers=(CoverOption(gec, 2, 0.5, 30.0, YEARS[0]),),
        accounts={
            ("market_annual", 1, "1.1"): np.array([[2160.0], [0.0], [0.0]]) * flat,
            ("market_annual", 2, "2.1"): np.array([[0.0], [600.0], [-600_000.0]]) * falling,
        },
        removals=np.zeros((3, len(YEARS))), prices_cny=np.array([[3.8], [0.68], [0.0]]) * flat, tce_per_unit=np.zeros(3),
        carbon_price_cny_per_t=85.0 * flat, discount_fraction=0.06, vehicles=3e5,
    )  # fmt: skip


def question_of(portfolio: Portfolio) -> Question:
    """Return annual targets for both scopes together and for scope 1, and a budget of each year."""
    grams = portfolio.base @ portfolio.selection("market_annual", (1, 2))
    direct = float(portfolio.base @ portfolio.selection("market_annual", (1,))[:, 0])
    ahead = [year - 2025 for year in YEARS]
    both = {year: int(grams[0] * max(1 - 0.042 * n, 0.1)) for year, n in zip(YEARS, ahead, strict=True) if n >= 2}
    one = {year: int(direct * max(1 - 0.02 * n, 0.55)) for year, n in zip(YEARS, ahead, strict=True) if n >= 3}
    budget = 0.12 * sum(option.capex_cny for option in portfolio.options)
    return Question(
        "market_annual",
        (
            Goal("both", Text("", ""), "market_annual", (1, 2), both),
            Goal("direct", Text("", ""), "market_annual", (1,), one),
        ),
        budgets_cny=dict.fromkeys(YEARS, budget),
        gap_fraction=1e-3,
        time_limit_s=120.0,
    )


def measured(context: Context) -> None:
    """Print the time for the recommended plan of a plant whose base year is closed, with the whole catalogue."""
    book = plan_book(context, read_plan(plan_text()))
    question = question_of_book(book, pathways_of(context, book), More(gap_fraction=1e-3))
    _solve(f"{len(book.portfolio.options)} measures of the catalogue on the reference plant", book.portfolio, question)


def _solve(name: str, portfolio: Portfolio, question: Question) -> None:
    started, worked = time.perf_counter(), time.process_time()
    found = roadmap.plan(portfolio, question)
    wall, cpu = time.perf_counter() - started, time.process_time() - worked
    report = found.report
    print(
        f"roadmap, {name} x {len(portfolio.years)} years, {len(portfolio.links)} links; {report.rows} rows, {report.columns} columns, "
        f"{report.entries} entries: {wall:.1f} s wall, {cpu:.1f} s processor, gap {100 * report.gap_fraction:.4f} % "
        f"({found.gap_cny / 1e6:.1f} M of {found.bill_cny / 1e6:,.0f} M CNY paid, net {found.cost_cny / 1e6:+,.0f} M), {report.status.value}"
    )


def run() -> None:
    """Print size, time and gap."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "plant"
        init.run(folder, "car-plant")
        inbox = sorted(path for path in (folder / "inbox").iterdir() if path.is_file())
        import_data.run(open_context(folder), inbox)
        close.run(open_context(folder), Period(2025))
        measured(open_context(folder))
    for seed in SEEDS:
        portfolio = portfolio_of(seed)
        _solve(f"made-up plant {seed}, {MEASURES} measures", portfolio, question_of(portfolio))
    tight = replace(question_of(portfolio_of(1)), budgets_cny=dict.fromkeys(YEARS, 1.0))
    started = time.perf_counter()
    found = roadmap.plan(portfolio_of(1), tight)
    print(f"roadmap without money: {time.perf_counter() - started:.1f} s to name {len(found.clash)} clashing wishes")


if __name__ == "__main__":
    run()
