"""Provision of Simulation Models (IDTA 02005, version 1.0.1): the twin of the line as a model that others can find and judge.

Semantic ids: admin-shell-io/submodel-templates @ 290e242f, `published/Provision of Simulation Models/1/0/1` (CC BY 4.0).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from basyx.aas import model

from zerofactory.errors import Text
from zerofactory.reporting.shells.elements import group, prop, reference, submodel, text
from zerofactory.reporting.shells.facts import Facts, Place, Port, Simulation, Variable, id_short, word

ROOT = "https://admin-shell.io/idta/SimulationModels"
SEMANTIC, TITLE = f"{ROOT}/SimulationModels/1/0", Text("仿真模型", "simulation models")
TOOL = "https://admin-shell.io/idta/SimulationModel/SimToolName/1/0"
FOLDER, MEDIA = "/aasx/files", "application/toml"
FOR = ("throughput and bottleneck", "energy and standby waste", "what-if of stations, buffers, shifts and mix")
NOT_FOR = ("control in real time", "product quality physics")


def simulation(facts: Facts, place: Place) -> Any:
    """Return the simulation submodel of a place; None where it has no twin."""
    own = place.simulation
    if own is None:
        return None
    name = "SimulationModel"
    identity = (facts.submodel_id(place.key, "simulation"), "SimulationModels", SEMANTIC)
    return submodel(identity, [group(name, _id(name), _about(own))], ("1", "0", None), TITLE)


def path_of(own: Simulation) -> str:
    """Return where the file of a model stands inside the package."""
    return f"{FOLDER}/{own.file_name}"


def _id(word: str) -> str:
    return f"{ROOT}/{word}/1/0"


def _say(word: str, value: str, number: int | None = None) -> Any:
    return prop(word if number is None else f"{word}{number:02d}", _id(word), value)


def _flag(word: str, value: bool) -> Any:
    return prop(word, _id(word), value, model.datatypes.Boolean)


def _about(own: Simulation) -> Iterator[Any]:
    yield text("Summary", _id("Summary"), own.summary)
    purposes = [_say("PosSimPurpose", word, n) for n, word in enumerate(FOR)]
    purposes += [_say("NegSimPurpose", word, n) for n, word in enumerate(NOT_FOR)]
    yield group("SimPurpose", _id("SimPurpose"), purposes)
    yield _say("TypeOfModel", "discrete-event simulation", 0)
    yield _say("ScopeOfModel", "material flow", 0)
    yield _say("ScopeOfModel", "energy by machine state", 1)
    yield _say("LicenseModel", "free of charge")
    yield _say("EngineeringDomain", "production engineering", 0)
    yield group("Environment", _id("Environment"), [_say("OperatingSystem", "any with Python 3.11"), _tool(own)])
    yield group("ModelFile", _id("ModelFile"), [_say("ModelFileType", "TOML, twin.toml of zerofactory"), _edition(own)])
    yield _say("ParamMethod", f"parameters in {own.file_name}; status: {own.status}")
    yield _say("InitStateMethod", "empty line before the first shift; the first days are left out as warm-up")
    if own.ports:
        yield group("Ports", _id("Ports"), [_port(one) for one in own.ports])


def _tool(own: Simulation) -> Any:
    solver = [
        _flag("StepSizeControlNeeded", False),
        _flag("StiffSolverNeeded", False),
        _flag("SolverIncluded", True),
    ]
    named = prop("SimToolName", TOOL, f"zerofactory {own.version}")
    return group("SimulationTool", _id("SimulationTool"), [named, group("SolverAndTolerances", _id("SolverAndTolerances"), solver)])  # fmt: skip


def _edition(own: Simulation) -> Any:
    file = model.File("DigitalFile", MEDIA, path_of(own), semantic_id=reference(_id("DigitalFile")))
    told = text("ModelFileReleaseNotesTxt", _id("ModelFileReleaseNotesTxt"), own.changes)
    return group("ModelFileVersion", _id("ModelFileVersion"), [_say("ModelVersionId", own.edition), file, told])


def _port(port: Port) -> Any:
    elements = [
        prop("PortConnectorName", _id("PortsConnectorName"), port.name),
        text("PortConDescription", "https://admin-shell.io/idta/SimulationModel/portConDescription/1/0", port.title),
        *(_variable(one) for one in port.variables),
    ]
    return group(f"PortsConnector_{id_short(port.name)}", _id("PortsConnector"), elements)


def _variable(own: Variable) -> Any:
    elements = [
        _say("VariableName", own.name),
        *([_say("Range", "{" + own.value + "}")] if own.value is not None else []),
        _say("VariableType", own.type),
        text("VariableDescription", _id("VariableDescription"), own.title),
        _say("UnitList", own.unit),
        _say("VariableCausality", own.causality),
    ]
    return group(f"Variable_{word(own.name)}", _id("Variable"), elements)
