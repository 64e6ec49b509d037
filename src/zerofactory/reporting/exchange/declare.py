"""From a product's footprint to the forms in which it is handed on: PACT 3.0 and AAS."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from zerofactory.accounting.footprint import GATE, Footprint, Parts
from zerofactory.accounting.product_profile import Profile
from zerofactory.errors import Text
from zerofactory.factors.model import FactorBook
from zerofactory.reporting.exchange.aas_model import AasCarbon, AasFootprint, AasSpecific
from zerofactory.reporting.exchange.pact import SPEC_VERSION
from zerofactory.reporting.exchange.pact_model import ProductFootprint
from zerofactory.reporting.exchange.pact_terms import UNITS
from zerofactory.reporting.exchange.supplier import PACT_CONTENT, later
from zerofactory.site.model import Plant

STANDARDS = ["ISO14067", "PACT-3.0"]
PACT_METHOD, ISO_METHOD = "PACT v3.0.0", "ISO 14067"
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_OID, "zerofactory.product_footprint")
_GRAM, _TENTH = Decimal("0.001"), Decimal("0.1")
_PHASES = {"raw_materials": "A1 - raw material supply (and upstream production)", "manufacturing": "A3 - production",
           "use": "B1-B7", "end_of_life": "C1-C4"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Declaration:
    """What is needed beside the footprint: the plant, the product's profile, the period in UTC, the moment, the factors."""

    plant: Plant
    profile: Profile
    start: datetime
    end: datetime
    created: datetime
    book: FactorBook
    preceding: tuple[str, ...] = ()


def pact_of(footprint: Footprint, said: Declaration) -> ProductFootprint:
    """Return the cradle-to-gate footprint of one unit as PACT 3.0. Rounded to whole grams; the id follows from the content."""
    content = _content(footprint, said)
    digest = hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
    made = {
        "id": str(uuid.uuid5(NAMESPACE, digest)),
        "specVersion": SPEC_VERSION,
        "created": _instant(said.created),
        "status": "Active",
        **content,
    }
    if said.preceding:
        made["precedingPfIds"] = list(said.preceding)
    return ProductFootprint.model_validate(made)


def _content(footprint: Footprint, said: Declaration) -> dict[str, Any]:
    plant, profile = said.plant, said.profile
    owner = f"{plant.id}/{footprint.product}"
    company = plant.organisation.legal_entity or plant.organisation.name
    content: dict[str, Any] = {
        "validityPeriodStart": _instant(said.end),
        "validityPeriodEnd": _instant(later(said.end)),
        "companyName": company.zh,
        "companyIds": list(profile.company_ids) or [_own_urn(plant.id)],
        "productDescription": profile.description,
        "productIds": list(profile.product_ids) or [_own_urn(owner)],
        "productNameCompany": footprint.title.zh,
        "comment": "\n".join(_both(note) for note in footprint.notes),
        "pcf": _carbon(footprint, said),
    }
    if profile.classifications:
        content["productClassifications"] = list(profile.classifications)
    return content


def _carbon(footprint: Footprint, said: Declaration) -> dict[str, Any]:
    gate = footprint.of(GATE)
    fossil, land, other, uptake = (
        _kilograms(value) for value in (gate.fossil, gate.land_use, gate.biogenic_other, gate.biogenic_uptake)
    )
    without = fossil + land + other
    unit, amount = declared_unit(footprint.unit)
    nation = said.plant.region.partition("-")[0]
    pcf: dict[str, Any] = {
        "declaredUnitOfMeasurement": unit,
        "declaredUnitAmount": amount,
        "productMassPerDeclaredUnit": _plain(Decimal(repr(footprint.mass_kg))),
        "referencePeriodStart": _instant(said.start),
        "referencePeriodEnd": _instant(said.end),
        "boundaryProcessesDescription": _boundary(footprint),
        "pcfExcludingBiogenicUptake": _plain(without),
        "pcfIncludingBiogenicUptake": _plain(without + uptake),
        "fossilCarbonContent": _plain(Decimal(repr(said.profile.fossil_carbon_kg))),
        "biogenicCarbonContent": _plain(Decimal(repr(said.profile.biogenic_carbon_kg))),
        "fossilGhgEmissions": _plain(fossil),
        "landUseChangeGhgEmissions": _plain(land),
        "biogenicCO2Uptake": _plain(uptake),
        "biogenicNonCO2Emissions": _plain(other),
        "aircraftGhgEmissions": _plain(_kilograms(gate.aviation)),
        "packagingEmissionsIncluded": False,
        "ipccCharacterizationFactors": [said.plant.accounting.gwp_set],
        "crossSectoralStandards": STANDARDS,
        "productOrSectorSpecificRules": [
            {"operator": "Other", "ruleNames": ["GB/T 24067-2024"], "otherOperatorName": "SAC (国家标准)"}
        ],
        "exemptedEmissionsPercent": _plain(Decimal(repr(100 * footprint.cut_off_fraction)).quantize(_TENTH)),
        "exemptedEmissionsDescription": _cut_offs(footprint),
        "allocationRulesDescription": _both(footprint.allocation_text),
        "primaryDataShare": _plain(Decimal(repr(100 * footprint.primary_fraction)).quantize(_TENTH)),
    }
    if len(nation) == 2 and nation.isascii() and nation.isupper():
        pcf["geographyCountry"] = nation
    sources = _sources(footprint, said.book)
    if sources:
        pcf["secondaryEmissionFactorSources"] = sources
    rating = footprint.rating
    if rating is not None:
        names = ("technological", "geographical", "temporal")
        pcf["dqi"] = {f"{n}DQR": _plain(Decimal(repr(getattr(rating[0], n))).quantize(_TENTH)) for n in names}
    return pcf


def declared_unit(unit: str) -> tuple[str, str]:
    """Return PACT's word for a unit of the plant and the amount of one: anything counted is a piece.

    Examples
    --------
    >>> declared_unit("vehicle"), declared_unit("kWh")
    (('piece', '1'), ('kilowatt hour', '1'))
    """
    words = {symbol: word for word, symbol in UNITS.items()}
    return words.get(unit, "piece"), "1"


def _sources(footprint: Footprint, book: FactorBook) -> list[dict[str, str]]:
    """Return the factor sets that secondary figures rest on, by name and edition, each once."""
    named: dict[str, dict[str, str]] = {}
    for line in footprint.lines:
        if line.stage in GATE:
            for part in line.ground.replace("*", "+").split("+"):
                factor = book.by_id.get(part)
                if factor is not None:
                    found = book.sets[factor.set_id]
                    named.setdefault(found.id, {"name": found.title.en, "version": found.edition or "-"})
    return list(named.values())


def _boundary(footprint: Footprint) -> str:
    materials = sum(1 for line in footprint.lines if line.stage == "raw_materials")
    shops = ", ".join(line.title.en for line in footprint.lines if line.stage == "manufacturing")
    return f"Cradle to gate. Raw materials: {materials} lines of the bill of materials. Manufacturing: {shops}."


def _cut_offs(footprint: Footprint) -> str:
    named = "; ".join(f"{entry.title.zh}: {entry.reason}" for entry in footprint.cut_offs)
    return f"Share of mass stands for the share of emissions. {named}" if named else ""


def aas_of(footprint: Footprint, pact: ProductFootprint, said: Declaration) -> AasCarbon:
    """Return the footprint as an AAS submodel: cradle to gate, the whole life beside it if it was asked for, PACT inside."""
    gate = pact.pcf.pcf_excluding_biogenic_uptake
    unit, quantity = _aas_unit(footprint.unit)
    made = [_aas(gate, GATE, (unit, quantity), pact)]
    if footprint.boundary == "life_cycle":
        made.append(_aas(_plain(whole_life(footprint, pact)), footprint.stages, (unit, quantity), pact))
    content = json.dumps(pact.as_json(), ensure_ascii=False, separators=(",", ":"))
    specific = AasSpecific(
        (PACT_METHOD,), "PACT", "PACT Technical Specifications", SPEC_VERSION, information=((PACT_CONTENT, content),)
    )
    name = f"{said.plant.id}:{footprint.product}"
    return AasCarbon(
        f"urn:uuid:{pact.id}", f"urn:uuid:{uuid.uuid5(NAMESPACE, f'shell:{name}')}",
        f"urn:uuid:{uuid.uuid5(NAMESPACE, name)}", tuple(made), (specific,),
    )  # fmt: skip


def whole_life(footprint: Footprint, pact: ProductFootprint) -> Decimal:
    """Return the rounded cradle-to-gate figure plus the rounded later stages, so that the two figures agree."""
    later_stages = footprint.of([stage for stage in footprint.stages if stage not in GATE])
    return Decimal(pact.pcf.pcf_excluding_biogenic_uptake) + _total(later_stages)


def _total(parts: Parts) -> Decimal:
    return _kilograms(parts.fossil) + _kilograms(parts.land_use) + _kilograms(parts.biogenic_other)


def _aas(co2eq: str, stages: Any, unit: tuple[str, str], pact: ProductFootprint) -> AasFootprint:
    return AasFootprint(
        (ISO_METHOD, PACT_METHOD), co2eq, unit[0], unit[1], tuple(_PHASES[stage] for stage in stages),
        pact.created, pact.validity_period_end,
    )  # fmt: skip


def _aas_unit(unit: str) -> tuple[str, str]:
    return {"kg": "kg", "t": "t", "L": "l", "m3": "cbm", "m2": "qm", "kWh": "kWh"}.get(unit, "piece"), "1.0"


def _own_urn(name: str) -> str:
    return f"urn:uuid:{uuid.uuid5(NAMESPACE, name)}"


def _kilograms(value: float) -> Decimal:
    return Decimal(repr(value)).quantize(_GRAM, ROUND_HALF_EVEN)


def _plain(value: Decimal) -> str:
    return format(value if value else abs(value), "f")


def _instant(value: datetime) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")


def _both(text: Text) -> str:
    return f"{text.zh} / {text.en}"
