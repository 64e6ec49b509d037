"""What costs are reckoned with, put together before anything runs: wages and people, tariff, discount rate, carbon price."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from zerofactory.assets.bill import term_problems
from zerofactory.assets.grid import Floats
from zerofactory.assets.tariff import Tariff, month_tariff
from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.planning.scenario import carbon_price, default
from zerofactory.runs.context import Context
from zerofactory.runs.plan import current
from zerofactory.runs.twin import grid_of
from zerofactory.runs.twin_basic import Connection, terms_of, two_part
from zerofactory.runs.twin_cost_file import (
    ConnectionEntry,
    CostsFile,
    InvestmentEntry,
    LabourEntry,
    people_of,
    read,
    strangers,
    wage_of,
)
from zerofactory.runs.twin_file import Twin
from zerofactory.runs.twin_labour import Days, People, Wage, too_short
from zerofactory.runs.twin_shifts import When

NO_CHARGE = Text("没有两部制电价", "no two-part tariff")
NO_READINGS = Text("costs.toml 要按全厂算, 而这些天没有完整的全厂读数", "costs.toml asks for the load of the whole plant, and its readings of these days are not complete")  # fmt: skip


@dataclass(frozen=True)
class Grounds:
    """What holds for all scenarios of a comparison.

    ``beside_kwh`` is the load beside the lines where the basic charge is that of the whole plant; ``carbon`` is the price of a
    tonne and its name. ``missing`` says why there is no basic charge or no carbon price, by kind of cost.
    """

    file: CostsFile
    tariff: Tariff | None
    beside_kwh: Floats | None
    discount: tuple[float, Text]
    carbon: tuple[float, Text] | None
    missing: Mapping[str, Text]


@dataclass(frozen=True)
class Priced:
    """What a scenario's costs are reckoned with: its people before and after, its connection and its investment."""

    grounds: Grounds
    wage: Wage | None
    before: People
    after: People
    connection: Connection | None
    investment: InvestmentEntry | None


@dataclass(frozen=True, slots=True)
class Said:
    """The parts of a scenario file that are about cost."""

    labour: LabourEntry | None
    investment: InvestmentEntry | None
    connection: ConnectionEntry | None


def grounds(context: Context, base: Twin, over: Days, beside: Callable[[], Floats]) -> Grounds:
    """Return what holds for all scenarios; raise `FaultyData` with every fault of costs.toml.

    What the basic charge lacks leaves it out with its reason: the figures of a comparison do not need it.

    Parameters
    ----------
    beside : the load of the plant beside the lines, asked for where costs.toml reckons the basic charge on the whole plant.
    """
    file = read(context, [one.id for one in base.line.stations])
    short = too_short(context.workspace.plant, When(), over, people_of(file))
    problems = [_too_short("costs.toml", f"crews.people.{name}", told, there) for name, told, there in short]
    if problems:
        raise FaultyData(problems)
    tariff, beside_kwh = _tariff(context, over), None
    if file.basic.load == "plant" and not isinstance(tariff, Text):
        try:
            beside_kwh = beside()
        except FaultyData:
            tariff = NO_READINGS
    discount, carbon = _of_plan(context, over.first.year)
    told = {"basic": tariff, "carbon": carbon}
    return Grounds(
        file, None if isinstance(tariff, Text) else tariff, beside_kwh, discount, None if isinstance(carbon, Text) else carbon,
        {kind: why for kind, why in told.items() if isinstance(why, Text)},
    )  # fmt: skip


def _tariff(context: Context, over: Days) -> Tariff | Text:
    """Return the tariff that has a basic charge in every month of the days, or why there is none."""
    tariff = two_part(context)
    if tariff is None:
        return NO_CHARGE
    terms = terms_of(context, None)[0]
    for month in grid_of(context.workspace.plant, over.first, over.number, over.since_s).months:
        found, _ = month_tariff(tariff, month)
        if found is None:
            return Text(f"电价没有 {month} 的价", f"the tariff has no price of {month}")
        for problem in term_problems(terms, found):
            return Text(problem.message.zh.rstrip("。"), problem.message.en.rstrip("."))
    return tariff


def priced(context: Context, given: Grounds, said: Said, twins: tuple[Twin, Twin], when: tuple[When, Days]) -> Priced:
    """Return what a scenario's costs are reckoned with.

    Raises
    ------
    FaultyData
        People at stations that are not there or told for too few shifts, a connection without a charge, terms that lack a number.
    """
    labour = said.labour or LabourEntry()
    stations = [station.id for station in twins[1].line.stations]
    problems = list(strangers(labour.people, stations, "labour.people", "scenario"))
    before = people_of(given.file)
    after = {name: heads for name, heads in {**before, **labour.people}.items() if name in stations}
    plant = context.workspace.plant
    for name, told, there in too_short(plant, when[0], when[1], after):
        problems.append(_too_short("scenario", f"labour.people.{name}", told, there))
    connection = None
    if given.tariff is not None:
        terms = terms_of(context, said.connection)
        found, _ = month_tariff(given.tariff, when[1].first.isoformat()[:7])
        problems += [one.at(file="scenario", column="connection") for one in term_problems(terms[1], found)]
        connection = Connection(given.tariff, *terms, given.beside_kwh)
    elif said.connection is not None and given.missing["basic"] is NO_CHARGE:
        problems += _no_charge()
    if problems:
        raise FaultyData(problems)
    return Priced(given, wage_of(given.file, said.labour), before, after, connection, said.investment)


def _of_plan(context: Context, year: int) -> tuple[tuple[float, Text], tuple[float, Text] | Text]:
    """Return the discount rate and where it is from, and the carbon price of the plan or why there is none."""
    usual = default("discount_fraction"), Text("规划的默认值(占位)", "the default of planning (placeholder)")
    try:
        economics = current(context).plan.economics
    except FaultyData as fault:
        if any(problem.code == "planning.no_plan" for problem in fault.problems):
            return usual, Text("没有计划", "there is no plan")
        return usual, Text("plan.toml 有错", "plan.toml has faults")
    rate = usual
    if economics.discount_fraction is not None:
        rate = economics.discount_fraction, Text("plan.toml", "plan.toml")
    price = carbon_price(economics.carbon_price)
    worth = price.value(year)
    return rate, (worth, price.title) if worth > 0.0 else Text("计划没有碳价", "the plan has no carbon price")


def _too_short(file: str, column: str, told: int, there: int) -> Problem:
    message = Text(
        f"写了 {told} 班的人数, 当天有 {there} 班。", f"People are told for {told} shifts; a day has {there}."
    )
    hint = Text("每班一个数, 或只写一个数。", "Give a number for each shift, or one for all.")
    return Problem("costs.shifts", message, hint, file=file, column=column)


def _no_charge() -> Iterator[Problem]:
    message = Text("工厂的电价没有基本电费, connection 无效。", "The plant's tariff has no basic charge: connection has no effect.")  # fmt: skip
    hint = Text("请在 factory.toml 写两部制电价, 或去掉它。", "Name a two-part tariff in factory.toml, or leave it out.")  # fmt: skip
    yield Problem("costs.connection", message, hint, file="scenario", column="connection")
