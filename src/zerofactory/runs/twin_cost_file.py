"""costs.toml: what an hour of work costs, who stands at which station, and on which load the basic charge is reckoned.

A workspace has its own file, or none: then labour is left out of comparisons and said so. The fictional reference plant has a
packaged one. A scenario may state people, a wage, an investment and another connection of its own (``[labour]``,
``[investment]``, ``[connection]``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.notation import text_of, toml_of
from zerofactory.runs.context import Context
from zerofactory.runs.energy_file import REFERENCE_PLANT
from zerofactory.runs.twin_change import unknown
from zerofactory.runs.twin_labour import People, Wage
from zerofactory.wording import complaint, problems_of

NAME = "costs.toml"
GUIDE = Text("写法见 docs/how-to/twin-costs.md。", "See docs/how-to/twin-costs.md.")
OF_SCENARIO = "场景文件 / scenario file"
MOST_PEOPLE, MOST_CNY = 100_000.0, 1e12
Status = Literal["verified", "secondary", "placeholder"]
Heads = Annotated[float, Field(ge=0.0, le=MOST_PEOPLE)]
Weekday = Annotated[int, Field(ge=1, le=7)]


def _listed(value: object) -> object:
    """Return a number as the list of itself: the same people in every shift."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return [value]
    if not isinstance(value, list | tuple) or not value:
        raise complaint("people", "应为人数, 或每班一个人数的列表", "it must be a number of people, or a list of one for each shift")  # fmt: skip
    return value


Crew = Annotated[tuple[Heads, ...], BeforeValidator(_listed)]


class _Strict(BaseModel):
    """A part of the file: unknown keys are refused, and numbers without end."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class WageEntry(_Strict):
    """What an hour costs (see `twin_labour.Wage`), where the number is from, of which day, and how sure it is."""

    cny_per_h: float = Field(gt=0.0, le=MOST_CNY)
    source: str = Field(min_length=1)
    on: date
    status: Status
    on_cost_fraction: float = Field(default=0.0, ge=0.0, le=10.0)
    unpaid_break_h_per_shift: float = Field(default=0.0, ge=0.0, le=8.0)
    rest_weekdays: tuple[Weekday, ...] | None = None
    statutory_holidays: tuple[date, ...] = ()


class CrewsEntry(_Strict):
    """People at stations in each shift: one number, or one for each shift of the day in its order.

    They stand there besides the operators and repairers that twin.toml takes from pools, who are counted by the size of the pool.
    """

    people: Mapping[str, Crew]
    source: str = Field(min_length=1)
    on: date
    status: Status


class BasicEntry(_Strict):
    """On which load the basic charge is reckoned: the lines of the twin alone, or the plant's readings with them replaced."""

    load: Literal["line", "plant"] = "line"


class CostsFile(_Strict):
    """The whole file."""

    wage: WageEntry | None = None
    crews: CrewsEntry | None = None
    basic: BasicEntry = Field(default_factory=BasicEntry)


class LabourEntry(_Strict):
    """What a scenario says of labour: people that are others than in the plant as it is, and a wage for both sides."""

    cny_per_h: float | None = Field(default=None, gt=0.0, le=MOST_CNY)
    people: Mapping[str, Crew] = Field(default_factory=dict)


class InvestmentEntry(_Strict):
    """What a scenario costs to build and to keep; the discount rate is the plan's where none is stated."""

    investment_cny: float = Field(ge=0.0, le=MOST_CNY)
    life_years: int = Field(ge=1, le=100)
    maintenance_cny_per_year: float = Field(default=0.0, ge=-MOST_CNY, le=MOST_CNY)
    discount_fraction: float | None = Field(default=None, ge=0.0, le=1.0)
    source: str = ""
    on: date | None = None
    status: Status = "placeholder"


class ConnectionEntry(_Strict):
    """Another connection to the grid: the terms of ``[tariff]`` of factory.toml that decide the basic charge."""

    demand_basis: Literal["maximum", "contract", "capacity"] | None = None
    transformer_kva: float | None = Field(default=None, gt=0.0, le=MOST_CNY)
    contract_demand_kw: float | None = Field(default=None, gt=0.0, le=MOST_CNY)


def read(context: Context, stations: Collection[str]) -> CostsFile:
    """Return the costs of a workspace, empty where it states none.

    Raises
    ------
    FaultyData
        Every fault of the file: no TOML, unknown keys, people at a station that is not there.
    """
    text = _text(context)
    if text is None:
        return CostsFile()
    raw = toml_of(text, NAME, "costs.unreadable")
    try:
        made = CostsFile.model_validate(raw)
    except ValidationError as error:
        raise FaultyData(problems_of(error, "costs", GUIDE, NAME, raw)) from error
    problems = list(strangers(people_of(made), stations, "crews.people", NAME))
    if problems:
        raise FaultyData(problems)
    return made


def people_of(file: CostsFile) -> People:
    """Return who stands at which station in the plant as it is."""
    return {} if file.crews is None else file.crews.people


def wage_of(file: CostsFile, entry: LabourEntry | None = None) -> Wage | None:
    """Return the wage that holds, a scenario's before the plant's; None where neither states one."""
    own = None if entry is None else entry.cny_per_h
    if file.wage is None:
        return None if own is None else Wage(own, source=OF_SCENARIO)
    told = file.wage
    return Wage(
        told.cny_per_h if own is None else own, told.on_cost_fraction, told.unpaid_break_h_per_shift, told.rest_weekdays,
        told.statutory_holidays, f"{told.source} ({told.on.isoformat()})" if own is None else OF_SCENARIO,
        told.status if own is None else "placeholder",
    )  # fmt: skip


def strangers(people: People, stations: Collection[str], column: str, file: str) -> Iterator[Problem]:
    """Yield people at stations that are not there."""
    for name in people:
        if name not in stations:
            yield unknown(f"{column}.{name}", name, "station", stations, file)


def _text(context: Context) -> str | None:
    path = context.workspace.folder / NAME
    if path.is_file():
        return text_of(path.read_bytes(), NAME)
    own_twin = (context.workspace.folder / "twin.toml").is_file()
    if context.workspace.plant.id == REFERENCE_PLANT and not own_twin:
        return files("zerofactory.reference_plant").joinpath(NAME).read_text(encoding="utf-8")
    return None
