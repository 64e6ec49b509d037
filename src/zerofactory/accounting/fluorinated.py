"""Fluorinated gases: the flows of a refrigerant or cover gas, each component of a blend apart.

A blend's GWP is Σ mass fraction × component GWP of the chosen report (standards 3.4), so each component becomes its own
flow; parts outside the Kyoto basket (HCFC, CFC, HFO, hydrocarbons) are marked by their gas and stay out of the totals.
"""

from __future__ import annotations

from collections.abc import Sequence

from zerofactory.accounting.source import Ask, Flow
from zerofactory.accounting.terms import identity, per_unit
from zerofactory.errors import Text
from zerofactory.factors.model import Found
from zerofactory.factors.resolve import blend, find
from zerofactory.tables import Column

REFRIGERANTS = (
    "HFC-134a", "HFC-32", "HFC-23", "HFC-125", "HFC-143a", "HFC-152a", "HFC-227ea", "HFC-236fa", "HFC-245fa", "HFC-365mfc",
    "HFO-1234yf", "HFO-1234ze(E)", "HFO-1233zd(E)", "HCFC-22", "HCFC-123", "HCFC-141b", "CFC-11", "CFC-12", "CO2", "R-290",
    "R-600a", "R-717", "R401A", "R404A", "R407A", "R407C", "R407F", "R408A", "R410A", "R417A", "R422D", "R438A", "R448A",
    "R449A", "R450A", "R452A", "R452B", "R454B", "R454C", "R455A", "R500", "R502", "R507A", "R513A",
)  # fmt: skip
BALANCE = (
    ("opening", 1),
    ("purchased", 1),
    ("retired_charge", 1),
    ("closing", -1),
    ("sold", -1),
    ("new_charge", -1),
)
CONSUMED = Text("消耗(补充)的质量即排放量。", "The mass consumed (refilled) is the mass emitted.")


def gas_flows(ask: Ask, method: str, terms: Sequence[Found] = (), uncertainty: str | None = None) -> tuple[Flow, ...]:
    """Return one flow per component gas, in kg of that gas per activity unit (a mass).

    Parameters
    ----------
    terms : what share of the amount is emitted (a leak rate, a time); none when all of it is.
    """
    flows = []
    for gas, fraction in blend(ask.book, ask.item or ""):
        share = [Found(fraction, Text(f"{ask.item} 的组成。", f"Composition of {ask.item}."))] if fraction else []
        product = [*terms, *share] or [identity(CONSUMED)]
        flows.append(Flow(gas, per_unit(product, gas, ask.unit), method, uncertainty=uncertainty))
    return tuple(flows)


def screening_terms(ask: Ask, role: str, kind: str) -> list[Found]:
    """Return the annual leak rate of a kind of equipment and the years that the charge stood.

    Source: GHG Protocol HFC/PFC tool and US EPA (2014), screening method: charge × annual rate × years.
    """
    rate = find(ask.book, role, ask.scope, item=kind)
    return [rate, ask.stated("years", "a", YEARS)]


YEARS = Text("充注量在用年数", "years that the charge stood")


def years_column() -> Column:
    """Return the detail column of the time a charge stood, as needed wherever an annual rate is applied."""
    return Column(
        "years",
        "number",
        YEARS,
        unit="a",
        nullable=True,
        minimum=0.0,
        note=Text("全年填 1, 一个月约 0.083", "1 for a whole year, about 0.083 for a month"),
    )


def filling_flows(ask: Ask) -> tuple[Flow, ...]:
    """Return kg of a single gas lost per filling: 0.342 mol × M (机械设备制造企业指南; standards 3.4).

    Examples
    --------
    SF6: 0.342 × 146.055 = 49.95 g per filling

    >>> round(0.342 * 146.055, 2)
    49.95
    """
    lost = find(ask.book, "leak.filling", ask.scope, item="equipment_filling")
    mass = find(ask.book, "molar_mass", ask.scope, item=ask.item)
    return (Flow(ask.item or "", per_unit([lost, mass], ask.item or "", ask.unit), "n × 0.342 mol × M"),)
