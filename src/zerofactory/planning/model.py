"""The roadmap as a program with whole variables: which option is on in which year, how much is contracted.

    x[m, y]   option m is on in year y; once on it stays (it is renewed at the end of its life)       whole
    w[l, y]   link l: x of its option times what the links before it left, exact for whole x
    g[c, y]   MWh of contract c                    k[y]  tonnes of credits for what remains

    minimise  Σ_y d(y) · ( money · Q + carbon price · grams · Q + contracts + credits ) + Σ investment and its renewals
    subject to  each limit of each year, each budget of each year, exclusions, what is contracted ≤ what is purchased

The product w = x·r with r in [L, 1] is written exactly by four rows (McCormick 1976, doi 10.1007/BF01580665; exact where one
factor is 0 or 1):  w ≤ x,  w ≤ r − L(1 − x),  w ≥ L x,  w ≥ r − (1 − x),  with L = Π (1 − s) of the links before.
Money is in thousand CNY, grams in tonnes, so that the numbers stay near one. The objective is everything the plan pays for
what the measures act on (energy, material, carbon, contracts, credits, investment, upkeep), doing nothing included as a constant;
the gap is relative to that, and told in CNY and against the net cost of the plan too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from zerofactory import units
from zerofactory.optimisation.solving.linear import Block, Draft, LinearProgram
from zerofactory.planning.limit import Limit
from zerofactory.planning.portfolio import Floats, Portfolio
from zerofactory.planning.stream import CONTRACT, ELECTRICITY

CNY = 1e-3
TONNES = 1e-6


@dataclass(frozen=True, eq=False)
class Linear:
    """A figure of each year: ``constant[y] + x · on + w · links + g · contracts``; coefficients are (thing × year)."""

    constant: Floats
    option: Floats
    link: Floats
    cover: Floats

    def value(self, on: Floats, residuals: Floats, covers: Floats) -> Floats:
        """Return the figure by year."""
        found: Floats = self.constant + (self.option * on).sum(axis=0) + (self.link * residuals).sum(axis=0)
        found += (self.cover * covers).sum(axis=0)
        return found


def linear(portfolio: Portfolio, per_unit: Floats) -> Linear:
    """Return Σ_streams per_unit · Q as a function of what is switched on; ``per_unit`` is stream × year."""
    scaled = portfolio.scaled() * per_unit
    cover = np.array([per_unit[one.stream] for one in portfolio.covers]).reshape(-1, len(portfolio.years))
    return Linear(
        constant=portfolio.base @ scaled,
        option=portfolio.option_matrix.T @ per_unit,
        link=portfolio.link_matrix.T @ scaled,
        cover=cover,
    )


def scale_of(figure: Linear) -> float:
    """Return by what a figure is divided so that its values lie near a hundred."""
    return max(float(np.abs(figure.constant).max()), 1e-9) / 100.0


def lone(portfolio: Portfolio) -> tuple[int, ...]:
    """Return the links that come first in their end use: w = x, no variable of their own."""
    return tuple(place for place, link in enumerate(portfolio.links) if not link.before)


@dataclass(frozen=True, slots=True)
class Row:
    """A wish of a year: ``figure ≤ bound`` (a ≥ is turned round). ``group`` names the wish it belongs to."""

    group: str
    year: int
    limit: Limit
    figure: Linear
    bound: float
    scale: float


@dataclass(frozen=True, eq=False)
class Model:
    """A program with the places of its variables; ``groups`` names the rows of each wish, to find which clash."""

    program: LinearProgram
    on: Block
    link: Block | None
    cover: Block | None
    credit: Block | None
    slack: Block | None
    own_links: tuple[int, ...]
    groups: Mapping[str, tuple[str, ...]]
    portfolio: Portfolio = field(repr=False)

    def read(self, x: Floats) -> tuple[Floats, Floats]:
        """Return what is on (0 or 1, option × year) and the contracts (MWh, cover × year) of an answer."""
        years = len(self.portfolio.years)
        on = np.rint(x[self.on.span]).reshape(-1, years)
        covers = x[self.cover.span].reshape(-1, years) * 1e3 if self.cover else np.zeros((0, years))
        return on, covers


def capital(portfolio: Portfolio) -> Floats:
    """Return the present value of investing so that an option is on from a year, option × year, in CNY.

    The investment falls ``lead_years`` before the effect, again at the end of each life, and what is left of the last life at
    the end of the plan is credited, all discounted to the first year.
    """
    years, first = portfolio.years, portfolio.years[0]
    rate = portfolio.discount_fraction
    end = years[-1] + 1
    found = np.zeros((len(portfolio.options), len(years)))
    for m, option in enumerate(portfolio.options):
        for y, year in enumerate(years):
            for paid in payments(portfolio, m, year):
                found[m, y] += investment(portfolio, m, paid) / (1 + rate) ** (paid - first)
            begun = max(start for start in range(year, end, option.measure.life_years))
            left = 1 - (end - begun) / option.measure.life_years
            found[m, y] -= left * investment(portfolio, m, begun) / (1 + rate) ** (end - first)
    return found


def payments(portfolio: Portfolio, option: int, year_on: int) -> list[int]:
    """Return the years in which an option that is on from a year is paid for: at decision and at each renewal."""
    measure = portfolio.options[option].measure
    renewals = range(year_on + measure.life_years, portfolio.years[-1] + 1, measure.life_years)
    return [max(year_on - measure.lead_years, portfolio.years[0]), *renewals]


def investment(portfolio: Portfolio, option: int, year: int) -> float:
    """Return the investment of an option decided in a year, after the yearly change of its price."""
    one = portfolio.options[option]
    return one.capex_cny * (1 + one.measure.capex_change_fraction) ** (year - portfolio.base_year)


def discount(portfolio: Portfolio) -> Floats:
    """Return the factor by which money of each year counts."""
    years = np.array(portfolio.years) - portfolio.years[0]
    found: Floats = (1 + portfolio.discount_fraction) ** (-years.astype(np.float64))
    return found


@dataclass(frozen=True, eq=False)
class Wishes:
    """What the plan must keep: rows of limits, budgets by year (None: none), and from when what remains is offset.

    ``steady``: emissions of scopes 1 and 2 (``priced``) never rise from one year to the next.
    """

    rows: tuple[Row, ...]
    budgets_cny: Mapping[int, float]
    priced: Linear
    net: Linear | None = None
    neutral_year: int | None = None
    money: Linear | None = None
    steady: bool = False


def build(portfolio: Portfolio, wishes: Wishes, elastic: bool = False) -> Model:
    """Return the program.

    Parameters
    ----------
    elastic : every limit may be broken at a price that outweighs everything else; cost is left out.
    """
    draft = Draft()
    years = len(portfolio.years)
    lower, upper = _bounds(portfolio)
    cost = np.zeros_like(lower) if elastic else _option_cost(portfolio, wishes)
    on = draft.add_columns("on", lower.size, lower.ravel(), upper.ravel(), cost.ravel(), integer=True)
    own = tuple(place for place, link in enumerate(portfolio.links) if link.before)
    link = _links(draft, portfolio, wishes, own, elastic)
    cover = _covers(draft, portfolio, wishes, elastic)
    credit = None
    at = _Places(portfolio, on, link, cover, {place: number for number, place in enumerate(own)}, years)
    _stay_on(draft, at)
    _products(draft, at)
    _exclusions(draft, at)
    _contracted(draft, at)
    slack = draft.add_columns("slack", len(wishes.rows), cost=1.0) if elastic and wishes.rows else None
    _limits(draft, at, wishes.rows, slack)
    if wishes.steady and not elastic:
        _never_rising(draft, at, wishes.priced)
    _budgets(draft, at, wishes.budgets_cny)
    if not elastic:
        credit = _neutrality(draft, at, wishes)
        idle = float(discount(portfolio) @ _money(portfolio, wishes).constant) * CNY
        draft.add_columns("idle", 1, 1.0, 1.0, idle)
    program = draft.finish()
    return Model(program, on, link, cover, credit, slack, own, _groups(program, wishes), portfolio)


def _groups(program: LinearProgram, wishes: Wishes) -> dict[str, tuple[str, ...]]:
    """Return the rows of each group of wishes by name: targets and limits, then steadiness, then the budgets together."""
    found: dict[str, tuple[str, ...]] = {}
    for number, row in enumerate(wishes.rows):
        found[row.group] = (*found.get(row.group, ()), f"limit_{number}")
    for group, start in (("steady", "steady_"), ("budget", "budget_")):
        rows = tuple(name for name in program.rows if name.startswith(start))
        if rows:
            found[group] = rows
    return found


@dataclass(frozen=True, eq=False)
class _Places:
    """Where the variables of a draft are. ``figures`` holds the columns of figures that stand in several rows."""

    portfolio: Portfolio
    on: Block
    link: Block | None
    cover: Block | None
    own: Mapping[int, int]
    years: int
    figures: dict[int, Block] = field(default_factory=dict)

    def column(self, draft: Draft, figure: Linear, year: int, scale: float) -> int:
        """Return the column that holds ``(figure − its constant) ÷ scale`` of a year; defined once by one row a year."""
        if id(figure) not in self.figures:
            number = len(self.figures)
            block = draft.add_columns(f"figure_{number}", self.years, -np.inf, np.inf)
            rows = draft.add_rows(f"defined_{number}", self.years, "=", 0.0)
            for y in range(self.years):
                here = np.array([rows.first + y])
                terms = self.terms(figure, y)
                draft.put(here, np.array([block.first + y]), -1.0)
                if terms:
                    draft.put(here, np.array(list(terms)), np.array(list(terms.values())) / scale)
            self.figures[id(figure)] = block
        return self.figures[id(figure)].first + year

    def x(self, option: int, year: int) -> int:
        return self.on.first + option * self.years + year

    def w(self, link: int, year: int) -> int:
        """The column of a link: its own, or that of its option when it is the first of its end use."""
        own = self.own.get(link)
        if own is None or self.link is None:
            return self.x(self.portfolio.links[link].option, year)
        return self.link.first + own * self.years + year

    def terms(self, figure: Linear, year: int) -> dict[int, float]:
        """Return the coefficients of a figure of one year by column."""
        found: dict[int, float] = {}
        for option in np.flatnonzero(figure.option[:, year]):
            column = self.x(int(option), year)
            found[column] = found.get(column, 0.0) + float(figure.option[option, year])
        for link in np.flatnonzero(figure.link[:, year]):
            column = self.w(int(link), year)
            found[column] = found.get(column, 0.0) + float(figure.link[link, year])
        if self.cover is not None:
            for cover in np.flatnonzero(figure.cover[:, year]):
                found[self.cover.first + int(cover) * self.years + year] = float(figure.cover[cover, year]) * 1e3
        return found


def _bounds(portfolio: Portfolio) -> tuple[Floats, Floats]:
    """Return between which values each x lies: earliest, latest and decided starts."""
    years = np.array(portfolio.years)
    lower = np.zeros((len(portfolio.options), len(years)))
    upper = np.ones_like(lower)
    for m, option in enumerate(portfolio.options):
        upper[m, years < option.earliest] = 0.0
        if option.fixed_start is not None:
            lower[m, years >= option.fixed_start] = 1.0
    return lower, upper


def _option_cost(portfolio: Portfolio, wishes: Wishes) -> Floats:
    """Return the cost of each x: investment of the start (as a difference of consecutive years), upkeep, energy, carbon."""
    worth = capital(portfolio) * CNY
    cost = worth.copy()
    cost[:, :-1] -= worth[:, 1:]
    upkeep = np.array([option.opex_cny for option in portfolio.options])[:, None] * CNY
    cost = cost + discount(portfolio)[None, :] * (upkeep + _money(portfolio, wishes).option * CNY)
    lone_links = set(lone(portfolio))
    money = _money(portfolio, wishes)
    for place, link in enumerate(portfolio.links):
        if place in lone_links:
            cost[link.option] += discount(portfolio) * money.link[place] * CNY
    return cost


def _money(portfolio: Portfolio, wishes: Wishes) -> Linear:
    """Return the yearly bill (energy, material, carbon) as a linear figure in CNY."""
    bill = wishes.money or linear(portfolio, portfolio.prices_cny)
    price = portfolio.carbon_price_cny_per_t * TONNES
    priced = wishes.priced
    return Linear(
        bill.constant + price * priced.constant,
        bill.option + price * priced.option,
        bill.link + price * priced.link,
        bill.cover + price * priced.cover,
    )


def _links(draft: Draft, portfolio: Portfolio, wishes: Wishes, own: tuple[int, ...], elastic: bool) -> Block | None:
    if not own:
        return None
    years = len(portfolio.years)
    cost = np.zeros((len(own), years))
    if not elastic:
        cost = discount(portfolio)[None, :] * _money(portfolio, wishes).link[list(own)] * CNY
    return draft.add_columns("link", len(own) * years, 0.0, 1.0, cost.ravel())


def _covers(draft: Draft, portfolio: Portfolio, wishes: Wishes, elastic: bool) -> Block | None:
    """Add the contracts, in GWh so that the numbers stay near one."""
    if not portfolio.covers:
        return None
    years = np.array(portfolio.years)
    cost = np.zeros((len(portfolio.covers), len(years)))
    if not elastic:
        premium = np.array([one.cny_per_mwh for one in portfolio.covers])[:, None]
        cost = discount(portfolio)[None, :] * (premium + _money(portfolio, wishes).cover) * 1e3 * CNY
    upper = np.array([np.where(years >= one.earliest, np.inf, 0.0) for one in portfolio.covers])
    return draft.add_columns("cover", cost.size, 0.0, upper.ravel(), cost.ravel())


def _stay_on(draft: Draft, at: _Places) -> None:
    """x[m, y] − x[m, y−1] ≥ 0; and none after its latest start."""
    options, years = len(at.portfolio.options), at.years
    if years < 2 or not options:
        return
    rows = draft.add_rows("stay_on", options * (years - 1), ">=", 0.0)
    later = np.arange(options * years).reshape(options, years)[:, 1:].ravel() + at.on.first
    draft.put(rows, later, 1.0)
    draft.put(rows, later - 1, -1.0)
    late = [
        (m, y) for m, option in enumerate(at.portfolio.options)
        for y, year in enumerate(at.portfolio.years) if year > option.latest and y > 0
    ]  # fmt: skip
    if late:
        stop = draft.add_rows("no_later_start", len(late), "<=", 0.0)
        draft.put(stop, np.array([at.x(m, y) for m, y in late]), 1.0)
        draft.put(stop, np.array([at.x(m, y - 1) for m, y in late]), -1.0)


def _products(draft: Draft, at: _Places) -> None:
    """Write w = x · (1 − Σ s_k w_k) exactly by four rows for each link that has others before it."""
    links, years = at.portfolio.links, at.years
    for place in at.own:
        link = links[place]
        least = float(np.prod([1 - links[earlier].fraction for earlier in link.before]))
        names = [f"{kind}_{place}" for kind in ("below_x", "below_r", "above_x", "above_r")]
        below_x = draft.add_rows(names[0], years, "<=", 0.0)
        below_r = draft.add_rows(names[1], years, "<=", 1.0 - least)
        above_x = draft.add_rows(names[2], years, ">=", 0.0)
        above_r = draft.add_rows(names[3], years, ">=", 0.0)
        w = np.array([at.w(place, y) for y in range(years)])
        x = np.array([at.x(link.option, y) for y in range(years)])
        for rows, on_x in ((below_x, -1.0), (below_r, -least), (above_x, -least), (above_r, -1.0)):
            draft.put(rows, w, 1.0)
            draft.put(rows, x, on_x)
        shares: dict[tuple[int, ...], float] = {}
        for earlier in link.before:
            columns = tuple(at.w(earlier, y) for y in range(years))
            shares[columns] = shares.get(columns, 0.0) + links[earlier].fraction
        for columns, share in shares.items():
            for rows in (below_r, above_r):
                draft.put(rows, np.array(columns), share)


def _exclusions(draft: Draft, at: _Places) -> None:
    """Of options that exclude each other one at most; one that requires another comes no earlier than it."""
    number = {option.id: place for place, option in enumerate(at.portfolio.options)}
    for option in at.portfolio.options:
        for other in option.measure.excludes:
            if other in number and option.id < other:
                rows = draft.add_rows(f"either_{option.id}_{other}", at.years, "<=", 1.0)
                for name in (option.id, other):
                    draft.put(rows, np.array([at.x(number[name], y) for y in range(at.years)]), 1.0)
        for other in option.measure.requires:
            if other in number:
                rows = draft.add_rows(f"only_with_{option.id}_{other}", at.years, "<=", 0.0)
                draft.put(rows, np.array([at.x(number[option.id], y) for y in range(at.years)]), 1.0)
                draft.put(rows, np.array([at.x(number[other], y) for y in range(at.years)]), -1.0)


def _contracted(draft: Draft, at: _Places) -> None:
    """All contracts together, the running ones included, cover no more than is purchased; each no more than its share."""
    if at.cover is None:
        return
    mine = purchased(at.portfolio)
    existing = contracted(at.portfolio)
    for y in range(at.years):
        bought = at.column(draft, mine, y, 1e3)
        caps = [(f"covered_{y}", 1.0, list(range(len(at.portfolio.covers))), float(existing[y]))]
        caps += [
            (f"covered_{y}_{place}", one.max_fraction, [place], 0.0) for place, one in enumerate(at.portfolio.covers)
        ]
        for name, share, places, running in caps:
            if name != f"covered_{y}" and share >= 1.0:
                continue
            row = draft.add_rows(name, 1, "<=", (share * mine.constant[y] - running) * 1e-3)
            draft.put(row, np.array([at.cover.first + place * at.years + y for place in places]), 1.0)
            draft.put(row, np.array([bought]), -share)


def purchased(portfolio: Portfolio) -> Linear:
    """Return the purchased electricity in MWh."""
    per_unit = np.array(
        [units.ratio(stream.unit, "MWh") if stream.source_kind == ELECTRICITY else 0.0 for stream in portfolio.streams]
    )
    return linear(portfolio, np.repeat(per_unit[:, None], len(portfolio.years), axis=1))


def contracted(portfolio: Portfolio) -> Floats:
    """Return the MWh of running contracts by year."""
    per_unit = np.array(
        [units.ratio(one.unit, "MWh") if one.source_kind == CONTRACT else 0.0 for one in portfolio.streams]
    )
    found: Floats = np.full(len(portfolio.years), float(portfolio.base @ per_unit))
    return found


def _limits(draft: Draft, at: _Places, rows: Sequence[Row], slack: Block | None) -> None:
    for number, wish in enumerate(rows):
        year = at.portfolio.years.index(wish.year)
        scale = wish.scale
        bound = (wish.bound - wish.figure.constant[year]) / scale
        row = draft.add_rows(f"limit_{number}", 1, "<=", bound)
        draft.put(row, np.array([at.column(draft, wish.figure, year, scale)]), 1.0)
        if slack is not None:
            draft.put(row, np.array([slack.first + number]), -1.0)


def _never_rising(draft: Draft, at: _Places, figure: Linear) -> None:
    """Emissions of a year are at most those of the year before."""
    scale = scale_of(figure)
    for y in range(1, at.years):
        row = draft.add_rows(f"steady_{y}", 1, "<=", (figure.constant[y - 1] - figure.constant[y]) / scale)
        draft.put(row, np.array([at.column(draft, figure, y, scale)]), 1.0)
        draft.put(row, np.array([at.column(draft, figure, y - 1, scale)]), -1.0)


def _budgets(draft: Draft, at: _Places, budgets: Mapping[int, float]) -> None:
    """Investment of each year, renewals included, within the budget of the year."""
    portfolio = at.portfolio
    for year, budget in sorted(budgets.items()):
        terms: dict[int, float] = {}
        for m in range(len(portfolio.options)):
            for y, year_on in enumerate(portfolio.years):
                if year in payments(portfolio, m, year_on):
                    amount = investment(portfolio, m, year) * CNY
                    terms[at.x(m, y)] = terms.get(at.x(m, y), 0.0) + amount
                    if y > 0:
                        terms[at.x(m, y - 1)] = terms.get(at.x(m, y - 1), 0.0) - amount
        terms = {column: value for column, value in terms.items() if value}
        if terms:
            row = draft.add_rows(f"budget_{year}", 1, "<=", budget * CNY)
            draft.put(row, np.array(list(terms)), np.array(list(terms.values())))


def _neutrality(draft: Draft, at: _Places, wishes: Wishes) -> Block | None:
    """From the neutral year on, credits for what remains: k[y] ≥ emissions − removals."""
    portfolio = at.portfolio
    credit = portfolio.credit.credit if portfolio.credit else None
    first = wishes.neutral_year
    places = [y for y, year in enumerate(portfolio.years) if first is not None and year >= first]
    if not places or credit is None or wishes.net is None:
        return None
    price = credit.cny_per_t
    block = draft.add_columns("credit", len(places), cost=discount(portfolio)[places] * price * 1e3 * CNY)
    for number, y in enumerate(places):
        row = draft.add_rows(f"neutral_{y}", 1, ">=", wishes.net.constant[y] * TONNES * 1e-3)
        draft.put(row, np.array([block.first + number]), 1.0)
        terms = at.terms(wishes.net, y)
        if terms:
            draft.put(row, np.array(list(terms)), np.array(list(terms.values())) * -TONNES * 1e-3)
    return block
