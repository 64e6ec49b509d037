"""From an exchanged footprint to the row that is booked of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from zerofactory.accounting.declared_footprint import DeclaredFootprint
from zerofactory.accounting.product_rules import product_rules
from zerofactory.errors import Problem, Text
from zerofactory.reporting.exchange.aas_model import AasCarbon, AasFootprint
from zerofactory.reporting.exchange.pact import Entry
from zerofactory.reporting.exchange.pact_model import ProductFootprint
from zerofactory.reporting.exchange.pact_terms import UNITS, moment

_AAS_UNITS = {"g": "g", "kg": "kg", "t": "t", "l": "L", "cbm": "m3", "qm": "m2", "piece": "piece", "kWh": "kWh"}
_ML = Decimal("0.001")
_GATE_PHASES = ("A1", "A2", "A3")
PACT_CONTENT = "PactProductFootprint"


def from_pact(
    entry: Entry, evidence: str, file_name: str, known_at: str
) -> tuple[DeclaredFootprint | None, list[Problem]]:
    """Return the row of a PACT footprint; PACT figures are cradle to gate by definition."""
    footprint, pcf = entry.footprint, entry.footprint.pcf
    unit = UNITS.get(pcf.declared_unit_of_measurement)
    if unit is None:
        return None, [
            Problem(
                "footprint.unit",
                Text(
                    f"声明单位“{pcf.declared_unit_of_measurement}”不能用于物料清单。",
                    f"The declared unit '{pcf.declared_unit_of_measurement}' cannot be used in a bill of materials.",
                ),
                Text(
                    "请向供应商索取按质量、体积、能量、件或小时声明的碳足迹。",
                    "Ask the supplier for one declared by mass, volume, energy, piece or hour.",
                ),
                column="pcf.declaredUnitOfMeasurement",
            )
        ]
    reference_to = moment(pcf.reference_period_end)
    valid_from = moment(footprint.validity_period_start) if footprint.validity_period_start else reference_to
    valid_to = moment(footprint.validity_period_end) if footprint.validity_period_end else later(reference_to)
    dqi = pcf.dqi
    return DeclaredFootprint(
        footprint_id=footprint.id.lower(),
        format=f"PACT {entry.spec_version}",
        company_name=footprint.company_name,
        product_name=footprint.product_name_company,
        product_ids=_json(footprint.product_ids),
        status=footprint.status,
        boundary="cradle_to_gate",
        unit=unit,
        amount=float(pcf.declared_unit_amount),
        mass_kg=float(pcf.product_mass_per_declared_unit),
        kgco2e=float(pcf.pcf_excluding_biogenic_uptake),
        land_use_kgco2e=_sum(pcf.land_use_change_ghg_emissions),
        biogenic_kgco2e=_sum(
            pcf.biogenic_non_co2_emissions,
            pcf.land_management_biogenic_co2_emissions,
            pcf.land_management_biogenic_co2_removals,
        ),
        aviation_kgco2e=_sum(pcf.aircraft_ghg_emissions),
        uptake_kgco2e=_sum(pcf.biogenic_co2_uptake),
        reference_from=moment(pcf.reference_period_start),
        reference_to=reference_to,
        valid_from=valid_from,
        valid_to=valid_to,
        primary_fraction=float(Decimal(pcf.primary_data_share) / 100) if pcf.primary_data_share else None,
        technological=float(dqi.technological_dqr) if dqi else None,
        geographical=float(dqi.geographical_dqr) if dqi else None,
        temporal=float(dqi.temporal_dqr) if dqi else None,
        preceding=_json([name.lower() for name in footprint.preceding_pf_ids or []]),
        file_name=file_name,
        evidence=evidence,
        payload=_json(footprint.as_json()),
        losses=_json([{"zh": loss.zh, "en": loss.en} for loss in entry.losses]),
        known_at=known_at,
    ), []


def pact_inside(carbon: AasCarbon) -> bytes | None:
    """Return the PACT footprint that an AAS file carries beside its key figures, if it does."""
    for specific in carbon.specifics:
        for name, value in specific.information:
            if specific.operator == "PACT" and name == PACT_CONTENT:
                return value.encode()
    return None


def disagreements(carbon: AasCarbon, footprint: ProductFootprint) -> list[Problem]:
    """Return a problem where the key figures of an AAS file differ from the PACT footprint inside it."""
    gate = next((one for one in carbon.footprints if boundary_of(one) == "cradle_to_gate"), None)
    whole = Decimal(footprint.pcf.pcf_excluding_biogenic_uptake)
    if gate is None or Decimal(gate.co2eq) == whole:
        return []
    return [
        Problem(
            "aas.disagrees",
            Text(
                f"PcfCO2eq 为 {gate.co2eq}, 所附 PACT 碳足迹为 {whole}。",
                f"PcfCO2eq is {gate.co2eq}, the PACT footprint inside says {whole}.",
            ),
            Text("请与提供方核对。", "Check with the supplier."),
            column="ProductCarbonFootprints.PcfCO2eq",
        )
    ]


def from_aas(
    carbon: AasCarbon, evidence: str, file_name: str, known_at: str
) -> tuple[DeclaredFootprint | None, list[Problem]]:
    """Return the row of an AAS submodel that carries key figures only: the one footprint from cradle to gate."""
    gate = [one for one in carbon.footprints if boundary_of(one) == "cradle_to_gate"]
    if len(gate) != 1:
        seen = "; ".join(", ".join(one.phases) for one in carbon.footprints)
        return None, [
            Problem(
                "footprint.boundary",
                Text(
                    f"需要且只需要一个摇篮到大门(A1–A3)的碳足迹, 现有阶段: {seen}。",
                    f"Exactly one footprint from cradle to gate (A1–A3) is needed; the phases are: {seen}.",
                ),
                Text("请向供应商索取摇篮到大门的数值。", "Ask the supplier for the figure from cradle to gate."),
                column="ProductCarbonFootprints.LifeCyclePhases",
            )
        ]
    one = gate[0]
    published = moment_of(one.published)
    quantity = Decimal(one.quantity)
    unit, amount = ("L", quantity * _ML) if one.unit == "ml" else (_AAS_UNITS[one.unit], quantity)
    missing = Text(
        "AAS 未给数据期, 以发布日代之。", "AAS states no reference period; the day of publication stands for it."
    )
    return DeclaredFootprint(
        footprint_id=carbon.submodel_id,
        format="AAS IDTA 02023-1-0",
        company_name=carbon.shell_id or carbon.submodel_id,
        product_name=carbon.asset_id or carbon.submodel_id,
        product_ids=_json([carbon.asset_id] if carbon.asset_id else []),
        status="Active",
        boundary="cradle_to_gate",
        unit=unit,
        amount=float(amount),
        kgco2e=float(one.co2eq),
        reference_from=published,
        reference_to=published,
        valid_from=published,
        valid_to=moment_of(one.expires) if one.expires else later(published),
        file_name=file_name,
        evidence=evidence,
        losses=_json([{"zh": missing.zh, "en": missing.en}]),
        known_at=known_at,
    ), [
        Problem(
            "aas.no_period", missing, Text("需要更全的数据请索取 PACT。", "Ask for PACT for more."), severity="warning"
        )
    ]


def boundary_of(one: AasFootprint) -> str:
    """Return the boundary that the phases of an AAS footprint mean.

    Examples
    --------
    >>> boundary_of(AasFootprint((), "1", "kg", "1", ("A1-A3",), "2025-01-01T00:00:00Z"))
    'cradle_to_gate'
    >>> boundary_of(AasFootprint((), "1", "kg", "1", ("A3 - production",), "2025-01-01T00:00:00Z"))
    'gate_to_gate'
    """
    codes = {code for phase in one.phases for code in _codes(phase.split(" ")[0])}
    if codes - set(_GATE_PHASES):
        return "cradle_to_grave"
    return "cradle_to_gate" if "A1" in codes else "gate_to_gate"


def _codes(code: str) -> list[str]:
    first, dash, last = code.partition("-")
    if not dash:
        return [first]
    return [f"{first[0]}{number}" for number in range(int(first[1:]), int(last[1:]) + 1)]


def moment_of(text: str) -> datetime:
    """Return an ISO 8601 moment in UTC."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def later(start: datetime) -> datetime:
    """Return the end of the validity that nobody stated."""
    years = product_rules().validity_years
    try:
        return start.replace(year=start.year + years)
    except ValueError:
        return start.replace(year=start.year + years, day=28)


def _sum(*values: str | None) -> float | None:
    given = [Decimal(value) for value in values if value is not None]
    return float(sum(given, Decimal(0))) if given else None


def _json(value: Sequence[object] | dict[str, object]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
