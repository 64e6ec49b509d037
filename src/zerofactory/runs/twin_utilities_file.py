"""utilities.toml: booths, ovens, compressed air, halls, loops of hot and cold water, chillers, heaters and stores of a plant.

A workspace has its own file; the fictional reference plant has a packaged one; without either there are no utilities and nothing
changes. Names, shops and meters are those of factory.toml, stations those of twin.toml.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from zerofactory.errors import FaultyData, Problem, Text, refuse
from zerofactory.notation import text_of, toml_of
from zerofactory.optimisation.twin.line import STATES
from zerofactory.optimisation.utilities.booth import Booth, Window
from zerofactory.optimisation.utilities.compressed_air import Compressor, Leak, Network
from zerofactory.optimisation.utilities.faults import STOPPED_BY, faults
from zerofactory.optimisation.utilities.hall import Hall
from zerofactory.optimisation.utilities.loop import Load, Loop
from zerofactory.optimisation.utilities.oven import Oven, Oxidiser
from zerofactory.optimisation.utilities.plant import AirNeed, Utilities
from zerofactory.optimisation.utilities.source import Chiller, Heater
from zerofactory.optimisation.utilities.stop import Stop
from zerofactory.optimisation.utilities.tank import Tank
from zerofactory.runs.context import Context
from zerofactory.runs.energy_file import REFERENCE_PLANT
from zerofactory.runs.twin_change import unknown
from zerofactory.runs.twin_file import Twin
from zerofactory.runs.twin_utilities_entries import DownEntry, UtilitiesFile, WeatherEntry
from zerofactory.site.model import Plant
from zerofactory.wording import problems_of

NAME, FITTED = "utilities.toml", "utilities.fitted.csv"
FITTED_COLUMNS = ("table", "id", "key", "value", "low", "high", "first_month", "last_month", "meters")
GUIDE = Text("写法见 docs/how-to/twin-utilities.md。", "See docs/how-to/twin-utilities.md.")
TABLES = ("booths", "ovens", "oxidisers", "compressors", "air", "halls", "loops", "loads", "chillers", "heaters", "tanks", "stops")  # fmt: skip
KEYS = (*TABLES, "network", "weather", "add", "remove", "down", "takes_over", "gas_kwh_per_nm3", "stops_turn_minutes")
KINDS: Mapping[str, Any] = {
    "booths": Booth, "ovens": Oven, "oxidisers": Oxidiser, "compressors": Compressor, "air": AirNeed, "halls": Hall, "loops": Loop,
    "loads": Load, "chillers": Chiller, "heaters": Heater, "tanks": Tank, "stops": Stop,
}  # fmt: skip
NESTED: Mapping[str, Any] = {"window": Window, "rest": Window}


class Origin(NamedTuple):
    """What readings told: how many figures that were fitted to them are taken, and of which months."""

    figures: int
    first_month: str
    last_month: str


@dataclass(frozen=True)
class Beside:
    """The utilities of a plant, their weather, the draws of stations they take over (station, carrier), the file's status, the
    meters they are fitted to (table and id), and what was fitted before."""

    utilities: Utilities
    weather: WeatherEntry
    takes_over: tuple[tuple[str, str], ...]
    status: str
    source: str
    counters: Mapping[tuple[str, str], str] = field(default_factory=dict)
    down: tuple[DownEntry, ...] = ()
    origin: Origin | None = None

    def relieved(self, twin: Twin) -> Twin:
        """Return the twin without the draws that the utilities know better, so that nothing is counted twice."""
        gone = set(self.takes_over)
        stations = tuple(
            replace(one, draws={carrier: draw for carrier, draw in one.draws.items() if (one.id, carrier) not in gone})
            for one in twin.line.stations
        )
        meters = {key: names for key, names in twin.meters.items() if key not in gone}
        return replace(twin, line=replace(twin.line, stations=stations), meters=meters)


def read(
    context: Context, twin: Twin, changed: Mapping[str, Any] | None = None, *, fitted: bool = True
) -> Beside | None:
    """Return the utilities of a workspace, with what was ``fitted`` to its readings, and changed as the part ``utilities`` of a
    scenario says; None where it has none.

    Raises
    ------
    FaultyData
        Faults of the file, of its names and of the utilities: all of them; a scenario that changes utilities that are not there.
    """
    change = dict((changed or {}).get("utilities", {}))
    text = _text(context)
    if text is None:
        if change:
            message = Text("场景改动公用动力, 但工作区没有 utilities.toml。", "The scenario changes utilities, but the workspace has no utilities.toml.")  # fmt: skip
            raise FaultyData([Problem("utilities.missing", message, GUIDE, file=NAME)])
        return None
    raw = _raw(text)
    file, own, origin = _file(raw, NAME), context.workspace.folder / FITTED, None
    if fitted and own.is_file():
        raw, origin = with_fitted(raw, own), _origin(own)
        file = _file(raw, FITTED)
    before = _stations(file)
    if change:
        file = _file(changed_by(raw, change), "scenario")
    stations = {one.id for one in twin.line.stations}
    known = stations | before if changed else stations
    refuse(list(_names(file, context.workspace.plant, twin, known)))
    made = {name: tuple(_made(KINDS[name], one) for one in getattr(file, name)) for name in TABLES}
    utilities = Utilities(
        file.gas_kwh_per_nm3, network=_network(file), stops_turn_minutes=file.stops_turn_minutes, **made
    )
    refuse(faults(utilities, NAME))
    gone = tuple((one.station, one.carrier) for one in file.takes_over)
    counters = {("halls", one.id): one.heat_meter for one in file.halls if one.heat_meter}
    if file.network is not None and file.network.air_meter:
        counters["network", "network"] = file.network.air_meter
    return Beside(
        _without(utilities, stations), file.weather, gone, file.status, file.source, counters, file.down, origin
    )


def with_fitted(raw: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Return the data of utilities.toml with the keys that were fitted to readings; what is not there any more is passed over."""
    if not path.is_file():
        return dict(raw)
    made = deepcopy(dict(raw))
    for number, row in enumerate(csv.DictReader(io.StringIO(text_of(path.read_bytes(), FITTED))), 2):
        try:
            table, name, keys, value = row["table"], row["id"], row["key"].split("."), float(row["value"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            message = Text("这一行不是拟合结果。", "This row is no fitted figure.")
            hint = Text("请重新运行 zf twin calibrate --write, 或删去该文件。", "Run zf twin calibrate --write again, or delete the file.")  # fmt: skip
            raise FaultyData([Problem("utilities.fitted", message, hint, file=FITTED, row=number)]) from error
        rows = [made.get("network", {})] if table == "network" else made.get(table, [])
        for one in rows:
            if (table == "network" or one.get("id") == name) and len(keys) == 1:
                one[keys[0]] = value
            elif table != "network" and one.get("id") == name and len(keys) == 2 and isinstance(one.get(keys[0]), dict):
                one[keys[0]][keys[1]] = value
            elif table == "network" and len(keys) == 3 and keys[1] in map(str, range(len(one.get(keys[0], ())))):
                one[keys[0]][int(keys[1])][keys[2]] = value
    return made


def _origin(path: Path) -> Origin | None:
    """Return what the file of fitted figures says of itself; None where it has none."""
    rows = list(csv.DictReader(io.StringIO(text_of(path.read_bytes(), FITTED))))
    first, last = ([row.get(key) or "" for row in rows] for key in ("first_month", "last_month"))
    return Origin(len(rows), min(first), max(last)) if rows else None


def changed_by(raw: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data of utilities.toml changed as the part ``utilities`` of a scenario says.

    ``[utilities.chillers.ID]`` and so on set keys of what is there, ``[utilities.network]`` of the network,
    ``[[utilities.add.TABLE]]`` add, ``remove = [ID]`` takes away, ``weather`` and ``takes_over`` take their place, ``[[utilities.down]]`` says which machines stand still, when and for how long.

    >>> changed_by({"chillers": [{"id": "c1", "available": True}]}, {"chillers": {"c1": {"available": False}}})
    {'chillers': [{'id': 'c1', 'available': False}]}
    """
    if not change:
        return dict(raw)
    problems = list(_misshapen(change))
    refuse(problems)
    made = deepcopy(dict(raw))
    there = {table: [str(one.get("id")) for one in raw.get(table, ())] for table in TABLES}
    every = [name for names in there.values() for name in names]
    problems += [unknown(f"utilities.{name}", name, "key", KEYS, "scenario") for name in sorted(set(change) - set(KEYS))]  # fmt: skip
    gone = [str(name) for name in change.get("remove", ())]
    problems += [unknown("utilities.remove", name, "utility", every, "scenario") for name in gone if name not in every]
    for name in sorted(set(change.get("add", {})) - set(TABLES)):
        problems.append(unknown(f"utilities.add.{name}", name, "kind", TABLES, "scenario"))
    for table in TABLES:
        for name, values in change.get(table, {}).items():
            if name not in there[table] or name in gone:
                problems.append(unknown(f"utilities.{table}.{name}", name, table, there[table], "scenario"))
                continue
            made[table][there[table].index(name)] |= values
        kept = [
            row for row in made.get(table, []) if str(row.get("id")) not in gone and not _hangs_on(row, table, gone)
        ]
        rows = [*kept, *deepcopy(change.get("add", {}).get(table, []))]
        if rows or table in made:
            made[table] = rows
    refuse(problems)
    for name in ("network", "weather"):
        if name in change:
            made[name] = {**made.get(name, {}), **change[name]}
    return made | {
        name: change[name] for name in ("down", "takes_over", "gas_kwh_per_nm3", "stops_turn_minutes") if name in change
    }


def _hangs_on(row: Mapping[str, Any], table: str, gone: Sequence[str]) -> bool:
    """Tell whether a stop names a utility that is taken away."""
    return table == "stops" and any(str(row.get(kind)) in gone for kind in STOPPED_BY)


def heat_cny_per_kwh(context: Context) -> float | None:
    """Return the price of a kWh of bought heat; None where utilities.toml names none, or is not there."""
    text = _text(context)
    return None if text is None else _file(_raw(text), NAME).heat_cny_per_kwh


def _misshapen(change: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield the parts of a change that are not of the shape they must have."""
    shapes: list[tuple[str, Any, type]] = [
        (name, value, dict) for name, value in change.items() if name in (*TABLES, "network", "weather", "add")
    ]
    shapes += [(f"{table}.{name}", value, dict) for table in TABLES if isinstance(change.get(table), dict) for name, value in change[table].items()]  # fmt: skip
    shapes += [(name, change[name], list) for name in ("remove", "down", "takes_over") if name in change]
    added = change.get("add")
    shapes += [(f"add.{name}", value, list) for name, value in (added if isinstance(added, dict) else {}).items()]
    for name, value, shape in shapes:
        if not isinstance(value, shape):
            message = Text("这里要写一张表。", "A table must stand here.") if shape is dict else Text("这里要写一个列表。", "A list must stand here.")  # fmt: skip
            yield Problem("utilities.shape", message, GUIDE, file="scenario", column=f"utilities.{name}")


def _text(context: Context) -> str | None:
    path = context.workspace.folder / NAME
    if path.is_file():
        return text_of(path.read_bytes(), NAME)
    packaged = files("zerofactory.reference_plant").joinpath(NAME)
    if context.workspace.plant.id == REFERENCE_PLANT and not (context.workspace.folder / "twin.toml").is_file():
        return packaged.read_text(encoding="utf-8")
    return None


def _raw(text: str) -> dict[str, Any]:
    return toml_of(text, NAME, "utilities.unreadable")


def _file(raw: Mapping[str, Any], name: str) -> UtilitiesFile:
    try:
        return UtilitiesFile.model_validate(raw)
    except ValidationError as error:
        raise FaultyData(problems_of(error, "utilities", GUIDE, name, raw)) from error


def _stations(file: UtilitiesFile) -> set[str]:
    used = [one.stations for rows in (file.booths, file.ovens, file.air, file.stops) for one in rows]
    return {name for names in used for name in names} | {one.station for one in file.takes_over}


def _names(file: UtilitiesFile, plant: Plant, twin: Twin, known: set[str]) -> Iterator[Problem]:
    """Yield what the file names and the other files do not have."""
    shops, meters = {one.id for one in plant.shops}, {one.id: one.carrier for one in plant.meters}
    for table in TABLES:
        for one in getattr(file, table):
            yield from _names_of(one, f"{table}.{one.id}", (shops, meters, known))
    yield from _taken_over(file, twin, known)
    counters = [(f"halls.{one.id}.heat_meter", one.heat_meter, "heat") for one in file.halls]
    counters += [] if file.network is None else [("network.air_meter", file.network.air_meter, "compressed_air")]
    for column, name, carrier in counters:
        if name is not None and meters.get(name) != carrier:
            yield unknown(column, name, f"meter of {carrier}", {m for m, c in meters.items() if c == carrier}, NAME)


def _names_of(one: Any, where: str, there: tuple[set[str], Mapping[str, str], set[str]]) -> Iterator[Problem]:
    shops, meters, known = there
    if getattr(one, "shop", None) is not None and one.shop not in shops:
        yield unknown(f"{where}.shop", one.shop, "shop", shops, NAME)
    for name in getattr(one, "stations", ()):
        if name not in known:
            yield unknown(f"{where}.stations", name, "station", known, NAME)
    for carrier, names in getattr(one, "meters", {}).items():
        for name in names:
            if meters.get(name) != carrier:
                yield unknown(f"{where}.meters.{carrier}", name, f"meter of {carrier}", {m for m, c in meters.items() if c == carrier}, NAME)  # fmt: skip
    for key in ("flow_fraction", "nm3_per_h"):
        for state in getattr(one, key, {}):
            if state not in STATES:
                yield unknown(f"{where}.{key}", state, "state", STATES, NAME)


def _taken_over(file: UtilitiesFile, twin: Twin, known: set[str]) -> Iterator[Problem]:
    drawn = {(station.id, carrier) for station in twin.line.stations for carrier in station.draws}
    stations = {one.id for one in twin.line.stations}
    for over in file.takes_over:
        if (over.station, over.carrier) not in drawn and (over.station in stations or over.station not in known):
            yield unknown(f"takes_over.{over.station}", f"{over.station}.{over.carrier}", "draw", {".".join(one) for one in drawn}, NAME)  # fmt: skip
    machines = {one.id for rows in (file.chillers, file.heaters, file.compressors) for one in rows}
    for gone in file.down:
        if gone.utility not in machines:
            yield unknown(f"down.{gone.utility}.utility", gone.utility, "chiller, heater or compressor", machines, NAME)
    if (file.weather.place is None) == (file.weather.file is None):
        message = Text("weather 要写 place 或 file 之一。", "weather takes place or file, one of them.")
        yield Problem("utilities.weather", message, GUIDE, file=NAME, column="weather")


def _made(kind: Any, entry: BaseModel) -> Any:
    """Return an entry as what is simulated."""
    given = entry.model_dump(exclude={"heat_meter"})
    name = given.pop("name", None)
    if name is not None:
        given["title"] = Text(name["zh"], name["en"])
    for key, nested in NESTED.items():
        if key in given:
            given[key] = nested(**given[key])
    return kind(**given)


def _network(file: UtilitiesFile) -> Network | None:
    if file.network is None:
        return None
    given = file.network.model_dump(exclude={"air_meter"})
    given["leaks"] = tuple(Leak(**one) for one in given["leaks"])
    return Network(**given)


def _without(one: Utilities, stations: set[str]) -> Utilities:
    """Return the utilities without the stations that a scenario took away: what followed them alone is off; a stop that names no
    stations stops those of its booth or air."""

    def kept(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in names if name in stations)

    own = {("booth", row.id): row.stations for row in one.booths} | {("air", row.id): row.stations for row in one.air}
    named = [(row, row.stations or own.get(("booth", row.booth or "")) or own.get(("air", row.air or ""), ())) for row in one.stops]  # fmt: skip
    return replace(
        one,
        booths=tuple(replace(row, stations=kept(row.stations)) for row in one.booths),
        ovens=tuple(replace(row, stations=kept(row.stations)) for row in one.ovens),
        air=tuple(replace(row, stations=kept(row.stations)) for row in one.air),
        stops=tuple(replace(row, stations=kept(names)) for row, names in named if kept(names)),
    )
