"""Concepts of our own, where no template is known to us: energy by carrier and month, and the variables of time series.

They are ours (`NAMESPACE`), told in `concepts.csv` in both languages, and travel as concept descriptions (IEC 61360). Units carry
the IRI of QUDT (qudt.org, CC BY 4.0); those without one, such as the normal cubic metre, carry their symbol alone.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from basyx.aas import model
from basyx.aas.model.concept import ConceptDescription

from zerofactory.errors import Text
from zerofactory.reporting.shells.elements import name, reference

NAMESPACE = "urn:zerofactory:concept"
EDITION = "1/0"
QUANTITY_OF = {"electricity": "Electricity", "natural_gas": "NaturalGas", "heat": "Heat", "water": "Water"}


@dataclass(frozen=True, slots=True)
class Concept:
    """A concept: its name and what it means."""

    id: str
    title: Text
    definition: Text
    data_type: str


@lru_cache(maxsize=1)
def _concepts() -> dict[str, Concept]:
    with files("zerofactory.reporting.shells").joinpath("concepts.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    return {
        row["id"]: Concept(
            row["id"], Text(row["zh"], row["en"]), Text(row["definition_zh"], row["definition_en"]), row["data_type"]
        )
        for row in rows
    }


@lru_cache(maxsize=1)
def _units() -> dict[str, str]:
    with files("zerofactory.reporting.shells").joinpath("unit_codes.csv").open(encoding="utf-8") as stream:
        return {row["unit"]: row["qudt"] for row in csv.DictReader(stream)}


def unit_id(unit: str) -> str | None:
    """Return the IRI of a unit, None where QUDT has none that we know.

    Examples
    --------
    >>> unit_id("kWh"), unit_id("Nm3")
    ('http://qudt.org/vocab/unit/KiloW-HR', None)
    """
    return _units().get(unit)


def concept(word: str, unit: str = "") -> str:
    """Return the id of one of our concepts; of a quantity together with its unit.

    Examples
    --------
    >>> concept("Amount"), concept("Electricity", "kWh")
    ('urn:zerofactory:concept/Amount/1/0', 'urn:zerofactory:concept/Electricity/kWh/1/0')
    """
    found = _concepts()[word]
    return f"{NAMESPACE}/{found.id}/{unit}/{EDITION}" if unit else f"{NAMESPACE}/{found.id}/{EDITION}"


def quantity(carrier: str, unit: str) -> str:
    """Return the concept of an amount of a carrier in a unit."""
    return concept(QUANTITY_OF.get(carrier, "Flow"), unit)


def described(used: frozenset[str]) -> list[Any]:
    """Return the concept descriptions of our concepts among the semantic ids ``used``."""
    made = []
    for one in sorted(used):
        if one.startswith(f"{NAMESPACE}/"):
            parts = one.removeprefix(f"{NAMESPACE}/").split("/")
            made.append(_description(one, _concepts()[parts[0]], parts[1] if len(parts) == 4 else ""))
    return made


def _description(identity: str, own: Concept, unit: str) -> Any:
    code = unit_id(unit)
    content = model.DataSpecificationIEC61360(
        model.PreferredNameTypeIEC61360({"zh": own.title.zh, "en": own.title.en}),
        model.DataTypeIEC61360[own.data_type] if own.data_type else None,
        model.DefinitionTypeIEC61360({"zh": own.definition.zh, "en": own.definition.en}),
        unit=unit or ("1" if own.data_type == "REAL_MEASURE" else None),
        unit_id=reference(code) if code else None,
    )
    specification = model.EmbeddedDataSpecification(
        reference("https://admin-shell.io/DataSpecificationTemplates/DataSpecificationIec61360/3/0"), content
    )
    short = f"{own.id}_{''.join(c for c in unit if c.isascii() and c.isalnum())}" if unit else own.id
    return ConceptDescription(
        identity, id_short=short, display_name=name(own.title), embedded_data_specifications=[specification]
    )
