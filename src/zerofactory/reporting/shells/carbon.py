"""The carbon footprint of places (IDTA 02023-1-0): what a plant, shop, line or machine adds to the pieces made in a closed period.

`PcfCO2eq` is the kilograms of the whole period, `QuantityOfMeasureForCalculation` the pieces made in it, so that both are the
book's own figures and nothing is rounded; the quotient is the share of one piece. A product has its declared footprint instead.
"""

from __future__ import annotations

from datetime import UTC
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from zerofactory.errors import Text
from zerofactory.reporting.exchange import aas
from zerofactory.reporting.exchange.aas_model import AasCarbon, AasFootprint, AasSpecific
from zerofactory.reporting.shells.facts import Emissions, Facts, Place

METHOD, PHASE, UNIT = "GHG Protocol", "A3 - production", "piece"
OPERATOR, RULE = "ISO", "ISO 14064-1"
GRAM = Decimal("0.001")


def carbon(facts: Facts, place: Place) -> Any:
    """Return the footprint submodel of a place or product; None where nothing is booked for it."""
    if place.carbon is not None:
        return aas.submodel_of(place.carbon)
    if place.emissions is None:
        return None
    return aas.submodel_of(share(facts, place, place.emissions))


def share(facts: Facts, place: Place, own: Emissions) -> AasCarbon:
    """Return what a place emitted as a footprint of the pieces made meanwhile."""
    kilograms = format(Decimal(own.total_gco2e) / 1000, "f")
    published = own.sealed_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    footprint = AasFootprint((METHOD,), kilograms, UNIT, str(float(own.pieces)), (PHASE,), published)
    told = [
        ("Period", own.period),
        ("PerPiece_kgCO2e", format((Decimal(own.total_gco2e) / 1000 / own.pieces).quantize(GRAM), "f")),
        *((f"Scope{scope}_gCO2e", str(grams)) for scope, grams in sorted(own.gco2e_by_scope.items())),
        ("Method_zh", _sentence(own, "zh")),
        ("Method_en", _sentence(own, "en")),
        *((f"Evidence{number}", _why(facts, figure)) for number, figure in enumerate(own.figures, 1)),
        *((f"EvidencePage{number}", _page(facts, figure)) for number, figure in enumerate(own.figures, 1)),
    ]
    specific = AasSpecific((METHOD,), OPERATOR, RULE, "2018", information=tuple(told))
    name = facts.submodel_id(place.key, "carbon-footprint")
    return AasCarbon(name, facts.shell_id(place.key), facts.asset_id(place.key), (footprint,), (specific,))


def _sentence(own: Emissions, language: str) -> str:
    basis: Text = own.basis
    return f"{own.method}: {basis.zh if language == 'zh' else basis.en}"


def _why(facts: Facts, figure: str) -> str:
    return f"{facts.address}/v1/explain/{quote(figure, safe='@')}"


def _page(facts: Facts, figure: str) -> str:
    return f"{facts.address}/why?figure={quote(figure, safe='@')}"
