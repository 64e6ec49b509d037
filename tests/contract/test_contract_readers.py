"""Whatever stands in a file that a person or another machine wrote is told as a fault with its file: no reader ends in a traceback."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import date
from importlib.resources import files
from typing import Any

import pytest
from tests.conftest import NOW
from tests.contract.test_contract_wording import assert_in_its_language

from zerofactory.accounting.product_profile import read_profile
from zerofactory.assets.tariff_form import GasForm, RulesForm, read_form
from zerofactory.connectors.command_file import permits
from zerofactory.connectors.connection import wiring
from zerofactory.connectors.device import template
from zerofactory.errors import FaultyData, Problem
from zerofactory.evaluation.formula import Unreadable, parse
from zerofactory.evaluation.thresholds import read_thresholds
from zerofactory.metering.mapping import read_mapping
from zerofactory.monitoring.settings import settings as alarm_settings
from zerofactory.notation import MOST_DEPTH, toml_of
from zerofactory.optimisation.material.outline import read_outline
from zerofactory.optimisation.routes.load import read_own, read_route
from zerofactory.planning.commitment import read_plan
from zerofactory.reference_plant.series import plant_text
from zerofactory.reporting.exchange import aas, pact
from zerofactory.runs import (
    aas_file,
    access_config,
    energy_file,
    inspect_settings,
    inspect_shapes,
    line_file,
    logistics_file,
    material_file,
    schedule_feed,
    schedule_file,
    schedule_plants,
    scrap_file,
    twin_cost_file,
    twin_expect,
    twin_file,
    twin_scenario,
    twin_utilities_file,
)
from zerofactory.runs.context import Context, stamp
from zerofactory.site.edit import written_value
from zerofactory.site.load import plant as load_plant
from zerofactory.standards.criteria import read_evaluation
from zerofactory.store.workspace import Workspace

Reader = Callable[[Context, str], object]
PACKAGED = files("zerofactory.reference_plant")


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Context:
    """Return a context on an empty book of the reference plant."""
    folder = tmp_path_factory.mktemp("plant")
    (folder / "factory.toml").write_text(plant_text(), encoding="utf-8")
    Workspace.create(folder, at=stamp(NOW), actor="test")
    return Context(Workspace.open(folder), NOW, "test")


def at(name: str, read: Callable[[Context], object]) -> Reader:
    """Return a reader of a file of the workspace, which is there only while it is read."""

    def reader(context: Context, text: str) -> object:
        path = context.workspace.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        try:
            return read(context)
        finally:
            path.unlink()

    return reader


def scenarios(context: Context) -> object:
    return twin_scenario.checked(context, twin_scenario.listed(context)[:1], date(2025, 3, 3), 1)


TOML: Mapping[str, Reader] = {
    "factory.toml": lambda _, text: load_plant(text),
    "plan.toml": lambda _, text: read_plan(text),
    "tariffs/x.toml": lambda _, text: read_form(RulesForm, text, "x.toml"),
    "tariffs/gas.toml": lambda _, text: read_form(GasForm, text, "gas.toml"),
    "mapping.toml": lambda _, text: read_mapping(text),
    "products/x.toml": lambda _, text: read_profile(text, "electric-suv", "x.toml"),
    "routes.toml": lambda _, text: read_own(text, "routes.toml"),
    "route.toml": lambda _, text: read_route(text, "route.toml"),
    "connections.toml": lambda context, text: wiring(text, context.workspace.plant),
    "commands.toml": lambda _, text: permits(text),
    "thresholds.toml": lambda _, text: read_thresholds(text, ["sh_dzj"]),
    "alarms.toml": lambda _, text: alarm_settings(text, ["E1"]),
    "energy.toml": lambda _, text: energy_file.parse(text),
    "logistics.toml": lambda _, text: logistics_file.parse(text),
    "line.toml": lambda _, text: line_file.parse(text),
    "schedule.toml": lambda _, text: schedule_file.parse(text, "schedule.toml", _beside, "Asia/Shanghai"),
    "feed.toml": at("feed.toml", schedule_feed.read),
    "group.toml": at("group.toml", schedule_plants.read),
    "material/slit.toml": at("material/slit.toml", lambda one: material_file.read(one, material_file.SlitFile, "slit.toml")),
    "material/nest.toml": at("material/nest.toml", lambda one: material_file.read(one, material_file.NestFile, "nest.toml")),
    "material/sheet.toml": at("material/sheet.toml", lambda one: material_file.read(one, material_file.SheetFile, "sheet.toml")),
    "material/mix.toml": at("material/mix.toml", lambda one: material_file.read(one, material_file.MixFile, "mix.toml")),
    "quality.toml": at("quality.toml", scrap_file.read),
    "shells.toml": at("shells.toml", lambda one: aas_file.read(one, ())),
    "twin.toml": at("twin.toml", twin_file.read),
    "utilities.toml": at("utilities.toml", lambda one: twin_utilities_file.read(one, twin_file.read(one))),
    "costs.toml": at("costs.toml", lambda one: twin_cost_file.read(one, ())),
    "scenarios/a.toml": at("scenarios/a.toml", scenarios),
    "inspect.toml": at("inspect.toml", inspect_settings.settings),
    "access.toml": at("access.toml", lambda one: access_config.read_config(one.workspace.folder)),
}  # fmt: skip
JSON: Mapping[str, Reader] = {
    "pact.json": lambda _, text: pact.read(text.encode("utf-8", "surrogatepass"), "pact.json"),
    "aas.json": lambda _, text: aas.read(text.encode("utf-8", "surrogatepass"), "aas.json"),
    "outline.json": lambda _, text: read_outline(text.encode("utf-8", "surrogatepass"), "outline.json"),
    "pictures/shapes.json": at("pictures/shapes.json", lambda one: inspect_shapes.read_marked(one.workspace.folder / "pictures", "good")),
    "twin.expect.json": at(twin_expect.FILE, lambda one: twin_expect.remembered(one.workspace.folder)),
}  # fmt: skip
YAML: Mapping[str, Reader] = {
    "devices/x.yaml": lambda _, text: template(text, "x"),
    "standards/x.yaml": lambda _, text: read_evaluation("x", text, "standards/x.yaml"),
}
DEEP, LONG = 100_000, "9" * 5000
ABSURD_TOML = {
    "brackets": "x = " + "[" * DEEP,
    "closed brackets": "x = " + "[" * 500 + "]" * 500,
    "braces": "x = " + "{a = " * DEEP,
    "a dotted key": "a." * DEEP + "a = 1",
    "a dotted header": "[" + "a." * DEEP + "a]",
    "deep by headers": f"[{'.'.join('a' * MOST_DEPTH)}]\nb.b = 1",
    "a long number": f"x = {LONG}",
    "a wide number": "x = 0x" + "f" * 4000,
    "a day that is not": "x = 2025-02-30",
    "no end of a text": 'x = "a',
    "no end of long text": "x = '''a" + "\\'''" * 1000,
    "NUL": "x = 1\n\0",
    "twice": "x = 1\nx = 2\n",
    "a table twice": "[a]\n[a]\n",
    "words": "not TOML at all",
}
ABSURD_JSON = {
    "brackets": "[" * DEEP,
    "closed brackets": "[" * 500 + "]" * 500,
    "a long number": LONG,
    "an endless number": '{"points": [1e999]}',
    "no number": '{"points": [NaN]}',
    "half a character": '{"a": "\\ud800"}',
    "twice": '{"a": 1, "a": 2}',
    "NUL": "{\0}",
    "cut off": '{"a": [1, 2',
    "nothing": "",
    "words": "not JSON at all",
}
ABSURD_YAML = {
    "brackets": "x: " + "[" * 200_000,
    "lists": "- " * 5000 + "a",
    "names": "a: &a [1]\nb: [*a, *a]",
    "itself": "a: &a [*a]",
    "a day that is not": "x: 2025-13-45",
    "a long number": f"x: {LONG}",
    "an object": "x: !!python/object:os.system ls",
    "twice": "a: 1\na: 2",
    "cut off": "a: [1, 2",
    "NUL": "a: \0",
}
CASES = [
    pytest.param(readers[name], cases[case], id=f"{name}: {case}")
    for readers, cases in ((TOML, ABSURD_TOML), (JSON, ABSURD_JSON), (YAML, ABSURD_YAML))
    for name in readers
    for case in cases
]  # fmt: skip


def _beside(name: str) -> str:
    return PACKAGED.joinpath(name).read_text(encoding="utf-8")


def told_by(read: Reader, context: Context, text: str) -> Sequence[Problem]:
    """Return the faults a reader tells of a text, whether it raises or returns them."""
    try:
        found = read(context, text)
    except FaultyData as fault:
        return fault.problems
    return [one for one in found[-1] if isinstance(one, Problem)] if isinstance(found, tuple) and found and isinstance(found[-1], list) else []  # fmt: skip


@pytest.mark.parametrize(("read", "text"), CASES)
def test_absurd_text_is_told(plant: Context, read: Reader, text: str) -> None:
    found = told_by(read, plant, text)
    assert found
    for one in found:
        assert_in_its_language(one.message, ("not", "NaN", "inf", "JSON", "YAML", "NUL", "UTF", "AAS"))
        assert one.hint.zh
        assert one.hint.en
        assert len(one.sentence("zh")) < 400


def packaged(name: str, room: str = "zerofactory.reference_plant") -> dict[str, Any]:
    return toml_of(files(room).joinpath(name).read_text(encoding="utf-8"), name)


def document_of(name: str) -> dict[str, Any]:
    """Return a sound document of a kind of file, to put other things in its places."""
    written: dict[str, dict[str, Any]] = {
        "routes.toml": {"routes": [packaged("models/stamped_steel.toml", "zerofactory.optimisation.routes")], "assumptions": {"prices": {}}},
        "connections.toml": {"collector": {"queue_rows": 9.0}, "connections": [{"id": "a", "protocol": "modbus_tcp", "address": "192.0.2.1:502", "options": {"x": 1}, "meters": [{"meter": "E1", "station": "1"}]}]},
        "commands.toml": {"allowed": True, "assets": [{"asset": "battery", "allowed": True, "protocol": "modbus_tcp", "channels": [{"write": "active_power", "actions": {"discharge_kw": 1.0}}]}]},
        "thresholds.toml": {"threshold": [{"standard": "sh_dzj", "criterion": "a", "source": "x", "date": date(2025, 1, 1), "value": 1.0}]},
        "alarms.toml": {"rules": [{"rule": "threshold", "meters": ["E1"], "limit_per_hour": 90.0, "off": False}]},
        "mapping.toml": {"time": {"column": "date", "format": "%d"}, "columns": [{"column": "a", "meter": "b", "unit": "kWh"}]},
        "products/x.toml": {"product": "electric-suv", "mass_kg": 1.0, "time_quota_min": {"a": 1.0}, "end_of_life": [{"item": "a", "mass_kg": 1.0}]},
        "inspect.toml": {"inspection": {"audit_fraction": 0.1, "opinion": "after"}},
        "access.toml": {"company": {"issuer": "https://a.example", "roles": [{"value": "a"}]}, "partners": [{"id": "a"}]},
    }  # fmt: skip
    places = {
        "factory.toml": ("plant.toml", "zerofactory.reference_plant"),
        "tariffs/x.toml": ("tariffs/beijing.toml", "zerofactory.assets"),
        "tariffs/gas.toml": ("gas/reference_plant.toml", "zerofactory.assets"),
        "route.toml": ("models/stamped_steel.toml", "zerofactory.optimisation.routes"),
        "scenarios/a.toml": ("scenarios/chiller-down.toml", "zerofactory.reference_plant"),
    }
    return written[name] if name in written else packaged(*places.get(name, (name, "zerofactory.reference_plant")))


def places_of(document: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the places of a document three deep, of a list its first entry."""
    inner = document.items() if isinstance(document, dict) else enumerate(document[:1]) if isinstance(document, list) else ()  # fmt: skip
    for key, value in inner:
        yield (*place, key)
        if len(place) < 3:
            yield from places_of(value, (*place, key))


def with_value(document: dict[str, Any], place: tuple[Any, ...], value: object) -> str:
    """Return a document as text, with something else in one place."""
    made = deepcopy(document)
    inner: Any = made
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return "".join(f"{key} = {written_value(one)}\n" for key, one in made.items())


OTHER: tuple[object, ...] = (
    3,
    "x",
    "",
    True,
    [],
    [3],
    ["x"],
    {},
    {"x": 1},
    [{}],
    -1e300,
    float("nan"),
    float("inf"),
    2**63,
    [[1, 2]],
)
EVERY = 20  # of each file so many places and values, evenly spread


@pytest.mark.parametrize("name", TOML)
def test_a_value_of_another_kind_is_told_or_taken(plant: Context, name: str) -> None:
    """Numbers for tables, lists for text: each is told as a fault or is a value like any other; neither ends in a traceback."""
    document = document_of(name)
    cases = [(place, value) for place in places_of(document) for value in OTHER]
    told = 0
    for place, value in cases[:: max(1, len(cases) // EVERY)]:
        found = told_by(TOML[name], plant, with_value(document, place, value))
        told += bool(found)
        assert all(one.message.zh and one.message.en for one in found)
    assert told


def test_a_formula_without_end_is_told() -> None:
    assert parse("a" + " + a" * 100).names == ("a",)
    for text in ("a" + " + a" * 500, "(" * 5000, "a" + " + a" * 50_000):
        with pytest.raises(Unreadable):
            parse(text)


def test_deep_xml_is_told() -> None:
    head = '<svg xmlns="http://www.w3.org/2000/svg" width="200mm" height="100mm" viewBox="0 0 200 100">'
    drawing = f"{head}{'<g>' * 3000}<path d='M0 0 H10 V10 Z'/>{'</g>' * 3000}</svg>"
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        for name in ("[Content_Types].xml", "_rels/.rels", "aasx/x.xml"):
            archive.writestr(name, "<a>" * 100_000)
    with pytest.raises(FaultyData) as caught:
        read_outline(drawing.encode(), "a.svg")
    for one in (*caught.value.problems, *aas.read(package.getvalue(), "a.aasx")[1]):
        assert_in_its_language(replace(one.message, en="-"), ("svg", "AAS"))
        assert one.file in ("a.svg", "a.aasx")
