"""Compare process routes of a part: metal, energy, tonnes, floor, takt, money, break-even, and what the answer hangs on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.notation import text_of
from zerofactory.optimisation.routes.balance import Body, body_of
from zerofactory.optimisation.routes.check import check
from zerofactory.optimisation.routes.cost import Costed, Crossing, costed, crossings
from zerofactory.optimisation.routes.load import assumptions as packaged_assumptions
from zerofactory.optimisation.routes.load import numbers, of_part, packaged, read_own, with_number
from zerofactory.optimisation.routes.route import Assumptions, Input, Route
from zerofactory.periods import Period
from zerofactory.runs.context import Context
from zerofactory.runs.emitted import ELECTRICITY, Emitted, Item, World

OWN_FILE = "routes.toml"
PART, BASE = "rear_floor", "stamped_steel"
RECYCLED = "recycled_fraction"
GRID_POINTS = 60
TOLD = 8
STEEL_SAVED = ("deck.steel.saved_low", "deck.steel.saved_high")
STEEL = "steel"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is compared.

    Parameters
    ----------
    part : the part of the body.
    volume : good bodies a year; None takes the plant's vehicles of the year.
    routes : ids; empty: every route of the part.
    base : the route the others are held against.
    recycled_fraction : overrules the recycled share of aluminium in every route.
    """

    part: str = PART
    volume: int | None = None
    routes: tuple[str, ...] = ()
    base: str = BASE
    recycled_fraction: float | None = None
    year: int | None = None


@dataclass(frozen=True)
class Compared:
    """One route of a comparison; ``booked_gco2e`` are the grams of a year by scope as the accounts book them."""

    body: Body
    costed: Costed
    quantities: Mapping[Item, float]
    emitted: Mapping[Item, Emitted]
    booked_gco2e: Mapping[int, int]
    scrap_credit_kgco2e: float

    @property
    def netted_kgco2e(self) -> float:
        """With what sold scrap saves elsewhere taken off (substitution), for one body."""
        return self.kgco2e_per_body - self.scrap_credit_kgco2e

    @property
    def kgco2e_per_body(self) -> float:
        """Of the whole year, as booked, for one body."""
        return sum(self.booked_gco2e.values()) / self.costed.volume / 1000.0

    @property
    def metal_kgco2e(self) -> float:
        """Of the metal of one body."""
        metals = {(m.branch.metal.source_kind, m.branch.metal.item) for m in self.body.metals}
        return sum(
            amount * self.emitted[item].total_gco2e
            for item, amount in self.quantities.items()
            if (item.source_kind, item.item) in metals
        ) / 1000.0  # fmt: skip

    @property
    def electricity_kwh(self) -> float:
        """Of one body, the share of what equipment draws while it waits included."""
        return sum(amount for item, amount in self.quantities.items() if item.source_kind == ELECTRICITY)


@dataclass(frozen=True, slots=True)
class Swing:
    """How far one number, moved between its bounds, moves the result of a route."""

    path: str
    low: float
    high: float
    unit: str
    kgco2e: tuple[float, float]
    cny: tuple[float, float]


@dataclass(frozen=True)
class Comparison:
    """Routes side by side, and what the answer hangs on."""

    asked: Asked
    year: int
    volume: int
    shared: Assumptions
    routes: Mapping[str, Compared]
    crossings: Mapping[str, tuple[Crossing, ...]]
    recycled_table: Mapping[str, tuple[tuple[float, ...], ...]]
    equal_recycled_fraction: Mapping[str, float | None]
    swings: Mapping[str, tuple[Swing, ...]]
    steel_saved_kg: Mapping[str, float]
    steel_band_kgco2e_per_kg: tuple[float, float]
    use_kwh: Mapping[str, float]

    @property
    def base(self) -> Compared:
        """The route the others are held against."""
        return self.routes[self.asked.base]

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        from zerofactory.runs.route_json import as_json

        return as_json(self)


def own(context: Context) -> tuple[Mapping[str, Route], Assumptions]:
    """Return the routes and assumptions of a workspace: its routes.toml over the package's."""
    file = context.workspace.folder / OWN_FILE
    if not file.is_file():
        return packaged(), packaged_assumptions()
    return read_own(text_of(file.read_bytes(), OWN_FILE), OWN_FILE)


def run(context: Context, asked: Asked) -> Comparison:
    """Return a comparison.

    Raises
    ------
    FaultyData
        Faults of routes.toml, a factor that cannot be decided, a share out of bounds; or a route failed its check.
    NotFound
        No such part or route.
    """
    known, shared = own(context)
    chosen = _chosen(known, asked)
    year = asked.year or context.today.year - 1
    volume = asked.volume if asked.volume is not None else _vehicles(context, year)
    _refuse(asked, volume)
    world = World(context.workspace.plant, context.workspace.factor_book, year)
    work = _Work(world, shared, volume)
    routes = {route.id: work.compared(_with_recycled(route, asked.recycled_fraction)) for route in chosen}
    base = routes[asked.base]
    others = [name for name in routes if name != asked.base]
    low, high = (context.workspace.factor_book.factor(name).value for name in STEEL_SAVED)
    return Comparison(
        asked, year, volume, shared, routes,
        crossings={name: _crossings(base.body, routes[name].body, shared) for name in others},
        recycled_table={name: work.table(one.body.route) for name, one in routes.items() if _has_share(one.body.route)},
        equal_recycled_fraction={name: work.equal_share(routes[name].body.route, base) for name in others},
        swings={name: work.swings(one.body.route) for name, one in routes.items()},
        steel_saved_kg={name: _steel(base.body) - _steel(routes[name].body) for name in others},
        steel_band_kgco2e_per_kg=(low, high),
        use_kwh={name: _use_kwh(one.body, shared) for name, one in routes.items()},
    )  # fmt: skip


@dataclass(frozen=True)
class _Work:
    """The world, the shared assumptions and the volume of one comparison; factors are asked for once."""

    world: World
    shared: Assumptions
    volume: int

    def compared(self, route: Route) -> Compared:
        body = body_of(route)
        money = costed(body, self.shared, self.volume)
        findings = check(body, money, self.shared)
        quantities = self._quantities(body, money)
        emitted = self.world.per_unit(quantities)
        booked = self.world.emitted({item: amount * self.volume for item, amount in quantities.items()})
        expected = sum(amount * emitted[item].total_gco2e for item, amount in quantities.items()) * self.volume
        if findings or abs(expected - sum(booked.values())) > 1e-6 * expected:
            raise FaultyData([_failed(route, [one.message for one in findings])])
        return Compared(body, money, quantities, emitted, booked, self._credit(body))

    def _credit(self, body: Body) -> float:
        """Return kg of CO2e that the scrap of a body saves: sold · recovery · (primary − recycled).

        Closed-loop substitution of the world steel association's LCI methodology (2017) and ISO 20915:2018; told beside the
        cut-off figure, which is the one that is booked.
        """
        total = 0.0
        for metal in body.metals:
            scrap = metal.branch.scrap
            pair = [self.world.item(one, "other") for one in (scrap.primary, scrap.recycled)]
            grams = self.world.per_unit(pair)
            saved = grams[pair[0]].total_gco2e - grams[pair[1]].total_gco2e
            total += metal.sold_kg * scrap.recovery_fraction.value * saved / 1000.0
        return total

    def _quantities(self, body: Body, money: Costed) -> dict[Item, float]:
        """Return what a body takes, with its share of what equipment draws while the shop is open."""
        found = self.world.quantities(body)
        shops = {worked.step.id: worked.step.shop for worked in body.steps}
        for station in money.stations:
            item = self.world.item(_power(), shops[station.step])
            found[item] = found.get(item, 0.0) + station.base_kwh / self.volume
        return found

    def kgco2e(self, route: Route, emitted: Mapping[Item, Emitted], shared: Assumptions | None = None) -> float:
        """Return kg of CO2e of one body by factors already known."""
        body = body_of(route)
        amounts = self._quantities(body, costed(body, shared or self.shared, self.volume))
        return sum(amount * emitted[item].total_gco2e for item, amount in amounts.items()) / 1000.0

    def table(self, route: Route) -> tuple[tuple[float, ...], ...]:
        """Return kg of CO2e a body by recycled share (rows) and intensity of power (columns)."""
        rows = []
        for share in self.shared.recycled_fractions:
            done = self.compared(_with_recycled(route, share))
            fixed = sum(
                amount * done.emitted[item].total_gco2e
                for item, amount in done.quantities.items()
                if item.source_kind != ELECTRICITY
            )
            rows.append(
                tuple((fixed + done.electricity_kwh * grid) / 1000.0 for grid in self.shared.grid_gco2e_per_kwh)
            )
        return tuple(rows)

    def equal_share(self, route: Route, base: Compared) -> float | None:
        """Return the recycled share of aluminium at which a route emits what the base does; None where no share does."""
        if not _has_share(route):
            return None
        none, all_of_it = (self.compared(_with_recycled(route, share)).kgco2e_per_body for share in (0.0, 1.0))
        if none == all_of_it:
            return None
        share = (none - base.kgco2e_per_body) / (none - all_of_it)
        return share if 0.0 <= share <= 1.0 else None

    def swings(self, route: Route) -> tuple[Swing, ...]:
        """Return the numbers that move the tonnes of a route most, each between its bounds, and what they do to its cost."""
        emitted = self.world.per_unit(
            self._quantities(body_of(route), costed(body_of(route), self.shared, self.volume))
        )
        found = []
        for path, number in numbers(route):
            if number.low is None or number.high is None:
                continue
            moved = [with_number(route, path, value) for value in (number.low, number.high)]
            tonnes = tuple(self.kgco2e(one, emitted) for one in moved)
            money = tuple(costed(body_of(one), self.shared, self.volume).cny_per_body for one in moved)
            found.append(
                Swing(path, number.low, number.high, number.unit, (tonnes[0], tonnes[1]), (money[0], money[1]))
            )
        found.sort(key=lambda one: -abs(one.kgco2e[1] - one.kgco2e[0]))
        return tuple(found[:TOLD])


def _chosen(known: Mapping[str, Route], asked: Asked) -> list[Route]:
    offered = {route.id: route for route in of_part(known, asked.part)}
    wanted = dict.fromkeys((asked.base, *(asked.routes or offered)))
    for name in wanted:
        if name not in offered:
            raise NotFound(Text("工艺路线", "route"), name, tuple(offered))
    return [offered[name] for name in wanted]


def _refuse(asked: Asked, volume: int) -> None:
    problems = []
    share = asked.recycled_fraction
    if share is not None and not 0.0 <= share <= 1.0:
        message = Text(
            f"再生比例 {share:g} 应在 0 与 1 之间。", f"A recycled share of {share:g} does not lie between 0 and 1."
        )
        problems.append(Problem("route.recycled", message, Text("例如 0.7。", "For example 0.7.")))
    if volume < 1:
        message = Text(f"年产量 {volume} 应为正整数。", f"A volume of {volume} bodies a year is not positive.")
        problems.append(Problem("route.volume", message, Text("请用 --volume 给出。", "Give one with --volume.")))
    if problems:
        raise FaultyData(problems)


def _vehicles(context: Context, year: int) -> int:
    """Return the plant's output of a year in whole vehicles; raise `FaultyData` when the book has none."""
    from zerofactory.runs.evaluation_book import vehicles

    made = round(vehicles(context, Period(year)) or 0.0)
    if made < 1:
        message = Text(f"账本里没有 {year} 年的产量。", f"The book has no output of {year}.")
        raise FaultyData([Problem("route.volume", message, Text("请用 --volume 给出年产量。", "Give the bodies a year with --volume."))])  # fmt: skip
    return made


def _power() -> Input:
    from zerofactory.optimisation.routes.route import Number

    amount = Number(1.0, "kWh", "base load of equipment", "verified")
    return Input(ELECTRICITY, "electricity", "body", amount, "electricity")


def _has_share(route: Route) -> bool:
    return any(RECYCLED in branch.metal.detail for branch in route.branches)


def _with_recycled(route: Route, share: float | None) -> Route:
    if share is None:
        return route
    branches = tuple(
        replace(one, metal=replace(one.metal, detail={**one.metal.detail, RECYCLED: share}))
        if RECYCLED in one.metal.detail
        else one
        for one in route.branches
    )
    return replace(route, branches=branches)


def _crossings(base: Body, other: Body, shared: Assumptions) -> tuple[Crossing, ...]:
    low, high = (round(one.value) for one in shared.break_even_volumes)
    ratio = (high / low) ** (1.0 / GRID_POINTS)
    volumes: Sequence[int] = [round(low * ratio**place) for place in range(GRID_POINTS + 1)]
    return crossings(
        lambda volume: costed(base, shared, volume).cny_per_body,
        lambda volume: costed(other, shared, volume).cny_per_body,
        (base.route.id, other.route.id),
        volumes,
    )


def _steel(body: Body) -> float:
    """Return kilograms of steel put in less what is returned as scrap (material saving, standards 5: yield losses are netted)."""
    return sum(m.new_kg - m.sold_kg for m in body.metals if m.branch.metal.item.startswith(STEEL))


def _use_kwh(body: Body, shared: Assumptions) -> float:
    """Return the electricity that carrying the part takes over a vehicle's life: kWh/(100 km · 100 kg) · kg · km."""
    return shared.use_kwh_per_100km_100kg.value * body.net_kg / 100.0 * shared.life_km.value / 100.0


def _failed(route: Route, messages: Sequence[Text]) -> Problem:
    zh, en = "; ".join(one.zh for one in messages), "; ".join(one.en for one in messages)
    message = Text(f"工艺路线“{route.id}”未通过校核: {zh or '入账吨数不符'}", f"Route '{route.id}' failed its check: {en or 'the tonnes booked differ'}")  # fmt: skip
    return Problem("route.check", message, Text("请报告此问题。", "Please report this."))


def listed(context: Context) -> list[dict[str, object]]:
    """Return the routes of a workspace, how many numbers each has and how many of them are assumed."""
    routes, _ = own(context)
    return [
        {
            "route": one.id,
            "part": one.part,
            "title": {"zh": one.title.zh, "en": one.title.en},
            "numbers": len(list(numbers(one))),
            "assumed": sum(number.status == "assumption" for _, number in numbers(one)),
        }
        for one in routes.values()
    ]


def cited(context: Context, name: str) -> list[dict[str, object]]:
    """Return every number of a route with its unit, bounds, source and status; raise `NotFound` with the routes there are."""
    routes, _ = own(context)
    if name not in routes:
        raise NotFound(Text("工艺路线", "route"), name, tuple(routes))
    return [
        {
            "number": path,
            "value": number.value,
            "unit": number.unit,
            "low": number.low,
            "high": number.high,
            "status": number.status,
            "source": number.source,
        }
        for path, number in numbers(routes[name])
    ]
