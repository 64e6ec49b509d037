"""The Carbon Footprint submodel of the Asset Administration Shell (IDTA 02023, version 1.0) as plain records.

Template and value lists: admin-shell-io/submodel-templates @ 290e242f (CC BY 4.0); the semantic ids are its own. Labels and
ECLASS ids of methods, units and phases stand in `aas_values.csv`; a value is kept as its label.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

TEMPLATE_ID = "https://admin-shell.io/IDTA 02023-1-0"
ROOT = "https://admin-shell.io/idta/CarbonFootprint"
SUBMODEL = f"{ROOT}/CarbonFootprint/1/0"
FOOTPRINTS, FOOTPRINT = f"{ROOT}/ProductCarbonFootprints/1/0", f"{ROOT}/ProductCarbonFootprint/1/0"
SPECIFICS, SPECIFIC = (
    f"{ROOT}/ProductOrSectorSpecificCarbonFootprints/1/0", f"{ROOT}/ProductOrSectorSpecificCarbonFootprint/1/0",
)  # fmt: skip
METHODS, METHOD = f"{ROOT}/PcfCalculationMethods/1/0", "0173-1#02-ABG854#003"
CO2EQ, UNIT, QUANTITY = "0173-1#02-ABG855#003", "0173-1#02-ABG856#003", "0173-1#02-ABG857#003"
PHASES, PHASE = f"{ROOT}/LifeCyclePhases/1/0", "0173-1#02-ABG858#003"
PUBLISHED, EXPIRES = f"{ROOT}/PublicationDate/1/0", f"{ROOT}/ExpirationDate/1/0"
STATEMENT = f"{ROOT}/ExplanatoryStatement/1/0"
ADDRESS = "https://admin-shell.io/zvei/nameplate/1/0/ContactInformations/AddressInformation"
ADDRESS_DROP_IN = (
    "https://admin-shell.io/smt-dropin/smt-dropin-use/1/0",
    "0112/2///61360_7#AAS002#001",
    "0173-1#02-AAQ837#008",
)
RULE = f"{ROOT}/ProductOrSectorSpecificRule/1/0"
RULE_OPERATOR, RULE_NAME, RULE_VERSION, RULE_ONLINE = (
    f"{ROOT}/ProductOrSectorSpecificRule/{name}/1/0" for name in ("Operator", "Name", "Version", "OnlineReference")
)
API, API_ENDPOINT, API_QUERY = (f"{ROOT}/ExternalPcfApi{name}/1/0" for name in ("", "/Endpoint", "/Query"))
INFORMATION, ARBITRARY = f"{ROOT}/PcfInformation/1/0", "https://admin-shell.io/SMT/General/Arbitrary"


@dataclass(frozen=True, slots=True)
class AasFile:
    """A file that an element names: path inside the package or address, type, and the content where the package holds it."""

    value: str
    content_type: str
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class AasFootprint:
    """One ProductCarbonFootprint. ``co2eq`` (kg) and ``quantity`` are decimals as text; moments are ISO 8601 in UTC."""

    methods: tuple[str, ...]
    co2eq: str
    unit: str
    quantity: str
    phases: tuple[str, ...]
    published: str
    expires: str | None = None
    statement: AasFile | None = None
    address: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class AasSpecific:
    """One ProductOrSectorSpecificCarbonFootprint: the rules it follows and its content, by name."""

    methods: tuple[str, ...]
    operator: str
    rule: str
    version: str | None = None
    online: AasFile | None = None
    endpoint: str | None = None
    query: str | None = None
    information: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class AasCarbon:
    """The submodel, and the shell and asset it belongs to."""

    submodel_id: str
    shell_id: str
    asset_id: str
    footprints: tuple[AasFootprint, ...]
    specifics: tuple[AasSpecific, ...] = ()


@lru_cache(maxsize=1)
def _values() -> tuple[dict[tuple[str, str], str], dict[tuple[str, str], str]]:
    with (files("zerofactory.reporting.exchange") / "aas_values.csv").open(encoding="utf-8") as stream:
        table = [(row["list"], row["label"], row["irdi"]) for row in csv.DictReader(stream)]
    return {(kind, label): irdi for kind, label, irdi in table}, {(kind, irdi): label for kind, label, irdi in table}


def irdi_of(kind: str, label: str) -> str | None:
    """Return the ECLASS id of a label, None for one outside the list.

    Examples
    --------
    >>> irdi_of("method", "ISO 14067")
    '0173-1#07-ABU218#003'
    """
    return _values()[0].get((kind, label))


def label_of(kind: str, value: str) -> str:
    """Return the label of an ECLASS id or of a label; anything else is returned as it is.

    Examples
    --------
    >>> label_of("phase", "0173-1#07-ABU210#003"), label_of("phase", "A3 - production")
    ('A3 - production', 'A3 - production')
    """
    return _values()[1].get((kind, value.strip()), value)


def labels(kind: str) -> tuple[str, ...]:
    """Return the labels of one list."""
    return tuple(label for listed, label in _values()[0] if listed == kind)
